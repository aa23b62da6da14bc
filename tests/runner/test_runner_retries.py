"""The further attempts that a plan foretells are the most that an apply makes."""

import pytest
from runner_ports import ScriptedPorts

from taskspec.events import RunCreated

RETRY = "{maxAttempts: 3, statuses: [failed], backoff: 0s}"


@pytest.fixture
def at(tmp_path):
    ports = ScriptedPorts(tmp_path / "project")
    ports.folder.mkdir()
    ports.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec: {remote: {type: xpander}}\n",
        "taskspec.yaml",
    )
    ports.remote.scripts["Write."] = [["failed"]] * 9
    ports.remote.scripts["Then."] = [["failed"]] * 9
    return ports


def foretold(at, **options):
    """Apply, and return the price that the plan told and the number of runs that were started."""
    plan = at.apply(**options)
    return (plan.paid_runs, plan.retries), len(at.told(RunCreated))


def test_a_new_run_and_its_further_attempts(at):
    at.task(retry=RETRY)
    assert foretold(at) == ((1, 2), 3)
    assert foretold(at) == ((0, 0), 0)


def test_no_further_attempt_without_a_policy(at):
    at.task()
    assert foretold(at) == ((1, 0), 1)


def test_a_run_that_is_waited_for(at):
    at.remote.scripts["Write."] = [["executing", "executing", "executing", "failed"], ["failed"], ["failed"]]
    at.task(retry=RETRY)
    at.apply(wait=False)
    assert foretold(at) == ((0, 2), 2)


def test_an_attempt_that_is_left(at):
    at.task()
    at.apply()
    at.task(retry="{maxAttempts: 2, statuses: [failed], backoff: 0s}")
    assert foretold(at) == ((1, 0), 1)


def test_a_further_attempt_of_what_depends_on_others(at):
    at.task("b", "Other.")
    at.task("c", "Then.", dependsOn="[b]", retry=RETRY)
    assert foretold(at) == ((2, 2), 4)


def test_side_effects_that_are_protected_are_not_repeated(at):
    at.task(retry=RETRY, sideEffects="true", protect="true")
    assert foretold(at) == ((1, 0), 1)
