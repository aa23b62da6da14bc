"""Judging kept results again: what is said, who is named, and which results have to be loaded for it."""

import pytest
from plan_worlds import attempt, desired, planned, record, snapshot, task

from taskspec.apply.rejudging import rejudged
from taskspec.plan.regrading import concerned
from taskspec.state.model import ResultRef

STRICT = ({"regex": "nosuch", "message": "the word is missing"},)
KEPT = {"status": "completed", "verdict": "accepted", "kept": "words"}


def world(*dependents, assertions=STRICT):
    wanted = desired(
        task("a", assertions=assertions),
        *(task(name, upstream=("a",)) for name in dependents),
    )
    return wanted, snapshot(record("a", attempts=[attempt(**KEPT)], accepted=(1, "A")))


def change_of(*dependents, **more):
    return planned(*world(*dependents, **more), kept=["words"]).changes[0]


def test_the_plan_says_before_which_assertion_takes_acceptance_away():
    (reason,) = change_of().reasons
    assert reason.text == (
        "its assertions changed: the kept result would be rejected: assertion 1 does not hold: the word is missing "
        '(`nosuch` does not match, found "words")'
    )
    assert reason.position.line == 9


@pytest.mark.parametrize(
    ("dependents", "text"),
    [
        (["b"], "b needs it to be accepted"),
        (["b", "c"], "b, c need it to be accepted"),
        ([f"d{i}" for i in range(12)], "d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 and 2 more need it to be accepted"),
    ],
)
def test_the_tasks_that_need_a_result_which_is_taken_back_are_named(dependents, text):
    assert [reason.text for reason in change_of(*dependents).reasons][1:] == [text]


def test_nobody_is_named_where_acceptance_stays():
    codes = [reason.code for reason in change_of("b", assertions=({"regex": "words"},)).reasons]
    assert codes == ["accepted", "assertions_changed"]


def test_only_results_whose_assertions_changed_have_to_be_loaded():
    wanted, held = world()
    assert list(concerned(wanted, held)) == [ResultRef.of("words", None)]
    assert list(concerned(desired(task("a")), held)) == []
    assert list(concerned(desired(task("a", "B", assertions=STRICT)), held)) == []
    assert list(concerned(desired(), held)) == []


@pytest.mark.parametrize(("word", "verdict"), [("words", "accepted"), ("nosuch", "rejected")])
def test_a_kept_result_is_judged_by_itself_beside_the_run_of_a_text_that_passes_for_it(word, verdict):
    lost = attempt(generation=2, status="executing", verdict="lost")
    older = (1, "A", {"kept": "words"})
    held = snapshot(record("a", text="B", generation=2, attempts=[lost], accepted=older))
    wanted = desired(task("a", rerun={"ignore": ["prompt"]}, assertions=({"regex": word},)))
    (change,) = planned(wanted, held, kept=["words"]).changes
    after = rejudged(change, held.records["a"], "p1", 2.0)
    assert change.judgement.verdict == verdict
    assert (after.accepted is None) is (verdict == "rejected")
    assert after.generation.number == (3 if verdict == "rejected" else 2)
