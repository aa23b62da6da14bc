"""apply with changed assertions: the state alone decides, nobody is connected, and a cut leaves nothing wrong."""

import json
import sqlite3

from taskspec.events import ChangeFinished, ResultNotWritten, ResultWithdrawn, ResultWritten
from taskspec.plan.model import Action
from taskspec.state.model import Verdict
from taskspec.state.sqlite import SqliteState


def accepted_once(ports):
    ports.task()
    ports.apply()
    ports.needs.clear()
    return ports.records()["a"]


def test_no_remote_is_connected_and_the_verdict_is_told_once(ports):
    before = accepted_once(ports)
    ports.task(assertions="[{regex: nosuch}]")
    plan = ports.apply()
    assert [change.action for change in plan.changes] == [Action.REJUDGE]
    assert ports.needs == []
    (finished,) = ports.told(ChangeFinished)
    assert (finished.verdict, finished.health) == ("rejected", "unhealthy")
    assert "`nosuch` does not match" in finished.detail
    after = ports.records()["a"]
    assert after.accepted is None
    assert after.generation.last.verdict is Verdict.REJECTED
    assert after.generation.last.rejudged
    assert after.generation.last.run == before.generation.last.run


def test_the_history_tells_it_and_keeps_the_result(ports):
    before = accepted_once(ports)
    ports.task(assertions="[{regex: nosuch}]")
    ports.apply()
    store = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=True)
    entry = next(iter(store.history("a"))).note
    assert entry.what == "rejudged"
    assert entry.data["verdict"] == "rejected"
    assert entry.data["result"] == before.accepted.result.digest
    assert store.result(before.accepted.result)
    store.close()


def test_an_acceptance_that_comes_back_is_written_again(ports):
    accepted_once(ports)
    ports.task(assertions="[{regex: nosuch}]")
    ports.apply()
    (gone,) = ports.told(ResultWithdrawn)
    ports.task(assertions="[{minLength: 1}]")
    ports.apply()
    (back,) = ports.told(ResultWritten)
    assert gone.path == back.path == "results/a.txt"
    assert ports.needs == []
    provenance = json.loads((ports.folder / "results" / "a.provenance.json").read_text())
    assert provenance["verdict"] == "accepted"
    assert not ports.records()["a"].generation.last.rejudged


def test_a_plan_that_is_not_approved_changes_nothing(ports):
    before = accepted_once(ports)
    ports.task(assertions="[{regex: nosuch}]")
    assert ports.apply(approve=lambda plan: False) is None
    assert ports.records()["a"] == before
    assert (ports.folder / "results" / "a.txt").exists()


def test_a_file_that_a_cut_left_behind_is_removed_by_the_next_apply(ports):
    accepted_once(ports)
    results = ports.folder / "results"
    kept = {path.name: path.read_bytes() for path in results.iterdir()}
    ports.task(assertions="[{regex: nosuch}]")
    ports.apply()
    for name, content in kept.items():
        (results / name).write_bytes(content)
    ports.apply()
    assert list(results.iterdir()) == []
    assert ports.told(ResultWithdrawn)
    ports.apply()
    assert not ports.told(ResultWithdrawn)


def test_a_file_that_cannot_be_removed_is_told(ports):
    accepted_once(ports)
    results = ports.folder / "results"
    (results / "a.txt").unlink()
    (results / "a.txt").mkdir()
    ports.task(assertions="[{regex: nosuch}]")
    ports.apply()
    (told,) = ports.told(ResultNotWritten)
    assert "is no longer accepted, and cannot be removed" in told.detail


def test_a_result_that_the_state_has_lost_is_held_and_stays_accepted(ports):
    before = accepted_once(ports)
    connection = sqlite3.connect(ports.folder / ".taskspec" / "default" / "state.db")
    with connection:
        connection.execute("DELETE FROM results")
    connection.close()
    ports.task(assertions="[{minLength: 1}]")
    plan = ports.apply()
    assert [(change.action, change.in_error) for change in plan.changes] == [(Action.HOLD, True)]
    assert ports.records()["a"] == before


def test_other_tasks_run_in_the_same_apply(ports):
    accepted_once(ports)
    ports.task(assertions="[{regex: nosuch}]")
    ports.task("b")
    ports.apply()
    assert {address: event.verdict for address, event in ports.finished().items()} == {
        "a": "rejected",
        "b": "accepted",
    }


def test_a_policy_and_assertions_that_changed_together_are_both_recorded(ports):
    accepted_once(ports)
    ports.task(assertions="[{minLength: 1}]", onRemove="hold")
    plan = ports.apply()
    assert [change.action for change in plan.changes] == [Action.NONE]
    record = ports.records()["a"]
    assert record.on_remove == "hold"
    assert record.accepted.attempt.assertions
    assert record.accepted.attempt == record.generation.last
    assert [reason.code for reason in plan.changes[0].reasons] == ["accepted", "policy_changed", "assertions_changed"]
    assert [reason.code for reason in ports.apply().changes[0].reasons] == ["accepted"]
