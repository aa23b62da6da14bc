"""The steps of the pipelines, run as a runner runs them: with a program in taskspec's place, and an API served here."""

import json
import sys

import pytest
import yaml
from pipelines_drawn import FROM, ROOT, Turns, api, outputs_in, program, ran, steps_of, value_of

CODES = [*range(10), 64, 130]
SOME = [0, 2, 3, 130]
SHA, HEAD, OTHER = "1" * 40, "2" * 40, "3" * 40
DIGEST = "d" * 64
REPOSITORY = "acme/sales"
FAKE = """\
printf '%s\\n' "$@" >>told
exit "${CODE:-0}"
"""


@pytest.fixture
def runner(folder):
    """A folder with a taskspec that notes its arguments, and what a job of GitHub has in its environment."""
    program(folder, "taskspec", FAKE)
    return {
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "RUNNER_TEMP": str(folder / "temp"),
        "ENVIRONMENT": "prod",
    }


def step(job, name, case=("plain", "written")):
    return steps_of(value_of("github", case)["jobs"][job])[name]["run"]


def told(folder):
    path = folder / "told"
    return path.read_text().splitlines() if path.exists() else []


def outputs(folder):
    return outputs_in(folder / "outputs")


@pytest.mark.parametrize("job", ["fork", "plan", "apply", "drift"])
def test_github_installs_what_is_named(folder, job):
    program(folder, "python", FAKE)
    done = ran(step(job, "Install taskspec"), folder, {"REQUIREMENT": FROM})
    assert done.returncode == 0, done.stdout
    assert told(folder)[-2:] == ["--", FROM]


@pytest.mark.parametrize("given", ["", "taskspec", "taskspec==1.0", "taskspec[postgres]>=2"])
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_nothing_is_installed_of_which_nobody_says_where_it_comes_from(folder, ci, given):
    program(folder, "python", FAKE)
    scripts = {
        "github": step("plan", "Install taskspec"),
        "gitlab": value_of("gitlab")[".taskspec"]["before_script"][0],
    }
    done = ran(scripts[ci], folder, {"REQUIREMENT": given, "TASKSPEC_REQUIREMENT": given})
    assert done.returncode == 1
    assert "TASKSPEC_REQUIREMENT" in done.stdout or "bare name" in done.stdout
    assert done.stdout.count("\n") == 1
    assert told(folder) == []


def test_github_plans_what_the_pull_request_changes(folder, runner):
    done = ran(step("plan", "Plan"), folder, {**runner, "BASE": SHA})
    assert done.returncode == 0, done.stderr
    temp = folder / "temp"
    assert told(folder) == [
        *("reconcile", "--plan-only", "--since", SHA, "--env", "prod", "--out", f"{temp}/plan/plan.json"),
        *("--report", f"html={temp}/report/plan.html", "--report", f"junit={temp}/report/plan.xml"),
    ]


@pytest.mark.parametrize("code", SOME)
@pytest.mark.parametrize(("job", "name"), [("plan", "Plan"), ("drift", "Look for drift"), ("apply", "Apply")])
def test_the_exit_code_of_a_step_of_github_is_the_programs(folder, runner, job, name, code):
    done = ran(step(job, name), folder, {**runner, "BASE": SHA, "HOW": "anew", "DIGEST": "", "CODE": str(code)})
    assert done.returncode == code


@pytest.mark.parametrize("code", CODES)
def test_the_exit_code_of_the_action_is_the_programs_and_an_output(folder, code):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (run,) = [entry["run"] for entry in action["runs"]["steps"] if entry.get("id") == "taskspec"]
    program(folder, "taskspec", FAKE)
    (folder / "temp/taskspec").mkdir()
    (folder / "bin").rename(folder / "temp/taskspec/bin")
    environ = {
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "RUNNER_TEMP": str(folder / "temp"),
        "COMMAND": "apply",
        "ARGUMENTS": "--env\nprod\n\n$(touch broken) ; `touch broken`\n",
        "CODE": str(code),
    }
    done = ran(run, folder, environ)
    assert done.returncode == code, done.stderr
    assert outputs(folder) == {"exit-code": str(code)}
    assert told(folder) == ["apply", "--env", "prod", "$(touch broken) ; `touch broken`"]
    assert not (folder / "broken").exists()
    (folder / "told").unlink()
    assert ran(run, folder, {**environ, "ARGUMENTS": ""}).returncode == code
    assert told(folder) == ["apply"]


def test_the_action_is_installed_from_its_own_files(folder):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (run,) = [entry["run"] for entry in action["runs"]["steps"] if entry.get("name") == "Install taskspec"]
    program(folder, "python", FAKE)
    (folder / "temp/taskspec").mkdir()
    (folder / "bin").rename(folder / "temp/taskspec/bin")
    here = str(folder / "temp/taskspec/bin/python")
    environ = {"RUNNER_TEMP": str(folder / "temp"), "PYTHON": here, "GITHUB_ACTION_PATH": "/actions/taskspec"}
    assert ran(run, folder, {**environ, "EXTRAS": "postgres"}).returncode == 0
    assert told(folder)[-3:] == ["--constraint", "/actions/taskspec/constraints.txt", "/actions/taskspec[postgres]"]
    assert ran(run, folder, {**environ, "EXTRAS": ""}).returncode == 0
    assert told(folder)[-1] == "/actions/taskspec"


def test_the_kept_plan_bears_its_digest_in_its_name(folder, runner):
    environ = {**runner, "DIGEST": f"sha256:{DIGEST}", "HEAD": HEAD, "NUMBER": "7"}
    assert ran(step("plan", "Name the plan"), folder, environ).returncode == 0
    assert outputs(folder) == {"name": f"taskspec-plan-prod-7-{HEAD}-{DIGEST}"}


def test_what_was_not_saved_is_not_kept_and_the_way_out_is_told(folder, runner):
    done = ran(step("plan", "Name the plan"), folder, {**runner, "DIGEST": "", "HEAD": HEAD, "NUMBER": "7"})
    assert done.returncode == 0
    assert done.stdout.startswith("::notice title=No plan is kept::")
    assert not (folder / "outputs").exists()
    keeping = steps_of(value_of("github")["jobs"]["plan"])["Keep the plan"]
    assert keeping["if"] == "steps.kept.outputs.name != ''"


@pytest.mark.parametrize("digest", ["sha256:", f"sha256:{DIGEST}\nname=other", f"sha256:{DIGEST}0", "sha256:x y"])
def test_what_is_no_digest_names_no_plan(folder, runner, digest):
    done = ran(step("plan", "Name the plan"), folder, {**runner, "DIGEST": digest, "HEAD": HEAD, "NUMBER": "7"})
    assert done.returncode == 1
    assert not (folder / "outputs").exists()


def test_github_applies_exactly_the_plan_that_was_kept(folder, runner):
    done = ran(step("apply", "Apply"), folder, {**runner, "HOW": "plan", "DIGEST": f"sha256:{DIGEST}"})
    assert done.returncode == 0, done.stderr
    plan = f"{folder}/temp/plan/plan.json"
    assert told(folder)[:7] == ["reconcile", "--plan", plan, "--expect-digest", f"sha256:{DIGEST}", "--env", "prod"]


@pytest.mark.parametrize("how", ["", "plan anew", "*"])
def test_github_applies_nothing_where_it_is_not_known_what(folder, runner, how):
    done = ran(step("apply", "Apply"), folder, {**runner, "HOW": how, "DIGEST": ""})
    assert done.returncode == 1
    assert told(folder) == []


PULL = {
    "number": 7,
    "merged_at": "2026-11-29T09:14:02Z",
    "merge_commit_sha": SHA,
    "head": {"sha": HEAD, "repo": {"full_name": REPOSITORY}},
}
RUN = {"id": 50, "head_sha": HEAD, "head_repository": {"full_name": REPOSITORY}}
PULLS = "pulls?state=closed&base=main&sort=updated&direction=desc&per_page=100"
RUNS = f"actions/workflows/taskspec.yml/runs?event=pull_request&head_sha={HEAD}&per_page=100"


def kept(identity=90, *, environment="prod", number=7, head=HEAD, digest=DIGEST, expired=False):
    return {"id": identity, "name": f"taskspec-plan-{environment}-{number}-{head}-{digest}", "expired": expired}


def github(folder, pulls=(PULL,), runs=(RUN,), artifacts=None, *, event="push", commits=(), more=None):
    """Look for the plan of what was pushed; return what was done, and what was asked."""
    artifacts = {50: [kept()]} if artifacts is None else artifacts
    answers = {
        PULLS: pulls if isinstance(pulls, Turns) else list(pulls),
        RUNS: {"workflow_runs": list(runs)},
        **{f"actions/runs/{run}/artifacts?per_page=100": {"artifacts": found} for run, found in artifacts.items()},
        **(more or {}),
    }
    (folder / "event.json").write_text(json.dumps({"commits": [{"id": commit} for commit in commits]}))
    script = step("apply", "Find the plan of the pull request").replace("time.sleep(pause)", "pass")
    with api(answers) as (url, asked):
        environ = {
            "GITHUB_API_URL": url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_SHA": SHA,
            "GITHUB_TOKEN": "ghs_0123",
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/taskspec.yml@refs/heads/main",
            "GITHUB_OUTPUT": str(folder / "outputs"),
            "BRANCH": "main",
            "ENVIRONMENT": "prod",
        }
        done = ran(script, folder, environ, shell=(sys.executable,))
    assert "Traceback" not in done.stderr, done.stderr
    assert "ghs_0123" not in done.stdout + done.stderr
    return done, asked


def refused(folder, done, words):
    assert done.returncode == 1, done
    assert done.stdout.startswith("::error title=Nothing was applied::")
    assert words in done.stdout
    assert "The way out: Actions → taskspec → Run workflow." in done.stdout
    assert not (folder / "outputs").exists()


def test_github_finds_the_plan_of_the_pull_request_that_was_merged(folder):
    done, asked = github(folder)
    assert done.returncode == 0, done
    name = f"taskspec-plan-prod-7-{HEAD}-{DIGEST}"
    assert outputs(folder) == {"how": "plan", "run": "50", "artifact": name, "digest": f"sha256:{DIGEST}"}
    assert {headers["Authorization"] for _, headers in asked} == {"Bearer ghs_0123"}


def test_of_several_plans_of_one_commit_the_last_one_counts(folder):
    runs = [RUN, {**RUN, "id": 51}]
    artifacts = {50: [kept(90), kept(92, digest="e" * 64)], 51: [kept(91, digest="f" * 64)]}
    assert github(folder, runs=runs, artifacts=artifacts)[0].returncode == 0
    assert outputs(folder)["digest"] == f"sha256:{'e' * 64}"


def test_a_rebased_pull_request_is_found_by_the_commits_of_the_push(folder):
    pull = {**PULL, "merge_commit_sha": OTHER}
    assert github(folder, pulls=[pull], commits=[OTHER, SHA])[0].returncode == 0
    assert outputs(folder)["how"] == "plan"


def test_github_may_need_a_moment_to_know_what_was_merged(folder):
    assert github(folder, pulls=Turns([], [PULL]))[0].returncode == 0
    assert outputs(folder)["how"] == "plan"


def test_a_push_of_nobodys_pull_request_is_planned_anew(folder):
    open_one, elsewhere = {**PULL, "merged_at": None}, {**PULL, "merge_commit_sha": OTHER}
    assert github(folder, pulls=[open_one, elsewhere])[0].returncode == 0
    assert outputs(folder) == {"how": "anew"}


def test_what_is_started_by_hand_is_planned_anew_and_nothing_is_asked(folder):
    done, asked = github(folder, event="workflow_dispatch")
    assert (done.returncode, asked) == (0, [])
    assert outputs(folder) == {"how": "anew"}


@pytest.mark.parametrize(
    "artifacts",
    [
        {50: []},
        {50: [kept(expired=True)]},
        {50: [kept(environment="staging")]},
        {50: [kept(number=77)]},
        {50: [kept(head=OTHER)]},
        {50: [kept(digest="d" * 63)]},
        {50: [{"id": 1, "name": "taskspec-report-prod", "expired": False}]},
    ],
    ids=["none", "expired", "of another environment", "of another request", "of another commit", "odd", "a report"],
)
def test_a_pull_request_without_a_usable_plan_is_not_applied(folder, artifacts):
    refused(folder, github(folder, artifacts=artifacts)[0], f"#7 has no usable plan of its last commit {HEAD[:12]}")


def test_a_plan_that_a_fork_has_kept_is_none(folder):
    runs = [{**RUN, "head_repository": {"full_name": "mallory/sales"}}, {**RUN, "id": 51, "head_repository": None}]
    done, _ = github(folder, runs=runs, artifacts={50: [kept()], 51: [kept()]})
    refused(folder, done, "has no usable plan")


@pytest.mark.parametrize("repository", [{"full_name": "mallory/sales"}, None])
def test_a_merged_pull_request_of_a_fork_is_for_a_person(folder, repository):
    done, _ = github(folder, pulls=[{**PULL, "head": {"sha": HEAD, "repo": repository}}])
    refused(folder, done, "comes from a fork")


def test_several_pull_requests_in_one_push_are_for_a_person(folder):
    other = {**PULL, "number": 8, "merge_commit_sha": OTHER}
    refused(folder, github(folder, pulls=[PULL, other], commits=[OTHER, SHA])[0], "2 pull requests")


@pytest.mark.parametrize("answer", [403, 502, b"<html>"])
@pytest.mark.parametrize("path", [PULLS, RUNS])
def test_where_github_does_not_answer_nothing_is_applied(folder, answer, path):
    refused(folder, github(folder, more={path: answer})[0], "GitHub does not tell")


MERGED = {
    "iid": 7,
    "state": "merged",
    "target_branch": "main",
    "merge_commit_sha": SHA,
    "squash_commit_sha": None,
    "sha": HEAD,
    "source_project_id": 12,
}
PIPELINE = {"id": 50, "project_id": 12, "source": "merge_request_event"}
PLANNED = {"id": 90, "name": "taskspec plan: [prod]"}
PLAN = b'{"digest": "..."}'
REQUESTS = f"repository/commits/{SHA}/merge_requests"


def gitlab(folder, requests=(MERGED,), pipelines=(PIPELINE,), jobs=(PLANNED,), *, more=None, **environ):
    """Run the job that applies; return what was done, and what was asked."""
    program(folder, "taskspec", FAKE)
    answers = {
        REQUESTS: requests if isinstance(requests, Turns) else list(requests),
        "merge_requests/7/pipelines?per_page=100": list(pipelines),
        "pipelines/50/jobs?scope[]=success&per_page=100": list(jobs),
        "jobs/90/artifacts/.taskspec/ci/commit": f"{HEAD}\n".encode(),
        "jobs/90/artifacts/.taskspec/ci/digest": f"sha256:{DIGEST}\n".encode(),
        "jobs/90/artifacts/.taskspec/ci/plan.json": PLAN,
        **(more or {}),
    }
    script = "\n".join(value_of("gitlab")["taskspec apply"]["script"]).replace("time.sleep(pause)", "pass")
    with api(answers) as (url, asked):
        given = {
            "CI_API_V4_URL": url,
            "CI_PROJECT_ID": "12",
            "CI_COMMIT_SHA": SHA,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_SOURCE": "push",
            "TASKSPEC_COMMENT_TOKEN": "glpat-0123",
            "ENVIRONMENT": "prod",
            **environ,
        }
        done = ran(script, folder, given)
    assert "Traceback" not in done.stderr, done.stderr
    assert "glpat-0123" not in done.stdout + done.stderr
    return done, asked


@pytest.mark.parametrize("is_saved", [True, False])
def test_gitlab_keeps_with_a_plan_its_commit_and_its_digest(folder, is_saved):
    script = "\n".join(value_of("gitlab")["taskspec plan"]["script"])
    saved = "touch .taskspec/ci/plan.json" if is_saved else ":"
    saves = f"""[ "$1" = show ] && echo '{{"digest": "sha256:{DIGEST}"}}' || {saved}\n"""
    program(folder, "taskspec", saves + FAKE)
    environ = {"CI_COMMIT_SHA": HEAD, "CI_MERGE_REQUEST_DIFF_BASE_SHA": SHA, "ENVIRONMENT": "prod"}
    done = ran(script, folder, environ)
    assert done.returncode == 0, done.stderr
    assert told(folder)[:6] == ["reconcile", "--plan-only", "--since", SHA, "--env", "prod"]
    kept_files = {path.name: path.read_text() for path in (folder / ".taskspec/ci").iterdir()}
    assert kept_files == ({"plan.json": "", "commit": f"{HEAD}\n", "digest": f"sha256:{DIGEST}\n"} if is_saved else {})
    assert ran(script, folder, {**environ, "CODE": "3"}).returncode == 3


def test_what_a_commit_has_in_the_place_of_the_plan_is_not_kept(folder):
    script = "\n".join(value_of("gitlab")["taskspec plan"]["script"])
    program(folder, "taskspec", FAKE)  # as where the plan is made offline
    (folder / ".taskspec" / "ci").mkdir(parents=True)
    for name in ("plan.json", "digest", "commit", "plan.html"):
        (folder / ".taskspec" / "ci" / name).write_text("of a stranger")
    environ = {"CI_COMMIT_SHA": HEAD, "CI_MERGE_REQUEST_DIFF_BASE_SHA": SHA, "ENVIRONMENT": "prod"}
    assert ran(script, folder, environ).returncode == 0
    assert list((folder / ".taskspec/ci").iterdir()) == []


def left(folder, done, words):
    assert done.returncode == 1, done
    assert done.stdout.startswith("Nothing was applied: ")
    assert words in done.stdout
    assert "The way out: Build → Pipelines → New pipeline, for main." in done.stdout
    assert told(folder) == []


@pytest.mark.parametrize(
    "merged",
    [
        MERGED,
        {**MERGED, "merge_commit_sha": None, "squash_commit_sha": SHA},
        {**MERGED, "merge_commit_sha": OTHER, "squash_commit_sha": SHA},
    ],
    ids=["merged", "squashed", "squashed and merged"],
)
def test_gitlab_applies_exactly_the_plan_that_was_kept(folder, merged):
    done, asked = gitlab(folder, [merged])
    assert done.returncode == 0, done
    plan = ".taskspec/ci/plan.json"
    assert told(folder)[:7] == ["reconcile", "--plan", plan, "--expect-digest", f"sha256:{DIGEST}", "--env", "prod"]
    assert (folder / plan).read_bytes() == PLAN
    assert {headers["PRIVATE-TOKEN"] for _, headers in asked} == {"glpat-0123"}


@pytest.mark.parametrize("code", SOME)
def test_the_exit_code_of_an_apply_of_gitlab_is_the_programs(folder, code):
    assert gitlab(folder, CI_PIPELINE_SOURCE="web", CODE=str(code))[0].returncode == code


def test_gitlab_plans_anew_what_was_pushed_or_is_started_by_hand(folder):
    assert gitlab(folder, [])[0].returncode == 0
    assert told(folder)[:3] == ["reconcile", "--env", "prod"]
    done, asked = gitlab(folder, CI_PIPELINE_SOURCE="web", TASKSPEC_COMMENT_TOKEN="")
    assert (done.returncode, asked) == (0, [])


def test_a_plan_of_yesterday_in_the_folder_is_not_applied(folder):
    (folder / ".taskspec/ci").mkdir(parents=True)
    (folder / ".taskspec/ci/how").write_text("plan")
    left(folder, gitlab(folder, jobs=[])[0], "has no usable plan")


def test_without_a_token_gitlab_applies_nothing_after_a_push(folder):
    left(folder, gitlab(folder, TASKSPEC_COMMENT_TOKEN="")[0], "Without TASKSPEC_COMMENT_TOKEN")


def test_gitlab_may_need_a_moment_to_know_what_was_merged(folder):
    late = {**MERGED, "state": "locked"}
    assert gitlab(folder, Turns([late], [MERGED]))[0].returncode == 0
    assert "--plan" in told(folder)
    (folder / "told").unlink()
    left(folder, gitlab(folder, [late])[0], "!7 has this commit, and is locked")


@pytest.mark.parametrize(
    "more",
    [
        {"pipelines": []},
        {"pipelines": [{**PIPELINE, "project_id": 13}]},
        {"pipelines": [{**PIPELINE, "source": "push"}]},
        {"jobs": [{**PLANNED, "name": "taskspec plan: [staging]"}]},
        {"more": {"jobs/90/artifacts/.taskspec/ci/commit": OTHER.encode()}},
    ],
    ids=["none", "of a fork", "of a push", "of another environment", "of another commit"],
)
def test_a_merge_request_without_a_usable_plan_is_not_applied(folder, more):
    left(folder, gitlab(folder, **more)[0], f"!7 has no usable plan of its last commit {HEAD[:12]}")


def test_a_merged_merge_request_of_a_fork_is_for_a_person(folder):
    left(folder, gitlab(folder, [{**MERGED, "source_project_id": 13}])[0], "comes from a fork")


@pytest.mark.parametrize("answer", [401, 502])
@pytest.mark.parametrize("path", [REQUESTS, "jobs/90/artifacts/.taskspec/ci/plan.json"])
def test_where_gitlab_does_not_answer_nothing_is_applied(folder, answer, path):
    left(folder, gitlab(folder, more={path: answer})[0], "GitLab does not give")


def test_what_is_no_plan_is_not_applied_by_gitlab(folder):
    more = {"jobs/90/artifacts/.taskspec/ci/digest": b"sha256:1"}
    left(folder, gitlab(folder, more=more)[0], "is no plan")
