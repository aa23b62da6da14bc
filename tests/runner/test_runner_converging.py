"""The short way of plan: only what was converged is recalled, and only while nothing that it rested on has changed."""

import sqlite3
from dataclasses import replace

import pytest

from taskspec.errors import StateError
from taskspec.plan.model import Action
from taskspec.runner import answering, planning
from taskspec.runner.converging import plan_or_recall
from taskspec.runner.model import Refresh
from taskspec.runner.preparing import say_nothing


@pytest.fixture
def converged(ports):
    for name in ("a", "b"):
        ports.task(name, prompt=f"Write {name}.")
    ports.apply()
    assert not is_recalled(ports), "the first plan has nothing to recall"
    return ports


def planned(ports, refresh=Refresh.ACTIVE):
    return plan_or_recall(replace(ports.invocation(), refresh=refresh), ports, say_nothing)


def is_recalled(ports, refresh=Refresh.ACTIVE):
    return planned(ports, refresh).unlisted > 0


def test_a_converged_project_is_not_resolved_again(converged, monkeypatch):
    monkeypatch.setattr(planning, "prepare", None)
    recalled = planned(converged)
    assert (recalled.changes, recalled.unlisted, recalled.project) == ((), 2, "sales")


def test_a_changed_task_is_planned(converged):
    converged.task("a", prompt="Write more.")
    assert [change.action for change in planned(converged).changes] == [Action.CREATE, Action.NONE]


def test_a_new_file_and_a_removed_one_are_planned(converged):
    converged.task("c", prompt="Write c.")
    assert len(planned(converged).changes) == 3
    (converged.folder / "c.yaml").unlink()
    assert is_recalled(converged)
    (converged.folder / "b.yaml").unlink()
    assert [change.action for change in planned(converged).changes] == [Action.NONE, Action.FORGET]


def test_what_another_command_recorded_is_planned_once(converged):
    converged.task("a", prompt="Write more.")
    converged.apply()
    assert not is_recalled(converged)
    assert is_recalled(converged)


def test_a_state_that_is_gone_or_damaged_is_never_recalled(converged):
    state = converged.folder / ".taskspec" / "default" / "state.db"
    kept = state.read_bytes()
    with sqlite3.connect(state) as connection:
        connection.execute("UPDATE records SET record = '{}' WHERE address = 'b'")
    connection.close()
    with pytest.raises(StateError, match="b is not readable"):
        planned(converged)
    state.write_bytes(kept)
    assert is_recalled(converged)
    state.unlink()
    assert {change.action for change in planned(converged).changes} == {Action.CREATE}


def test_a_full_refresh_looks_at_every_run(converged):
    converged.needs.clear()
    assert not is_recalled(converged, Refresh.FULL)
    assert converged.needs


@pytest.mark.parametrize("script", [["failed"], ["executing"] * 1000])
def test_what_is_unhealthy_or_active_is_never_recalled(ports, script):
    ports.remote.scripts = {"Write.": [script]}
    ports.task()
    ports.apply(wait=False)
    assert not is_recalled(ports)
    assert not is_recalled(ports)


def test_what_changes_with_time_alone_is_never_recalled(ports, monkeypatch):
    really = answering._decide

    def decide(question, observed, circumstances):
        made = really(question, observed, circumstances)
        is_late = circumstances.now > ports.remote.clock.time + 1_000
        changed = tuple(replace(change, action=Action.CREATE) for change in made.changes) if is_late else made.changes
        return replace(made, changes=changed)

    monkeypatch.setattr(answering, "_decide", decide)
    ports.task()
    ports.apply()
    assert not is_recalled(ports)
    assert not is_recalled(ports)


def test_another_value_of_a_variable_is_planned(converged):
    converged.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\n"
        "spec: {remote: {type: xpander}, variables: {tone: {type: string, default: dry}}}\n",
        "taskspec.yaml",
    )
    converged.task("a", prompt="'Write in a {{ vars.tone }} tone.'")
    converged.apply()
    assert not is_recalled(converged)
    assert is_recalled(converged)
    invocation = replace(converged.invocation(), variables={"tone": "warm"})
    assert plan_or_recall(invocation, converged, say_nothing).paid_runs == 1
