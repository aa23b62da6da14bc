"""Budget, policies and risks: each refuses a plan, names what it is about, and is gone beyond only by a person."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

TOLD = '{"type": "usage", "data": {"prompt_tokens": 60, "completion_tokens": 50}}'
USAGE = f"""echo '{TOLD}' >> "$TASKSPEC_EVENTS"; cat"""


@pytest.fixture
def guarded(workspace):
    workspace.shell("model", USAGE)
    workspace.shell("broken", "echo run >> tries; exit 1")
    return workspace


def hello(agent="echo", prompt="hi", **more):
    return {"agent": agent, "prompt": prompt, **more}


def test_a_plan_beyond_the_budget_is_refused_with_what_is_used_and_planned(guarded):
    guarded.project(budget={"maxRuns": 3})
    guarded.tasks(a=hello(), b=hello())
    assert guarded.apply().code == 0
    guarded.tasks(a=hello(prompt="ho"), b=hello(prompt="ho"))
    planned = guarded.taskspec("plan")
    assert planned.code == 6
    assert "Budget: 2 of 3 runs used, 2 planned." in planned.out
    assert "`maxRuns` allows 3 runs (taskspec.yaml:29:5); 2 used, 2 planned: a, b." in planned.out
    refused = guarded.apply()
    assert (refused.code, "--override maxRuns" in refused.err) == (6, True)
    assert guarded.apply("a").code == 0
    assert guarded.apply("b").code == 6
    assert guarded.apply("b", "--override", "maxRuns").code == 0


def test_when_all_tokens_are_used_nothing_starts(guarded):
    guarded.project(budget={"maxTokens": 100, "per": "30d"})
    guarded.tasks(a=hello("model"))
    assert guarded.apply().code == 0
    guarded.tasks(a=hello("model"), b=hello())
    planned = guarded.taskspec("plan", "--json").json
    assert [(one["limit"], one["kind"], one["found"]) for one in planned["refusals"]] == [("maxTokens", "budget", 110)]
    assert planned["budget"] == {
        "maxRuns": None,
        "maxTokens": 100,
        "perSeconds": 2_592_000,
        "usedRuns": 1,
        "usedTokens": 110,
        "runsOfUnknownTokens": 0,
        "plannedRuns": 1,
        "estimatedTokens": 0,
        "runsWithoutEstimate": 1,
    }
    assert guarded.apply().code == 6
    assert guarded.apply("--override", "maxTokens").code == 0


def test_a_further_attempt_that_the_budget_does_not_allow_is_refused(guarded):
    retry = {"maxAttempts": 5, "statuses": ["failed"], "backoff": "1ms"}
    guarded.project(budget={"maxRuns": 3})
    guarded.tasks(a=hello("broken", retry=retry), b=hello(dependsOn=["a"]))
    done = guarded.apply("--json")
    assert done.code == 6
    assert len(guarded.lines("tries")) == 2  # the third place is kept for what depends on it
    ends = {event["address"]: event for event in done.events if event["event"] == "ChangeFinished"}
    assert ends["a"]["effect"] == "refused"
    assert "no further attempt: the budget's `maxRuns` (3) is used up" in ends["a"]["detail"]
    assert ends["b"]["effect"] == "left"


def test_a_run_that_was_planned_is_not_started_when_the_others_have_used_all_tokens(guarded):
    guarded.project(budget={"maxTokens": 100})
    guarded.tasks(a=hello("model"), b=hello(dependsOn=["a"]))
    done = guarded.apply("--json")
    ends = {event["address"]: event for event in done.events if event["event"] == "ChangeFinished"}
    assert (done.code, ends["a"]["effect"], ends["b"]["effect"]) == (6, "done", "refused")
    assert ends["b"]["detail"] == "not started: the budget's `maxTokens` (100) is used up: 110 tokens were used"


def test_what_a_run_is_likely_to_use_counts_before_it_starts(guarded):
    guarded.project(budget={"maxTokens": 219})
    guarded.tasks(a=hello("model"))
    assert guarded.apply().code == 0
    guarded.tasks(a=hello("model", prompt="ho"))
    refused = guarded.taskspec("plan")
    assert refused.code == 6
    assert "`maxTokens` allows 219 tokens (taskspec.yaml:29:5); 110 used, 110 expected: a." in refused.out
    guarded.project(budget={"maxTokens": 220})
    assert guarded.apply().code == 0


POLICIES = [
    {"name": "no-model", "deny": "change.agent == 'model' and change.paid", "message": "the model is for prod"},
    {"name": "few", "deny": "plan.paidRuns > 2"},
]


def test_a_policy_refuses_with_its_name_its_message_and_the_items(guarded):
    guarded.project(policies=POLICIES)
    guarded.tasks(a=hello("model"), b=hello(), c=hello())
    planned = guarded.taskspec("plan")
    assert planned.code == 6
    assert "the policy `no-model` denies it (taskspec.yaml:30:5): the model is for prod: a." in planned.out
    assert "the policy `few` denies it" in planned.out
    assert guarded.apply().code == 6
    assert guarded.apply("--override", "few").code == 6
    assert guarded.apply("--override", "few", "--override", "no-model").code == 0
    assert guarded.taskspec("plan").code == 0


def test_a_policy_that_fails_for_a_task_refuses(guarded):
    guarded.project(policies=[{"name": "team", "deny": "change.labels.team == 'growth'"}])
    guarded.tasks(a=hello())
    assert guarded.taskspec("validate").code == 0
    planned = guarded.taskspec("plan", "--json")
    (refusal,) = planned.json["refusals"]
    assert (planned.code, refusal["addresses"]) == (6, ["a"])
    assert refusal["message"].startswith("it cannot be decided: There is no field `team`")


def test_a_policy_is_asked_also_where_nothing_is_to_be_done(guarded):
    guarded.project()
    guarded.tasks(a=hello())
    assert guarded.apply().code == 0
    guarded.project(policies=[{"name": "none", "deny": "change.action == 'none'"}])
    assert [guarded.taskspec("plan").code for _ in range(2)] == [6, 6]


def test_an_environment_lays_its_budget_and_its_policies_over_those_of_the_project(guarded):
    own = {"budget": {"maxRuns": 0}, "policies": [{"name": "few", "deny": "plan.paidRuns > 0"}]}
    guarded.project(budget={"maxRuns": 5, "maxTokens": 5}, policies=POLICIES, environments={"prod": own})
    guarded.tasks(a=hello("model"))

    def refusals(*words):
        return [one["limit"] for one in guarded.taskspec("plan", "--json", *words).json["refusals"]]

    assert refusals() == ["no-model"]
    assert refusals("--env", "prod") == ["maxRuns", "no-model", "few"]


def test_risks_are_shown_counted_and_refused_where_somebody_asks_for_it(guarded):
    guarded.project(variables={"token": {"sensitive": True, "default": "sesame-canary"}})
    guarded.tasks(a=hello(prompt="Use {{ vars.token }}", sideEffects=True), b=hello())
    planned = guarded.taskspec("plan")
    assert planned.code == 0
    assert "risk secret_exposed: the sensitive `vars.token` stands in `prompt`" in planned.out
    assert "Risks: 1 secret_exposed, 1 side_effects." in planned.out
    shown = guarded.taskspec("plan", "--json")
    assert shown.json["summary"]["risks"] == {"new_paid_run": 2, "secret_exposed": 1, "side_effects": 1}
    assert "sesame" not in planned.out + planned.err + shown.out + shown.err
    refused = guarded.taskspec("plan", "--fail-on-risk", "secret_exposed", "--fail-on-risk", "model_changed")
    assert refused.code == 6
    assert "a change has the risk `secret_exposed`, which `--fail-on-risk` refuses: a." in refused.out
    assert guarded.apply("--fail-on-risk", "any").code == 6
    assert guarded.apply("--fail-on-risk", "model_changed").code == 0
    assert guarded.taskspec("plan", "--fail-on-risk", "any").code == 0


def test_weaker_assertions_are_a_risk_although_nothing_is_to_be_done(guarded):
    guarded.project()
    guarded.tasks(a=hello(assertions=[{"minLength": 1}, {"regex": "h"}]))
    assert guarded.apply().code == 0
    guarded.tasks(a=hello(assertions=[{"minLength": 1}]))
    planned = guarded.taskspec("plan")
    assert (planned.code, "Risks: 1 acceptance_weakened." in planned.out) == (0, True)
    assert "risk acceptance_weakened: assertion 2 of 2 was changed or removed" in planned.out
    for command in ("plan", "apply"):
        assert guarded.taskspec(command, "--fail-on-risk", "acceptance_weakened").code == 6
    assert guarded.apply().code == 0
    assert "Risks" not in guarded.taskspec("plan").out


def test_a_saved_plan_is_refused_for_the_risks_that_it_was_made_with(guarded):
    guarded.project(env={"allow": ["CRM_TOKEN"]})
    guarded.tasks(a=hello(prompt="Use {{ env.CRM_TOKEN }}"))
    guarded.environ["CRM_TOKEN"] = "by-its-name-a-secret"
    assert guarded.taskspec("plan", "--out", "saved.json").code == 0
    assert guarded.apply("saved.json", "--target", "a").code == 64
    refused = guarded.apply("saved.json", "--fail-on-risk", "secret_exposed")
    assert (refused.code, "`secret_exposed`, which `--fail-on-risk` refuses: a." in refused.err) == (6, True)
    assert guarded.apply("saved.json", "--fail-on-risk", "model_changed").code == 0


def test_a_target_takes_its_upstream_along_and_the_plan_says_what_it_leaves_out(guarded):
    guarded.project()
    guarded.tasks(a=hello(), b=hello(dependsOn=["a"]), c=hello(dependsOn=["b"]), d=hello())
    alone = guarded.taskspec("plan", "b")
    assert "a is not accepted, and b needs it: `--target` takes it along" in alone.out
    partial = guarded.taskspec("plan", "--json", "--target", "b").json
    assert [change["address"] for change in partial["changes"]] == ["a", "b"]
    assert partial["leftOut"] == [{"address": "c", "why": "dependent", "of": ["b"]}]
    applied = guarded.apply("--target", "b")
    assert (applied.code, "c depends on b, and is left as it is" in applied.out) == (0, True)
    assert guarded.planned() == {"a": "none", "b": "none", "c": "create", "d": "create"}


def test_a_partial_plan_neither_forgets_nor_stops_what_was_not_selected(guarded):
    guarded.project()
    guarded.tasks(a=hello(), gone=hello())
    assert guarded.apply().code == 0
    guarded.tasks(a=hello(prompt="ho"))
    partial = guarded.apply("--target", "a")
    assert "gone is recorded and no longer declared, and is left as it is" in partial.out
    assert set(guarded.records()) == {"a", "gone"}
    assert guarded.planned() == {"a": "none", "gone": "forget"}


def test_the_same_plan_is_the_same_json_and_fits_the_published_schema(guarded):
    guarded.project(budget={"maxRuns": 1, "maxTokens": 5, "per": "1d"}, policies=POLICIES, limits={"maxCreate": 0})
    guarded.tasks(a=hello("model"), b=hello(files=["https://example.com/x"]), c=hello(), d=hello(dependsOn=["a"]))
    words = ("plan", "--json", "a", "b", "c", "--fail-on-risk", "any")
    first, second = (guarded.taskspec(*words).json for _ in range(2))
    assert {one["kind"] for one in first["refusals"]} == {"limit", "budget", "policy", "risk"}
    assert first["leftOut"] != []
    schema = json.loads((Path(__file__).parents[2] / "schemas/plan.v1.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(first)
    assert json.dumps(first) == json.dumps(second)
