"""What the history says of addresses costs few requests, however many addresses are asked for."""

import pytest

from taskspec.address import Address
from taskspec.runner.recalling import SINGLY, BoundRuns, Histories, notes_of
from taskspec.runner.remembering import Remembered
from taskspec.state.model import HistoryEntry, Note, Snapshot
from taskspec.state.store import Capabilities, Fencing


class Told:
    """A store with nothing but a history, which counts how often it is asked."""

    def __init__(self, notes, *, shared):
        self.capabilities = Capabilities(place="there", shared=shared, ttl=60.0, fencing=Fencing.SWAP)
        self.asked = 0
        self._notes = notes

    def history(self, address=None, *, limit=None):
        self.asked += 1
        for note in reversed(self._notes):
            if address in {None, note.address}:
                yield HistoryEntry(serial=1, note=note)


def told(address, what, **data):
    return Note(address=Address(address), at=0.0, what=what, data=data)


NOTES = [
    told("a0", "intended", generation=1),
    told("a0", "intended", generation=2),
    told("a99", "intended", generation=7),
    told("a99", "forgotten", generation=3),
    told("a98", "forgotten", spent=5, generation=4),
]


@pytest.mark.parametrize("shared", [False, True])
def test_the_last_generation_of_each_address_is_told_however_it_is_asked(shared):
    past = BoundRuns(Told(NOTES, shared=shared))
    found = {f"a{n}": past.last_generation(Address(f"a{n}")) for n in range(100)}
    assert {address: number for address, number in found.items() if number} == {"a0": 2, "a99": 7, "a98": 5}


def test_a_store_on_another_machine_is_not_asked_for_each_of_many_addresses():
    store = Told(NOTES, shared=True)
    past = BoundRuns(store)
    for n in range(1000):
        past.last_generation(Address(f"a{n}"))
    assert store.asked == SINGLY + 1


def test_a_state_in_which_nothing_was_ever_kept_is_not_asked():
    store = Told([], shared=True)
    assert BoundRuns(store, Snapshot(lineage="", serial=0, records={})).last_generation(Address("a")) == 0
    assert store.asked == 0


@pytest.mark.parametrize("shared", [False, True])
def test_the_histories_of_many_addresses_are_told_however_they_are_asked(shared):
    past = Histories(Told(NOTES, shared=shared))
    found = {f"a{n}": [note.what for note in notes_of(Address(f"a{n}"), past)] for n in range(100)}
    expected = {"a0": ["intended", "intended"], "a99": ["forgotten", "intended"], "a98": ["forgotten"]}
    assert {address: told for address, told in found.items() if told} == expected
    assert next(past.history(Address("a99"), limit=1)).note.what == "forgotten"
    assert len(list(past.history())) == len(NOTES)


def test_bare_histories_are_without_the_texts_that_were_asked():
    note = told("a99", "superseded", generation=1, spec={"prompt": "long"})
    past = Histories(Told([note], shared=True), bare=True)
    found = [[one.data for one in notes_of(Address(f"a{n}"), past)] for n in range(100)]
    assert found[99] == [{"generation": 1}]


def test_a_report_on_many_tasks_asks_a_store_on_another_machine_few_times():
    store, remembered = Told(NOTES, shared=True), Remembered()
    for n in range(1000):
        remembered(store, Address(f"a{n}"), None)
    assert store.asked == SINGLY + 1


def test_a_report_asks_the_store_that_it_is_given():
    remembered = Remembered()
    asked = Told([told("a0", "intended", generation=1, attempt=1)], shared=True)
    assert remembered(Told([], shared=True), Address("a0"), None) == []
    assert [one.number for one in remembered(asked, Address("a0"), None)] == [1]
