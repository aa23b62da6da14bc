"""Texts that are declared again, and whose results of then are kept."""

from dataclasses import replace

from plan_worlds import attempt, desired, fingerprint, planned, record, snapshot, task

from taskspec.markers import Marker
from taskspec.plan.keeping import Kept
from taskspec.plan.reminding import reminded
from taskspec.state.model import ResultRef, Verdict

NOW = record(text="B", generation=2, attempts=[attempt(status="completed", verdict="accepted")], accepted=(2, "B"))


def kept(text, *, generation=1, verdict="accepted"):
    marker = Marker.of("lineage", "a", fingerprint(text), generation, "nonce").text
    run = replace(attempt(status="completed"), marker=marker, verdict=Verdict(verdict))
    return Kept(generation=generation, attempt=run, result=ResultRef.of("words", None), agent="writer", at=1.0)


def hints(*found, text="A", of=NOW):
    plan = planned(desired(task(text=text)), snapshot(of))
    (change,) = reminded(plan, lambda address, known: found).changes
    return [reason.text for reason in change.reasons if reason.code == "text_kept"]


def test_a_text_that_returns_says_that_its_result_is_kept():
    assert hints(kept("A")) == [
        "`taskspec accept a@g1` takes the kept result of the same text instead of a paid run",
    ]


def test_the_newest_of_several_is_named():
    assert "a@g3" in hints(kept("A", generation=3), kept("A"))[0]


def test_nothing_is_said_of_another_text_or_of_a_result_that_was_not_accepted():
    assert hints(kept("C"), kept("A", verdict="rejected")) == []


def test_nothing_is_asked_of_what_runs_for_another_reason_or_has_no_older_text():
    assert hints(kept("B"), text="B") == []
    first = record(text="B", attempts=[attempt(status="completed", verdict="accepted")], accepted=(1, "B"))
    assert hints(kept("A"), of=first) == []
