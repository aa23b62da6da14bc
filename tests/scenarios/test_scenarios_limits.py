"""Limits: a plan that goes beyond one is shown, refused as a whole, and carried out only when a person says so."""

import json

import pytest

TASKS = "".join(
    f"---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: t{n}}}\nspec: {{agent: echo, prompt: p{n}}}\n"
    for n in range(3)
)


@pytest.fixture
def limited(workspace):
    workspace.write(
        "taskspec.yaml",
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: small}\nspec:\n"
        "  agents: {echo: {command: [cat]}}\n"
        "  environments:\n    prod: {limits: {maxCreate: 2}}\n",
    )
    workspace.write("tasks.yaml", TASKS.removeprefix("---\n"))
    return workspace


def test_a_plan_beyond_a_limit_is_refused_and_starts_nothing(limited):
    planned = limited.taskspec("plan", "--env", "prod")
    assert planned.code == 6
    assert "`maxCreate` allows 2 runs (taskspec.yaml:7:21): t0, t1, t2." in planned.out
    for words in ([], ["--json"]):
        applied = limited.taskspec("apply", "--yes", "--env", "prod", *words)
        assert (applied.code, "--override maxCreate" in applied.err) == (6, True), applied
    assert not list((limited.folder / "results").glob("**/*.txt"))


def test_the_refusal_is_in_the_json_of_the_plan(limited):
    (refusal,) = json.loads(limited.taskspec("plan", "--json", "--env", "prod").out)["refusals"]
    assert (refusal["limit"], refusal["allowed"], refusal["found"]) == ("maxCreate", 2, 3)


def test_what_is_shown_of_a_saved_plan_says_that_it_was_refused(limited):
    assert limited.taskspec("plan", "--env", "prod", "--out", "plan.json").code == 6
    assert limited.taskspec("show", "plan.json").code == 6
    assert limited.taskspec("apply", "plan.json", "--yes", "--override", "maxCreate").code == 6


def test_a_person_goes_beyond_it_once(limited):
    assert limited.taskspec("apply", "--yes", "--env", "prod", "--override", "maxCreate").code == 0


def test_fewer_tasks_and_other_environments_are_not_refused(limited):
    assert limited.taskspec("apply", "--yes", "--env", "prod", "t0", "t1").code == 0
    assert limited.taskspec("apply", "--yes").code == 0
