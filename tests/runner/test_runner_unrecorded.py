"""Runs that no record knows, and records whose runs are gone: a full refresh finds the one, and doubts the other."""

import asyncio
from dataclasses import replace

import pytest
from runner_ports import HOLDER

from taskspec.apply.model import Options
from taskspec.errors import LimitError
from taskspec.events import DuplicatesFound, RunStopped
from taskspec.plan.model import Action
from taskspec.report.counting import Tally
from taskspec.runner.applying import Job, apply
from taskspec.runner.model import Refresh
from taskspec.runner.planning import plan
from taskspec.state.model import DropRecord
from taskspec.state.sqlite import SqliteState


def planned(ports, refresh=Refresh.FULL, **more):
    return plan(replace(ports.invocation(), refresh=refresh, **more), ports)


def drop(ports, *addresses):
    """Let the state lose records, and nothing else."""
    store = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    try:
        lease = store.acquire(HOLDER)
        store.commit(lease, store.read().serial, [DropRecord(address=address) for address in addresses])
    finally:
        store.close()


def test_a_full_refresh_holds_what_has_a_run_that_is_not_recorded(ports):
    ports.task()
    ports.apply()
    drop(ports, "a")
    (change,) = planned(ports).changes
    assert (change.action, change.health, change.run) == (Action.HOLD, "unknown", "run-1")
    assert "taskspec adopt a run-1" in change.reasons[0].text
    assert planned(ports, Refresh.ACTIVE).changes[0].action is Action.CREATE


def test_a_full_apply_starts_nothing_beside_it_and_ends_as_unknown(ports):
    ports.task()
    ports.task("b", "Other.")
    ports.apply()
    drop(ports, "a")
    ports.task("b", "Another.")
    assert full_apply(ports) == 9
    assert ports.finished()["a"].health == "unknown"
    assert ports.finished()["b"].verdict == "accepted"
    assert len(ports.remote.started("Write.")) == 1


def test_runs_of_older_generations_are_in_the_history_and_hold_nothing(ports):
    ports.task()
    ports.apply()
    ports.task("a", "Two.")
    ports.apply()
    ports.task("a", "Three.")
    (change,) = planned(ports).changes
    assert change.action is Action.CREATE


def test_a_restored_state_does_not_know_what_was_made_since_and_a_full_refresh_tells(ports):
    ports.restore_an_older_state()
    (change,) = planned(ports).changes
    assert (change.action, change.run) == (Action.HOLD, "run-2")
    assert [reason.code for reason in change.reasons] == ["unrecorded_runs", "spec_changed"]


def test_a_full_refresh_lists_each_agent_once_and_reads_no_run_that_a_list_shows(ports, monkeypatch):
    ports.task()
    ports.task("b", "Other.")
    ports.remote.sends = ["answer", "drop"]
    ports.apply(hold_unknown=True)
    ports.remote.asked.clear()
    planned(ports)
    assert ports.remote.asked == {"GET": 1}


def test_where_the_list_fails_a_full_refresh_creates_nothing(ports):
    ports.task()
    ports.apply()
    ports.task("b", "Other.")
    ports.remote.lists = False
    changes = {change.address: change for change in planned(ports).changes}
    assert (changes["b"].action, changes["b"].in_error) == (Action.HOLD, True)


def test_a_full_refresh_tells_of_one_create_that_is_there_twice(ports):
    ports.task()
    ports.apply()
    (first,) = ports.remote.runs.values()
    ports.remote.runs["run-9"] = replace(first, id="run-9", steps=["executing"], applies_at=first.applies_at + 5)
    found = planned(ports)
    assert [(one.address, [run.id for run in one.runs]) for one in found.duplicates] == [("a", ["run-1", "run-9"])]
    assert found.changes[0].action is Action.NONE


@pytest.fixture
def many(ports):
    """Five runs that are active."""
    ports.begin(5)
    return ports


def test_many_runs_gone_at_once_are_a_wrong_remote_and_the_plan_is_refused(many):
    for n in range(3):
        del many.remote.runs[f"run-{n + 1}"]
    (refusal,) = planned(many, Refresh.ACTIVE).refusals
    assert (refusal.limit, refusal.found, refusal.position) == ("missing", 3, None)
    assert len(refusal.addresses) == 3
    with pytest.raises(LimitError, match="missing"):
        many.apply()
    assert all(record.generation.last.verdict is None for record in many.records().values())


def test_a_person_may_say_that_they_are_gone(many):
    many.remote.runs.clear()
    assert planned(many, Refresh.ACTIVE, overridden=frozenset({"missing"})).refusals == ()


def test_it_is_told_before_the_limits(many):
    many.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\n"
        "spec: {remote: xpander, limits: {maxCreate: 0}}\n",
        "taskspec.yaml",
    )
    many.task("new", "More.")
    many.remote.runs.clear()
    assert [refusal.limit for refusal in planned(many, Refresh.ACTIVE).refusals] == ["missing", "maxCreate"]


def test_a_few_lost_runs_are_lost(many):
    del many.remote.runs["run-1"], many.remote.runs["run-2"]
    found = planned(many, Refresh.ACTIVE)
    assert found.refusals == ()
    assert sum(change.verdict == "lost" for change in found.changes) == 2


def full_apply(ports, **options):
    ports.events = []
    job = Job(options=Options(**options), approve=lambda plan: True, emit=ports.events.append)
    asyncio.run(apply(replace(ports.invocation(), refresh=Refresh.FULL), ports, job))
    tally = Tally()
    for event in ports.events:
        tally.on(event)
    return tally.exit_code


def test_a_full_apply_tells_of_duplicates_each_time_and_stops_them_where_that_is_asked_for(ports):
    ports.task()
    ports.remote.sends = ["twice"]
    ports.remote.scripts["Write."] = [["executing"], ["completed"]]
    ports.apply()
    assert (full_apply(ports), full_apply(ports)) == (9, 9)
    assert ports.told(DuplicatesFound)[0].others == ("run-1",)
    assert ports.remote.asked["DELETE"] == 0
    full_apply(ports, stop_duplicates=True)
    assert [event.run for event in ports.told(RunStopped)] == ["run-1"]
    assert ports.remote.asked["DELETE"] == 1
    full_apply(ports, stop_duplicates=True)
    assert ports.remote.asked["DELETE"] == 1


def test_a_full_apply_is_not_green_where_the_duplicates_are_of_a_task_that_is_gone(ports):
    ports.task()
    ports.task("gone", "Go.")
    ports.remote.sends = ["twice", "twice"]
    ports.apply()
    (ports.folder / "gone.yaml").unlink()
    ports.apply()
    assert full_apply(ports) == 9
    assert {found.address for found in ports.told(DuplicatesFound)} == {"a", None}
