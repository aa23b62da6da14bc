"""What must hold in each pipeline, whatever is changed about it: who gets what, and what can be cut."""

import re

import pytest
import yaml
from pipelines_drawn import DRAWN, RICH, ROOT, steps_of, text_of, value_of

from taskspec.runner.pipelines.drawing import ACTIONS

JOBS = ["fork", "plan", "apply", "drift"]
CASES = list(DRAWN)
GITLAB = ["check", "plan", "apply", "drift"]


def jobs(case):
    return value_of("github", case)["jobs"]


def pipeline(case):
    """Return the jobs of GitLab by their last word."""
    drawn = value_of("gitlab", case)
    return {name.rpartition(" ")[2].lstrip("."): job for name, job in drawn.items()}


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [str(value)]


@pytest.mark.parametrize("case", CASES)
def test_a_workflow_grants_nothing_and_each_job_what_it_needs(case):
    drawn = value_of("github", case)
    assert drawn["permissions"] == {}
    assert {name: job["permissions"] for name, job in drawn["jobs"].items()} == {
        "fork": {"contents": "read"},
        "plan": {"contents": "read", "pull-requests": "write"},
        "apply": {"actions": "read", "contents": "read", "pull-requests": "write"},
        "drift": {"contents": "read"},
    }


@pytest.mark.parametrize("case", CASES)
def test_no_workflow_runs_with_the_rights_of_the_target_of_a_pull_request(case):
    drawn = value_of("github", case)
    assert list(drawn[True]) == ["pull_request", "push", "schedule", "workflow_dispatch"]


@pytest.mark.parametrize("case", CASES)
def test_the_job_of_a_fork_gets_no_secret_and_no_token(case):
    (fork, *others) = (jobs(case)[name] for name in JOBS)
    told = " ".join(strings(fork))
    assert "secrets." not in told
    assert "token" not in told.lower()
    assert "environment" not in fork
    foreign = "github.event.pull_request.head.repo.full_name != github.repository"
    assert foreign in fork["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in others[0]["if"]
    assert all("pull_request'" not in job["if"] for job in others[1:])


@pytest.mark.parametrize("case", CASES)
def test_secrets_reach_the_one_step_that_runs_taskspec_and_no_other(case):
    secret = {}
    for name, job in jobs(case).items():
        assert not [
            text for key in ("env", "container", "services") for text in strings(job.get(key, {})) if "secrets." in text
        ]
        secret[name] = [called for called, step in steps_of(job).items() if "secrets." in " ".join(strings(step))]
    assert secret == {"fork": [], "plan": ["Plan"], "apply": ["Apply"], "drift": ["Look for drift"]}
    assert "secrets." not in " ".join(strings(value_of("github", case)["env"]))


def test_a_plan_gets_no_key_of_an_agent():
    drawn = jobs(("rich", "written"))
    environs = {name: set(steps_of(drawn[job])[name]["env"]) for job, name in (("plan", "Plan"), ("apply", "Apply"))}
    assert set(RICH.secrets) < environs["Plan"]
    assert environs["Apply"] - environs["Plan"] == {"ANTHROPIC_API_KEY", "DIGEST", "HOW"}


@pytest.mark.parametrize("case", CASES)
def test_no_script_is_made_of_what_others_say(case):
    for text in (text_of("github", case), (ROOT / "action.yml").read_text()):
        drawn = yaml.safe_load(text)
        steps = [step for job in drawn.get("jobs", {}).values() for step in job["steps"]]
        for step in [*steps, *drawn.get("runs", {}).get("steps", ())]:
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("case", CASES)
def test_every_job_ends_by_itself_and_leaves_no_password_in_the_checkout(case):
    for name, job in jobs(case).items():
        assert 0 < job["timeout-minutes"] < 360, name
        checkout = steps_of(job)["actions/checkout"]["with"]
        assert checkout == {"fetch-depth": 0, "persist-credentials": False}


@pytest.mark.parametrize("case", CASES)
def test_an_apply_is_never_cut_nor_passed_over_and_a_plan_makes_way(case):
    found = {name: job["concurrency"] for name, job in jobs(case).items()}
    assert found["apply"]["cancel-in-progress"] is False
    assert found["apply"]["queue"] == "max"
    assert "pull_request.number" not in found["apply"]["group"]
    assert "github.ref" not in found["apply"]["group"]
    assert found["plan"]["cancel-in-progress"] is True
    assert "github.event.pull_request.number" in found["plan"]["group"]
    assert len({entry["group"] for entry in found.values()}) == 4
    assert all("${{ matrix.environment }}" in entry["group"] for entry in found.values())


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_on_the_default_branch_is_applied(case):
    apply = jobs(case)["apply"]
    assert "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)" in apply["if"]
    assert apply["environment"] == "taskspec-${{ matrix.environment }}"


@pytest.mark.parametrize("case", CASES)
def test_each_action_is_named_by_the_commit_of_a_version(case):
    used = re.findall(r"uses: (.+)", text_of("github", case) + (ROOT / "action.yml").read_text())
    assert set(used) == set(ACTIONS.values())
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_each_environment_of_the_project_has_its_own_job(ci):
    for case in CASES:
        surveyed, _ = DRAWN[case]
        if ci == "github":
            drawn = [job["strategy"]["matrix"]["environment"] for job in jobs(case).values()]
        else:
            drawn = [entry["ENVIRONMENT"] for entry in pipeline(case)[base(case)]["parallel"]["matrix"]]
            drawn = [drawn[0]]
        assert all(found == list(surveyed.environments) for found in drawn)


def base(case):
    return next(name for name, job in pipeline(case).items() if "before_script" in job)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
@pytest.mark.parametrize("case", CASES)
def test_taskspec_is_never_installed_by_its_bare_name(ci, case):
    text = text_of(ci, case)
    assert not re.search(r"pip install[^\n]*(?<![\w./])taskspec(\s|$)", text)
    written = DRAWN[case][1]
    assert (written in text) if written else ("@" + "a" * 40 not in text)
    if ci == "github":
        assert value_of(ci, case)["env"]["REQUIREMENT"] == (written or "${{ vars.TASKSPEC_REQUIREMENT }}")


@pytest.mark.parametrize("case", CASES)
def test_no_job_takes_a_state_that_the_next_one_does_not_find(case):
    assert value_of("github", case)["env"]["TASKSPEC_REQUIRE_SHARED_STATE"] == "1"
    assert pipeline(case)[base(case)]["variables"]["TASKSPEC_REQUIRE_SHARED_STATE"] == "1"


@pytest.mark.parametrize("case", CASES)
def test_an_apply_of_gitlab_waits_for_the_one_before_and_is_never_interrupted(case):
    drawn = pipeline(case)
    assert {name: drawn[name]["interruptible"] for name in GITLAB} == {
        "check": True,
        "plan": True,
        "apply": False,
        "drift": True,
    }
    assert drawn["apply"]["resource_group"].endswith("-$ENVIRONMENT")
    assert drawn["apply"]["environment"] == {"name": "taskspec-$ENVIRONMENT"}
    assert all("resource_group" not in drawn[name] for name in ("check", "plan", "drift"))


@pytest.mark.parametrize("case", CASES)
def test_a_merge_request_of_a_fork_is_only_checked_by_gitlab(case):
    drawn = pipeline(case)
    of = {name: [rule["if"] for rule in drawn[name]["rules"]] for name in GITLAB}
    assert ["CI_MERGE_REQUEST_SOURCE_PROJECT_ID !=" in text for text in of["check"]] == [True]
    assert ["CI_MERGE_REQUEST_SOURCE_PROJECT_ID ==" in text for text in of["plan"]] == [True]
    assert all("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH &&" in text for text in of["apply"] + of["drift"])
    assert "--offline" in " ".join(drawn["check"]["script"])
    assert not [text for name in GITLAB for text in of[name] if "when" in text]


def test_a_project_below_the_repository_has_a_pipeline_of_its_own_name():
    assert value_of("github", ("rich", "written"))["name"] == "taskspec-sales-reports"
    assert value_of("github", ("rich", "written"))["defaults"]["run"]["working-directory"] == "teams/sales.d"
    assert value_of("github", ("rich", "written"))[True]["push"] == {"branches": ["release/2.x"]}
    drawn = value_of("gitlab", ("rich", "written"))
    assert "taskspec-sales-reports apply" in drawn
    assert drawn["taskspec-sales-reports plan"]["artifacts"]["paths"] == ["teams/sales.d/.taskspec/ci/"]
    assert drawn[".taskspec-sales-reports"]["before_script"][1] == "cd teams/sales.d"
