"""What is declared and recorded becomes candidates: compared and judged by what is recorded alone."""

from dataclasses import replace

import pytest
from plan_worlds import attempt, desired, record, task

from taskspec.address import Address
from taskspec.desired.model import DeferredTask
from taskspec.selecting.gathering import gather, gather_recorded, last_verdict
from taskspec.selecting.model import Comparison
from taskspec.state.model import Verdict


def gathered(declared, *records, here="/p"):
    return {one.address: one for one in gather(declared, {held.address: held for held in records}, here)}


def deferred(address, *upstream):
    known = task(address)
    return DeferredTask(
        address=known.address,
        agent=known.agent,
        title=known.title,
        spec=known.spec,
        source=known.source,
        upstream=tuple(map(Address, upstream)),
        uses=frozenset(map(Address, upstream)),
        finish=lambda results: known,
    )


def test_each_address_compares_with_its_recorded_generation():
    found = gathered(
        desired(task("new"), task("same", "A"), task("other", "B")),
        record("same", text="A"),
        record("other", text="A"),
        record("gone"),
    )
    assert {address: one.comparison for address, one in found.items()} == {
        "new": Comparison.NEW,
        "same": Comparison.UNCHANGED,
        "other": Comparison.CHANGED,
        "gone": Comparison.REMOVED,
    }


def test_what_is_not_known_yet_may_change_and_counts_as_changed():
    found = gathered(desired(task("a"), deferred("b", "a"), deferred("c", "b")), record("a"), record("b"))
    assert [one.comparison for one in found.values()] == [Comparison.UNCHANGED, Comparison.CHANGED, Comparison.NEW]
    assert found["c"].upstream == ("b",)


@pytest.mark.parametrize(
    ("attempts", "verdict"),
    [
        ([], Verdict.UNKNOWN),
        ([attempt(sending="intended")], Verdict.UNKNOWN),
        ([attempt(sending="refused")], Verdict.ERROR),
        ([attempt()], Verdict.ACTIVE),
        ([attempt(status="executing")], Verdict.ACTIVE),
        ([attempt(status="paused")], Verdict.WAITING),
        ([attempt(status="failed", verdict="failed"), attempt(2)], Verdict.ACTIVE),
        ([attempt(status="failed", verdict="failed")], Verdict.FAILED),
        ([attempt(status="completed", verdict="accepted")], Verdict.ACCEPTED),
    ],
)
def test_the_last_verdict_is_what_is_recorded(attempts, verdict):
    held = record(attempts=attempts)
    assert last_verdict(held) is verdict
    assert [one.verdict for one in gather_recorded({held.address: held}, [Address("never")])] == [verdict, None]


@pytest.mark.parametrize(
    ("file", "here", "paths"),
    [
        ("tasks/a.yaml", "/p", ("tasks/a.yaml", "/p/tasks/a.yaml")),
        ("p/tasks/a.yaml", "/", ("tasks/a.yaml", "p/tasks/a.yaml", "/p/tasks/a.yaml")),
        ("a.yaml", "/p/tasks", ("tasks/a.yaml", "a.yaml", "/p/tasks/a.yaml")),
        ("/p/a.yaml", "/elsewhere", ("a.yaml", "/p/a.yaml")),
    ],
)
def test_a_file_is_named_as_it_is_shown_or_within_its_project(file, here, paths):
    known = task("a")
    moved = replace(known, source=replace(known.source, document=replace(known.source.document, file=file)))
    assert gathered(desired(moved), here=here)["a"].files == paths
