"""Loading: a folder or a file becomes a project with its tasks, or all that is wrong with it."""

import os
import sys
from pathlib import Path

import pytest

from taskspec.documents.loading import called, load
from taskspec.documents.model import OnChangeActive, OnRemove, Rerun, Retry, When
from taskspec.errors import UsageError

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec:
  agents:
    analyst: {command: [python, analyst.py], timeout: 90s}
"""


def task(name="extract", *, agent="analyst", extra=""):
    return (
        f"apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\n"
        f"spec:\n  agent: {agent}\n  prompt: Do it.\n{extra}"
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def project(folder, spec="", files=None):
    write(folder, {"taskspec.yaml": PROJECT + spec, "extract.yaml": task(), **(files or {})})
    return load(folder)


def found(loaded):
    return [f"{d.position} {d.summary}" for d in loaded.diagnostics]


def said(loaded):
    return " ".join(f"{d.detail} {d.hint}" for d in loaded.diagnostics)


def addresses(loaded):
    return [task.address for task in loaded.manifests.tasks]


def test_a_folder_with_a_project_and_tasks_is_loaded_in_the_order_of_its_files(folder):
    loaded = project(folder, files={"b/two.yml": task("two") + "---\n" + task("three"), "a/one.yaml": task("one")})
    assert loaded.diagnostics == ()
    assert addresses(loaded) == ["one", "two", "three", "extract"]
    assert loaded.manifests.project.name == "sales"
    assert loaded.manifests.project.agents["analyst"].timeout == 90
    assert loaded.manifests.project.data_folder == str(folder / ".taskspec")
    assert loaded.selection is None


def test_a_folder_without_a_project_has_every_default(tmp_path, monkeypatch):
    folder = tmp_path / "Sales Ops"
    write(folder, {"t.yaml": task(agent='"{{ vars.agent }}"')})
    loaded = load(folder)
    assert loaded.diagnostics == ()
    assert loaded.manifests.project.name == "sales-ops"
    assert loaded.manifests.project.document is None


def test_a_project_may_stand_in_any_file(folder):
    write(folder, {"all.yaml": PROJECT + "---\n" + task()})
    loaded = load(folder)
    assert (found(loaded), addresses(loaded), loaded.manifests.project.name) == ([], ["extract"], "sales")


def test_yaml_that_is_plainly_not_ours_is_skipped_and_counted(folder):
    others = {
        "compose.yaml": "services: {web: {image: x}}\n",
        "k8s.yaml": "apiVersion: v1\nkind: Pod\n",
        "broken.yaml": "kind: [\n",
        "list.yml": "- kind\n",
    }
    loaded = project(folder, files=others)
    assert (found(loaded), loaded.manifests.skipped) == ([], 4)


@pytest.mark.parametrize(
    ("content", "summary"),
    [
        ("apiVersion: taskspec/v1\n  kind: [", "YAML cannot be read"),
        ("kind: Task\nmetadata: {name: x}\nspec: {agent: analyst, prompt: x}\n", "Missing field"),
        ("apiVersion: taskspec/v1\nmetadata: {name: x}\n", "Missing field"),
        ("apiVersion: taskspec/v2\nkind: Task\n", "Wrong API version"),
        ("apiVersion: tekton.dev/v1\nkind: Task\n", "Wrong API version"),
    ],
)
def test_yaml_that_looks_like_ours_is_never_skipped(folder, content, summary):
    loaded = project(folder, files={"x.yaml": content})
    assert [d.summary for d in loaded.diagnostics] == [summary]
    assert addresses(loaded) == ["extract"]


def test_utf_16_that_is_ours_is_not_skipped(folder):
    (folder / "x.yaml").write_bytes(task("other").encode("utf-16"))
    assert found(project(folder)) == ["x.yaml:1:1 YAML cannot be read"]


def test_folders_of_others_and_the_results_are_left_out(folder):
    hidden = (".git/x.yaml", "node_modules/p/x.yaml", "env/x.yaml", "results/x.yaml", "env/lib/x.yaml", ".x.yaml")
    loaded = project(folder, files={**dict.fromkeys(hidden, task()), "env/pyvenv.cfg": ""})
    assert (found(loaded), addresses(loaded)) == ([], ["extract"])


def test_a_results_folder_by_another_name_is_left_out_too(folder):
    write(folder, {"p.yaml": PROJECT + "  results: {path: out}\n", "t.yaml": task(), "out/x.yaml": task("old")})
    assert addresses(load(folder)) == ["extract"]


def test_links_out_of_the_project_are_left_out_and_links_within_do_not_count_twice(folder):
    inside = folder / "project"
    write(folder, {"elsewhere.yaml": task("elsewhere"), "project/taskspec.yaml": PROJECT, "project/a.yaml": task()})
    (inside / "out.yaml").symlink_to(folder / "elsewhere.yaml")
    (inside / "again.yaml").symlink_to(inside / "a.yaml")
    (inside / "loop").symlink_to(inside)
    loaded = load(inside)
    assert (found(loaded), addresses(loaded)) == ([], ["extract"])


def test_manifests_replace_the_default_and_must_be_ours(folder):
    spec = '  manifests: ["tasks/**/*.yaml"]\n'
    files = {"tasks/deep/er/t.yaml": task("deep"), "tasks/x.yaml": "services: {}\n"}
    loaded = project(folder, spec, files)
    assert found(loaded) == ["tasks/x.yaml:1:1 Not a document"]
    assert addresses(loaded) == ["deep"]


@pytest.mark.parametrize("pattern", ["../*.yaml", "/etc/*.yaml", "absent.yaml", "none/**/*.yaml", "~/x.yaml"])
def test_manifests_that_leave_the_project_or_name_nothing_are_refused(folder, pattern):
    assert found(project(folder, f'  manifests: ["{pattern}"]\n')) == ["taskspec.yaml:7:15 Manifests"]


def test_a_file_of_a_project_selects_its_tasks(folder):
    write(folder, {"taskspec.yaml": PROJECT, "tasks/a.yaml": task("a"), "tasks/b.yaml": task("b")})
    loaded = load(folder / "tasks" / "a.yaml")
    assert (addresses(loaded), loaded.selection) == (["a", "b"], {"a"})


def test_the_project_file_selects_everything(folder):
    write(folder, {"taskspec.yaml": PROJECT, "a.yaml": task("a")})
    assert (addresses(load(folder / "taskspec.yaml")), load(folder / "taskspec.yaml").selection) == (["a"], None)


def test_a_file_that_belongs_to_no_project_is_a_project_of_its_own(folder):
    write(folder, {"My Task.yaml": PROJECT.replace("sales", "own") + "---\n" + task(), "other.yaml": task("other")})
    loaded = load(Path("My Task.yaml"))
    assert addresses(loaded) == ["extract"]
    assert loaded.manifests.project.name == "own"
    assert loaded.manifests.project.data_folder == str(folder / ".taskspec" / "My Task.yaml")
    assert load(Path("other.yaml")).manifests.project.name == "other"


def test_a_file_beside_a_project_that_does_not_name_it_stands_alone(folder):
    write(
        folder,
        {
            "taskspec.yaml": PROJECT + '  manifests: ["a.yaml"]\n',
            "a.yaml": task(),
            "b.yaml": PROJECT + "---\n" + task("b"),
        },
    )
    loaded = load(folder / "b.yaml")
    assert (found(loaded), addresses(loaded), loaded.selection) == ([], ["b"], None)


def test_a_target_that_is_not_there_is_told_with_the_nearest_name(folder):
    write(folder, {"tasks/a.yaml": task()})
    with pytest.raises(UsageError) as caught:
        load(folder / "tsks")
    assert caught.value.hint == "Did you mean `tasks`?"


@pytest.mark.parametrize("name", ["a\0b", "pipe"])
def test_a_target_that_cannot_be_read_is_a_usage_error(folder, name):
    os.mkfifo(folder / "pipe")
    with pytest.raises((UsageError, ValueError)) as caught:
        load(Path(str(folder / name)))
    assert isinstance(caught.value, UsageError)


def test_a_project_without_a_task_is_an_error(folder):
    write(folder, {"taskspec.yaml": PROJECT, "compose.yaml": "services: {}\n"})
    loaded = load(folder)
    assert found(loaded) == ["taskspec.yaml:1:1 No task"]
    assert "not for taskspec: 1" in loaded.diagnostics[0].detail


def test_two_tasks_of_one_name_name_both_places(folder):
    loaded = project(folder, files={"z.yaml": task()})
    assert found(loaded) == ["z.yaml:3:18 Two tasks of one name"]
    assert "extract.yaml:3:18" in said(loaded)


def test_two_projects_name_both_places(folder):
    loaded = project(folder, files={"sub/taskspec.yaml": PROJECT})
    assert found(loaded) == ["sub/taskspec.yaml:1:1 Two projects"]
    assert "taskspec.yaml:1:1" in said(loaded)


def test_an_unknown_agent_is_told_at_its_place_with_the_nearest(folder):
    loaded = project(folder, files={"x.yaml": task("x", agent="analist")})
    assert found(loaded) == ["x.yaml:5:10 Unknown agent"]
    assert "Did you mean `analyst`?" in said(loaded)
    assert addresses(loaded) == ["extract"]


def test_another_remote_has_agents_of_its_own(folder):
    spec = "  remote: {type: xpander, apiKey: {env: MY_KEY}}\n"
    loaded = project(folder, spec, {"x.yaml": task("x", agent="b5b5")})
    assert found(loaded) == []
    assert loaded.manifests.project.remote.api_key_env == "MY_KEY"


def test_one_broken_file_hides_nothing_in_the_others_and_invents_nothing(folder):
    loaded = project(folder, "  nope: 1\n", {"x.yaml": task("x", extra="  promt: y\n"), "y.yaml": "# taskspec/\na: ["})
    assert found(loaded) == [
        "taskspec.yaml:7:3 Unknown field",
        "x.yaml:7:3 Unknown field",
        "y.yaml:3:1 YAML cannot be read",
    ]


def test_the_agents_command_is_looked_up(folder):
    write(folder, {"bin/tool": "#!/bin/sh\n"})
    (folder / "bin/tool").chmod(0o755)
    agents = (
        "    own: {command: [bin/tool]}\n    absent: {command: [no-such-program, -p]}\n    file: {command: [./nope]}\n"
    )
    loaded = project(
        folder, agents + f"    absolute: {{command: [{sys.executable}]}}\n    three: {{command: [python3]}}\n"
    )
    assert found(loaded) == ["taskspec.yaml:8:24 Command not found", "taskspec.yaml:9:22 Command not found"]


def test_the_search_path_can_be_given(folder):
    write(folder, {"bin/tool": "#!/bin/sh\n"})
    (folder / "bin/tool").chmod(0o755)
    write(folder, {"taskspec.yaml": PROJECT + "    own: {command: [tool]}\n", "t.yaml": task()})
    assert found(load(folder, search_path=str(folder / "bin"))) == []
    assert found(load(folder, search_path=str(folder / "none"))) == ["taskspec.yaml:7:21 Command not found"]


def test_policies_are_merged_field_by_field_and_the_tasks_own_win(folder):
    spec = """\
  retry: {maxAttempts: 5, backoff: 2h}
  onRemove: hold
  defaults:
    - spec: {retry: {maxAttempts: 2, statuses: [failed]}, timeout: 500ms}
"""
    loaded = project(
        folder, spec, {"own.yaml": task("own", extra="  retry: {statuses: [timeout]}\n  onRemove: forget\n")}
    )
    assert found(loaded) == []
    extract, own = loaded.manifests.tasks
    assert extract.policies.retry == Retry(max_attempts=2, statuses=("failed",), backoff=7200)
    assert (extract.policies.timeout, extract.policies.on_remove) == (0.5, OnRemove.HOLD)
    assert own.policies.retry == Retry(max_attempts=2, statuses=("timeout",), backoff=7200)
    assert (own.policies.timeout, own.policies.on_remove) == (0.5, OnRemove.FORGET)


@pytest.mark.parametrize(
    ("written", "rerun"),
    [
        ("never", Rerun(when=When.NEVER)),
        ("{after: 7d}", Rerun(after=604_800)),
        ("{when: always, after: 1m}", Rerun(when=When.ALWAYS, after=60)),
        ("{ignore: [prompt, llm]}", Rerun(ignore=frozenset({"prompt", "llm"}))),
        ("{triggers: {release: 1}}", Rerun()),
    ],
)
def test_when_a_task_runs_again_may_be_a_word_or_told_in_full(folder, written, rerun):
    loaded = project(folder, "", {"own.yaml": task("own", extra=f"  rerun: {written}\n  onChangeActive: queue\n")})
    assert found(loaded) == []
    own = loaded.manifests.tasks[1].policies
    assert (own.rerun, own.on_change_active) == (rerun, OnChangeActive.QUEUE)


@pytest.mark.parametrize("where", ["own", "defaults"])
def test_what_has_side_effects_takes_no_retry_from_the_project_or_its_defaults(folder, where):
    effects = ", sideEffects: true" if where == "defaults" else ""
    spec = f"""\
  retry: {{maxAttempts: 5, backoff: 2h}}
  defaults:
    - spec: {{retry: {{statuses: [failed]}}, timeout: 500ms{effects}}}
"""
    mine = "  sideEffects: true\n" if where == "own" else ""
    retry = "  retry: {statuses: [timeout]}\n"
    others = {"plain.yaml": task("plain", extra=mine), "retried.yaml": task("retried", extra=mine + retry)}
    tasks = {one.address: one for one in project(folder, spec, others).manifests.tasks}
    assert (tasks["plain"].policies.retry, tasks["plain"].policies.timeout) == (Retry(), 0.5)
    assert tasks["retried"].policies.retry == Retry(statuses=("timeout",))
    assert tasks["retried"].source.position(("retry",)).file == "retried.yaml"


def test_a_file_that_cannot_be_read_is_told(folder):
    write(folder, {"taskspec.yaml": PROJECT, "t.yaml": task()})
    os.mkfifo(folder / "pipe.yaml")
    assert found(load(folder)) == ["pipe.yaml:1:1 Cannot be read"]


def test_the_project_above_a_folder_is_named(folder):
    write(folder, {"taskspec.yaml": PROJECT + "    own: {command: [cat]}\n", "tasks/t.yaml": task(), "empty/x.txt": ""})
    for name in ("tasks", "empty"):
        (wrong,) = load(folder / name).diagnostics
        assert "-C " in wrong.hint, wrong
        assert wrong.hint.endswith(f"name it with `-C {os.path.relpath(folder)}`.")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: {nonsense: 1}\n", "sales"),
        ("apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: 7}\n", ""),
        ("apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: [\n", ""),
    ],
)
def test_a_project_is_called_what_it_says_however_wrong_the_rest_is(folder, content, name):
    write(folder, {"taskspec.yaml": content})
    assert called(folder) == name


def test_where_there_is_no_project_nothing_is_called_anything(folder):
    assert called(folder) == ""
    assert called(folder / "gone") == ""


@pytest.mark.parametrize("pattern", [".git/config", ".git/*", "tasks/../.git/config", ".taskspec/**"])
def test_no_manifest_stands_in_what_git_and_taskspec_keep(folder, pattern):
    files = {".git/config": "[http]\n\textraheader = canary\n", "tasks/a.yaml": ""}
    loaded = project(folder, f"  manifests: ['{pattern}', extract.yaml]\n", files)
    assert "leads to what git and taskspec keep" in said(loaded)
    assert "canary" not in said(loaded)


def test_no_link_makes_a_manifest_of_what_git_keeps(folder):
    write(folder, {".git/config": "apiVersion: taskspec/v1\n\tcanary"})
    (folder / "link.yaml").symlink_to(".git/config")
    assert project(folder).diagnostics == ()
    assert project(folder, "  manifests: ['*.yaml']\n").diagnostics == ()
    assert "matches no file" in said(project(folder, "  manifests: [link.yaml, extract.yaml]\n"))
    (folder / "taskspec.yaml").unlink()
    (folder / "taskspec.yaml").symlink_to(".git/config")
    with pytest.raises(UsageError, match=r"is a link to a file outside of its folder"):
        load(folder)


@pytest.mark.parametrize("path", [".git/hooks", ".GIT", "out/.git/hooks", "out/.taskspec"])
def test_no_result_is_written_into_what_git_and_taskspec_keep(folder, path):
    assert "must be a folder of its own" in said(project(folder, f"  results: {{path: {path}}}\n"))
