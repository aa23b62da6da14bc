"""state mv: a record goes on under another address by hand, whatever its run is doing, and nothing is paid twice."""

import asyncio

import pytest
from kept_state import reading

from taskspec.errors import UsageError
from taskspec.events import AddressMoved, RunAdopted
from taskspec.runner.relocating import relocate
from taskspec.state.chaining import follow
from taskspec.state.model import Sending


def move(ports, before, now, *, answer=True):
    """Move by hand; return what was shown."""
    ports.events, shown = [], []

    def approve(relocations):
        shown.extend(relocations)
        return answer

    story = relocate(ports.invocation(), ports, (before, now), approve, ports.events.append)
    assert asyncio.run(story) is answer
    return shown


def redeclared(ports, before, now, prompt="Write."):
    (ports.folder / f"{before}.yaml").unlink()
    ports.task(now, prompt)


@pytest.mark.parametrize(("keys", "send"), [(False, "drop"), (True, "drop"), (True, "lose")])
def test_an_outcome_that_is_unknown_is_settled_under_the_new_address_and_paid_once(ports, keys, send):
    ports.remote.honours_keys = keys
    ports.task()
    ports.remote.sends = [send]
    ports.apply(hold_unknown=True)
    (record,) = ports.records().values()
    assert record.generation.last.sending is Sending.INTENDED
    (shown,) = move(ports, "a", "b")
    assert shown.is_unsettled
    assert ports.records()["b"].generation == record.generation
    redeclared(ports, "a", "b")
    ports.apply()
    assert ports.finished()["b"].verdict == "accepted"
    assert len(ports.remote.runs) == 1
    assert [event.address for event in ports.told(RunAdopted)] == ["b"]


def test_the_run_of_an_intent_that_was_moved_away_keeps_its_old_address_from_another_run(ports):
    ports.remote.honours_keys = False
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    move(ports, "a", "b")
    ports.task("a", "Another text.")
    ports.apply()
    started = [run.body["input"]["text"] for run in ports.remote.runs.values()]
    assert started.count("Write.") == 1
    assert started.count("Another text.") <= 1


def test_what_is_not_approved_is_not_moved(ports):
    ports.task()
    ports.apply()
    before = ports.records()
    move(ports, "a", "b", answer=False)
    assert ports.records() == before
    assert ports.told(AddressMoved) == []


def test_a_move_is_in_the_history_of_both_and_the_chain_goes_on(ports):
    ports.task()
    ports.apply()
    move(ports, "a", "b")
    with reading(ports.folder) as store:
        newest = [next(store.history(address)).note for address in ("a", "b")]
        assert follow(store.history(), store.read().lineage).head == store.head()
    assert [(note.what, note.data.get("by")) for note in newest] == [("moved", "hand")] * 2


def test_what_was_never_recorded_cannot_be_moved(ports):
    with pytest.raises(UsageError, match="has never been applied"):
        move(ports, "nothing", "b")


def test_a_record_that_was_moved_back_is_what_it_was(ports):
    ports.task()
    ports.apply()
    before = ports.records()
    move(ports, "a", "b")
    move(ports, "b", "a")
    assert ports.records() == before
    assert ports.apply().paid_runs == 0
