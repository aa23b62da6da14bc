"""Accounting: which marked runs on the remote nobody accounts for, and which are one create twice."""

import pytest
from plan_worlds import attempt, record, shown

from taskspec.address import Address
from taskspec.markers import Marker
from taskspec.observed.model import Sighting
from taskspec.plan.accounting import Bound, duplicates, owners, strays

A = Address("a")
KNOWN = owners([A, Address("b")])
NONE = Bound()


def sighted(run, nonce, *, address="a", status="executing"):
    return Sighting(marker=Marker.of("line", Address(address), "1:feed", 1, nonce), run=shown(run, status))


def astray(found, *held, past=NONE):
    found = strays(found, {one.address: one for one in held}, KNOWN, lambda _: past)
    return {address: [run.id for run in runs] for address, runs in found.items()}


def test_of_an_address_without_a_record_every_run_is_astray_ended_or_not():
    found = [sighted("r1", "n1"), sighted("r2", "n2", status="completed")]
    assert astray(found, past=Bound(runs=frozenset({"r2"}))) == {"a": ["r1", "r2"]}


def test_a_recorded_run_is_not_astray_whichever_address_it_is_recorded_under():
    held = record("b", attempts=[attempt(run="r1", status="executing")])
    assert astray([sighted("r1", "n1")], held) == {}


def test_the_accepted_run_of_an_older_generation_is_not_astray():
    kept = (1, "A", {"run": "r1"})
    held = record(generation=2, text="B", attempts=[attempt(run="r2", status="executing")], accepted=kept)
    assert astray([sighted("r1", "n1"), sighted("r2", "n2")], held) == {}


@pytest.mark.parametrize("sending", ["intended", "bound"])
def test_another_run_of_a_recorded_create_is_its_duplicate_and_not_astray(sending):
    held = record(attempts=[attempt(run="r1", sending=sending)])
    assert astray([sighted("r9", "nonce-a-g1-1")], held) == {}


@pytest.mark.parametrize("sending", ["refused", "absent"])
def test_the_run_of_a_create_that_was_taken_for_none_is_astray(sending):
    held = record(attempts=[attempt(sending=sending)])
    assert astray([sighted("r9", "nonce-a-g1-1")], held) == {"a": ["r9"]}


@pytest.mark.parametrize(
    ("run", "nonce", "status", "found"),
    [
        ("r1", "n1", "completed", {}),
        ("r1", "n1", "executing", {"a": ["r1"]}),
        ("r1", "n1", "dreaming", {"a": ["r1"]}),
        ("r7", "n1", "executing", {}),
        ("r7", "n7", "completed", {"a": ["r7"]}),
    ],
)
def test_the_history_accounts_for_runs_that_have_ended_and_for_duplicates(run, nonce, status, found):
    held = record(generation=2, attempts=[attempt(generation=2, status="completed", verdict="rejected")])
    past = Bound(runs=frozenset({"r1"}), by_nonce={"n1": "r1"})
    assert astray([sighted(run, nonce, status=status)], held, past=past) == found


def test_a_run_of_an_address_that_is_not_meant_is_nobodys_obstacle():
    assert astray([sighted("r1", "n1", address="elsewhere")]) == {}


def test_duplicates_have_the_address_whose_hash_they_bear():
    groups = [
        (sighted("r1", "n1"), sighted("r2", "n1")),
        (sighted("r3", "n3", address="gone"), sighted("r4", "n3", address="gone")),
    ]
    found = duplicates(groups, KNOWN, {})
    assert [(one.address, [run.id for run in one.runs]) for one in found] == [(A, ["r1", "r2"]), (None, ["r3", "r4"])]


def test_duplicates_of_a_task_with_another_name_are_those_of_the_task():
    held = record("renamed", attempts=[attempt(status="executing")])
    nonce = held.generation.last.nonce
    groups = [(sighted("r1", nonce, address="former"), sighted("r2", nonce, address="former"))]
    assert [one.address for one in duplicates(groups, KNOWN, {held.address: held})] == ["renamed"]
