"""In what a task differs of its own while it waits for what others answer."""

from dataclasses import replace

import pytest
from plan_worlds import attempt, deferred, desired, planned, record, snapshot, task

from taskspec.plan.foreseeing import LARGEST, foreseen
from taskspec.plan.model import FieldDiff
from taskspec.state.model import ResultRef

OLD = ResultRef.of("answer", None)


def known(address, *texts):
    """Return a record that has its accepted result."""
    text = "+".join(texts)
    done = attempt(address=address, status="completed", verdict="accepted")
    made = record(address, text=text, attempts=[done], accepted=(1, text))
    return replace(made, accepted=replace(made.accepted, result=OLD))


def own(declared, *records, answers=None):
    held = snapshot(*records)
    made = planned(desired(task("up", "Changed"), task("new", "New"), declared), held)
    read = {OLD.digest: "answer"} if answers is None else answers
    return foreseen(made, held.records, lambda ref: read.get(ref.digest)).changes[-1].own_diffs


def test_a_task_that_is_as_before_but_for_an_answer_differs_in_nothing_of_its_own():
    assert own(deferred("b", "B", uses=["up"]), known("up", "U"), known("b", "B", "answer")) == ()


def test_what_was_edited_is_told_apart_from_the_answer():
    found = own(deferred("b", "Edited", uses=["up"]), known("up", "U"), known("b", "B", "answer"))
    assert found == (FieldDiff(path=("prompt",), before="B+answer", after="Edited+answer"),)


def test_what_was_never_answered_stands_as_words_where_it_is_put_into_the_text_as_it_is():
    (found,) = own(deferred("b", "B", uses=["up", "new"]), known("up", "U"), known("b", "B", "answer"))
    assert found.after == "B+(known after new)+answer"


def test_nothing_is_foreseen_where_a_text_rests_on_an_answer_that_nobody_knows():
    declared = deferred("b", "B", uses=["up", "new"])
    counted = replace(declared, finish=lambda results: task("b", f"B+{sum(map(len, results.values()))}"))
    assert own(counted, known("up", "U"), known("b", "B", "6")) is None
    failing = deferred("b", "B", uses=["up"], fails=True)
    assert own(failing, known("up", "U"), known("b", "B", "answer")) is None


@pytest.mark.parametrize("declared", [task("b", "Edited"), deferred("b", "B", uses=["up"])])
def test_what_waits_for_no_answer_or_never_ran_is_not_looked_at(declared):
    assert own(declared, known("up", "U")) is None


def test_an_answer_that_is_too_large_or_lost_stands_as_words_too():
    declared, held = deferred("b", "B", uses=["up"]), known("up", "U")
    large = replace(held, accepted=replace(held.accepted, result=replace(OLD, size=LARGEST + 1)))
    for kept, answers in ((large, None), (held, {})):
        (found,) = own(declared, kept, known("b", "B", "answer"), answers=answers)
        assert found.after == "B+(known after up)"
