"""Writes over lines that fail at random: whatever a store says of a write is true, and nothing that it took is lost.

STATE_WRITES=2000 .venv/bin/python -m pytest -q tests/state/test_state_faults.py     for longer
"""

import os
import random
import uuid
from dataclasses import dataclass, field

import pytest
from cutting_proxy import CuttingProxy
from lines import impatient, through
from state_servers import KINDS, open_at, server
from state_values import ALICE, EXTRACT, note, put, put_result, record, ref

from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError, UnknownCommitError
from taskspec.state.chaining import follow

WRITES = int(os.environ.get("STATE_WRITES", "25"))
RATE = 0.2
"""How many of the pieces that go over a line do not simply pass."""
PATIENCE = 0.5
"""Seconds after which a store gives up, so that some writes end without an answer."""


@pytest.fixture(params=sorted(KINDS.keys() - {"sqlite"}))
def kind(request):
    return request.param


@dataclass
class Oracle:
    """What was said of each write, held against what others read at once, over a line that does not fail."""

    others: object
    kept: list = field(default_factory=list)
    """The writes that are in the state, by their number."""
    open: int | None = None
    """The write before, where nobody could tell what became of it and it was not there: it may still happen."""
    told: dict = field(default_factory=dict)
    """How many writes ended in which way."""

    @property
    def serial(self):
        return len(self.kept)

    def hear(self, number, outcome):
        """Take down what was said of a write; raise AssertionError where that is not true."""
        self.told[outcome] = self.told.get(outcome, 0) + 1
        there = self.others.read()
        is_late = self.open is not None and there.records.get(EXTRACT) == record(number=self.open)
        if is_late:
            self.kept.append(self.open)
            self.open = None
        is_there = there.records.get(EXTRACT) == record(number=number)
        assert there.serial == self.serial + is_there, f"after `{outcome}`"
        match outcome:
            case "done":
                assert is_there, "a write that was acknowledged is lost"
            case "refused":
                assert not is_there, "a write that was refused is there"
            case "stale":
                assert is_late, "a write was refused for another, which is not there"
        if is_there:
            self.kept.append(number)
        if is_there or outcome == "unknown":
            self.open = None if is_there else number

    def check(self):
        """Hold the whole state against all that was said of it."""
        told = list(self.others.history())
        assert [entry.note.at for entry in reversed(told)] == self.kept
        assert follow(told, self.others.read().lineage).head == self.others.head()
        for number in self.kept:
            assert self.others.result(ref(f"result {number}")) == f"result {number}"


def write(store, lease, serial, number):
    """Write, and return what is said of it."""
    changes = [put(number=number), note(at=float(number)), put_result(f"result {number}")]
    try:
        assert store.commit(lease, serial, changes) == serial + 1
    except UnknownCommitError:
        return "unknown"
    except StaleError:
        return "stale"
    except LostLeaseError as error:
        raise AssertionError("nobody has taken the lock") from error
    except StateError as error:
        assert error.hint  # noqa: PT017  # one of several ends
        return "refused"
    return "done"


def test_what_is_said_of_a_write_is_true_however_the_line_fails(kind, folder):
    chance, key = random.Random(f"faults {kind}"), uuid.uuid4().hex
    others = open_at(server(kind).place(key), folder, read_only=True)
    with CuttingProxy(server(kind).port) as line:
        store = impatient(open_at(through(line, kind, key), folder), PATIENCE)
        lease, oracle = store.acquire(ALICE), Oracle(others)
        for number in range(1, WRITES + 1):
            with line.failing(RATE, chance):
                outcome = write(store, lease, oracle.serial, number)
            oracle.hear(number, outcome)
        store.release(lease)
        assert others.holding() is None
        store.close()
        oracle.check()
        assert line.cuts > WRITES / 10
        assert oracle.told["done"] > WRITES / 10
    others.close()


def test_who_takes_the_lock_over_a_line_that_fails_has_it_or_is_told_why_not(kind, folder):
    chance, key = random.Random(f"taking {kind}"), uuid.uuid4().hex
    others, known = open_at(server(kind).place(key), folder), 0
    with CuttingProxy(server(kind).port) as line:
        for _ in range(WRITES // 5):
            store = impatient(open_at(through(line, kind, key), folder), PATIENCE)
            with line.failing(RATE, chance):
                try:
                    lease = store.acquire(ALICE)
                except LockHeldError as error:
                    raise AssertionError("nobody else has the lock") from error
                except StateError as error:
                    assert error.hint  # noqa: PT017  # one of several ends
                    lease = None
            holding = others.holding()
            if lease is not None:
                assert (holding.epoch, holding.holder) == (lease.epoch, ALICE)
                assert lease.epoch > known
                known = lease.epoch
                store.release(lease)
                assert others.holding() is None
            elif holding is not None:  # it was taken, and nobody heard of it
                others.force_release(holding.epoch, ALICE)
                known = holding.epoch
            store.close()
    others.close()
