"""`init --ci`: what is written where, for which project, and what it says is still to be done."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from pipelines_drawn import FROM

sys.path.insert(0, str(Path(__file__).parents[1] / "scenarios"))
from scenario_workspaces import Workspace

from taskspec.diagnostics import ManifestError
from taskspec.errors import TaskspecError, UsageError
from taskspec.runner.pipelines.equipping import equip, write_pipelines
from taskspec.runner.pipelines.model import Ci
from taskspec.runner.pipelines.requiring import required, requirement_of
from taskspec.runner.pipelines.surveying import new_project, survey

WORKFLOW = ".github/workflows/taskspec.yml"
COMMIT = "c" * 40


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    made = Workspace(folder, tmp_path / "cache")
    made.environ["PATH"] = "/nowhere"
    return made


def project(folder, **spec):
    folder.mkdir(parents=True, exist_ok=True)
    document = {"apiVersion": "taskspec/v1", "kind": "Project", "metadata": {"name": "sales"}, "spec": spec}
    (folder / "taskspec.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


def begun(folder, *services, requirement=FROM, surveyed=None):
    """Write pipelines, and return what is new."""
    wanted = equip(folder, surveyed or survey(folder), [Ci(service) for service in services], requirement)
    return write_pipelines(wanted)


def test_a_new_project_is_written_with_its_pipelines(workspace):
    done = workspace.taskspec("init", "--ci", "github", "--ci", "gitlab", "--install", FROM)
    assert done.code == 0, done
    workflow = yaml.safe_load((workspace.folder / WORKFLOW).read_text())
    assert workflow["env"]["REQUIREMENT"] == FROM
    assert workflow["jobs"]["apply"]["strategy"]["matrix"] == {"environment": ["default"]}
    assert yaml.safe_load((workspace.folder / ".gitlab-ci.yml").read_text())["taskspec apply"]
    assert f"{WORKFLOW}: written." in done.out
    assert "`default` is kept for all jobs" in done.out
    assert "TASKSPEC_REQUIREMENT" not in done.out
    assert workspace.taskspec("validate").code == 0


def test_a_project_that_is_there_gets_its_pipeline_alone_and_once(workspace):
    workspace.project(state="s3://acme/taskspec", environments={"staging": {}, "prod": {"remote": {"type": "xpander"}}})
    done = workspace.taskspec("init", "--ci", "github", "--json")
    assert done.json == {"name": "stories", "folder": ".", "files": [WORKFLOW], "agent": None, "found": []}
    assert not (workspace.folder / "README.md").exists()
    again = workspace.taskspec("init", "--ci", "github")
    assert again.code == 0
    assert "there already, as it would be written" in again.out
    assert "taskspec-staging" in again.out
    assert "is kept for all jobs" not in again.out
    path = workspace.folder / WORKFLOW
    path.write_text(path.read_text() + "# mine\n")
    refused = workspace.taskspec("init", "--ci", "github")
    assert refused.code == 1
    assert "taskspec.yml` is there already, and is another one." in refused.err
    assert path.read_text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--install", FROM], "--install says what a pipeline installs"),
        (["--ci", "github", "--install", "taskspec"], "does not say where taskspec comes from"),
        (["--ci", "jenkins"], "'jenkins' is not one of"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(workspace, words, said):
    done = workspace.taskspec("init", *words)
    assert done.code == 64
    assert said in done.err
    assert [path.name for path in workspace.folder.iterdir()] == [".git"]


def test_nothing_of_a_new_project_is_written_beside_another_pipeline(workspace):
    workspace.write(WORKFLOW, "name: mine\n")
    done = workspace.taskspec("init", "--ci", "github")
    assert done.code == 1
    assert sorted(path.name for path in workspace.folder.iterdir()) == [".git", ".github"]


def test_no_pipeline_is_written_beside_another_file_of_a_new_project(workspace):
    workspace.write("README.md", "mine")
    assert workspace.taskspec("init", "--ci", "gitlab").code == 1
    assert sorted(path.name for path in workspace.folder.iterdir()) == [".git", "README.md"]


def test_an_option_for_new_projects_alone_is_refused_for_others(workspace):
    workspace.project()
    done = workspace.taskspec("init", "--ci", "github", "--name", "other")
    assert done.code == 64
    assert "this one is there" in done.err


def test_a_project_below_its_repository_is_named_in_a_pipeline_above_it(tmp_path):
    (tmp_path / ".git").mkdir()
    folder = project(tmp_path / "teams/sales")
    assert begun(folder, "github") == (WORKFLOW,)
    assert yaml.safe_load((tmp_path / WORKFLOW).read_text())["defaults"]["run"]["working-directory"] == "teams/sales"


def test_a_folder_that_no_script_could_name_is_refused(tmp_path):
    (tmp_path / ".git").mkdir()
    with pytest.raises(TaskspecError, match="could not name the folder"):
        survey(project(tmp_path / "a $(b) c"))


def test_where_gitlab_has_a_pipeline_ours_is_to_be_included(tmp_path):
    (project(tmp_path) / ".gitlab-ci.yml").write_text("stages: [test]\n")
    assert begun(tmp_path, "gitlab") == (".gitlab/taskspec.yml",)
    assert begun(tmp_path, "gitlab") == ()
    (tmp_path / ".gitlab/taskspec.yml").write_text("mine")
    with pytest.raises(TaskspecError, match="is there already"):
        begun(tmp_path, "gitlab")


def test_an_older_pipeline_of_ours_is_not_written_a_second_time_elsewhere(tmp_path):
    assert begun(project(tmp_path), "gitlab") == (".gitlab-ci.yml",)
    with pytest.raises(TaskspecError, match=r"gitlab-ci\.yml` is there already"):
        begun(tmp_path, "gitlab", requirement=FROM.replace("a" * 40, "b" * 40))


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path):
    project(tmp_path)
    (tmp_path / WORKFLOW).parent.mkdir(parents=True)
    (tmp_path / WORKFLOW).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TaskspecError, match="is there already"):
        begun(tmp_path, "github")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (project(tmp_path) / ".github").write_text("")
    with pytest.raises(TaskspecError, match="cannot be written"):
        begun(tmp_path, "github")


def test_a_survey_tells_environments_states_and_keys(tmp_path):
    folder = project(
        tmp_path,
        remote={"type": "xpander"},
        state="postgresql://taskspec@db.example.com/taskspec",
        environments={
            "staging": {"remote": "local", "state": "local"},
            "prod": {"remote": {"type": "xpander", "apiKey": {"env": "EU_KEY"}}},
        },
        agents={"writer": {"command": ["cat"], "env": {"allow": ["ANTHROPIC_API_KEY", "HOME"]}}},
    )
    found = survey(folder)
    assert found.environments == ("staging", "prod")
    assert found.forgetful == ("staging",)
    assert found.secrets == ("EU_KEY", "TASKSPEC_STATE", "PGPASSWORD"), "no job gets a key that no environment asks for"
    assert found.agent_secrets == ("ANTHROPIC_API_KEY",)
    assert found.extras == ("objectstore", "postgres")


def test_a_project_without_environments_has_the_default_one(tmp_path):
    found = survey(project(tmp_path, state="https://gitlab.example.com/api/v4/projects/1/terraform/state/x"))
    assert (found.environments, found.forgetful, found.extras) == (("default",), (), ())
    assert found.secrets == ("TASKSPEC_STATE", "TF_HTTP_USERNAME", "TF_HTTP_PASSWORD")


def test_what_is_wrong_with_a_project_is_told_and_nothing_written(tmp_path):
    with pytest.raises(ManifestError):
        survey(project(tmp_path, environments={"Pro duction": {}}))


@pytest.mark.parametrize(
    ("origin", "current", "branch"),
    [
        ("ref: refs/remotes/origin/trunk/x\n", "ref: refs/heads/feature\n", "trunk/x"),
        (None, "ref: refs/heads/master\n", "master"),
        (None, "ref: refs/heads/feature\n", "main"),
        ("ref: refs/remotes/origin/a b\n", "0" * 40, "main"),
        (None, None, "main"),
    ],
)
def test_the_branch_that_is_applied_is_the_one_that_others_start_from(tmp_path, origin, current, branch):
    head = tmp_path / ".git/refs/remotes/origin/HEAD"
    head.parent.mkdir(parents=True)
    for path, text in ((head, origin), (tmp_path / ".git/HEAD", current)):
        if text is not None:
            path.write_text(text)
    assert new_project("sales", tmp_path).branch == branch


def told(url="https://git.example.com/acme/taskspec", vcs="git", commit=COMMIT):
    return json.dumps({"url": url, "vcs_info": {"vcs": vcs, "commit_id": commit}})


def test_an_installation_from_git_tells_what_to_install():
    expected = f"git+https://git.example.com/acme/taskspec@{COMMIT}"
    assert requirement_of(told(), ()) == f"taskspec @ {expected}"
    assert requirement_of(told(), ("objectstore", "postgres")) == f"taskspec[objectstore,postgres] @ {expected}"
    assert requirement_of(told("ssh://git@git.example.com/acme/taskspec"), ()).startswith("taskspec @ git+ssh://git@")


@pytest.mark.parametrize(
    "direct_url",
    [
        None,
        "",
        "[]",
        '{"url": "file:///srv/taskspec", "dir_info": {"editable": true}}',
        told(vcs="hg"),
        told(commit="main"),
        told(commit=None),
        told("file:///srv/taskspec"),
        told("https://user:word@git.example.com/acme/taskspec"),
        told("https://token@git.example.com/acme/taskspec"),
        told("http://git.example.com/acme/taskspec"),
        told("https://git.example.com/${{ secrets.KEY }}"),
        told("https://[git"),
    ],
)
def test_what_others_could_not_fetch_or_must_not_see_is_no_requirement(direct_url):
    assert requirement_of(direct_url, ()) is None


@pytest.mark.parametrize(
    "text",
    ["taskspec", "taskspec==1", "", "x @ https://a/${{ secrets.K }}", "x @ https://a/b\nc", "--index-url=https://a/b"],
)
def test_a_requirement_that_is_not_written_down_is_refused(text):
    with pytest.raises(UsageError):
        required(text)
