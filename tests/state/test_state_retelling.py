"""What the history of an address tells of its attempts."""

import pytest
from state_values import EXTRACT

from taskspec.ci import Revision
from taskspec.state.encoding import revision_object
from taskspec.state.model import HistoryEntry, Note
from taskspec.state.retelling import PastAttempt, retold


def entries(*notes):
    """Return entries, newest first, of what happened in this order."""
    made = [Note(address=EXTRACT, at=float(at), what=what, data=data) for at, (what, data) in enumerate(notes, 1)]
    return [HistoryEntry(serial=at, note=note) for at, note in enumerate(made, 1)][::-1]


def which(generation, attempt, **more):
    return {"generation": generation, "attempt": attempt, **more}


def test_the_revision_that_an_intent_tells_of_is_the_attempts():
    found = Revision(commit="5a17" * 10, request=7)
    (told,) = retold(entries(("intended", which(1, 1, revision=revision_object(found))), ("bound", which(1, 1))))
    assert told.revision == found


@pytest.mark.parametrize("told", [None, 1, {}, {"commit": 1}, {**revision_object(Revision()), "more": 1}])
def test_what_is_no_revision_is_not_told(told):
    (attempt,) = retold(entries(("intended", which(1, 1, revision=told))))
    assert attempt.revision is None


def test_an_attempt_is_told_from_its_intent_to_its_end():
    tokens = {"prompt": 1, "completion": 2}
    end = which(1, 1, run="r1", status="completed", verdict="accepted", seconds=1.5, tokens=tokens, result="d" * 64)
    told = retold(
        entries(
            ("intended", which(1, 1, agent="writer", fingerprint="v1:a", plan="p")),
            ("bound", which(1, 1, run="r1", plan="p")),
            ("ended", end),
        )
    )
    assert told == (
        PastAttempt(
            generation=1,
            attempt=1,
            plan="p",
            agent="writer",
            fingerprint="v1:a",
            run="r1",
            asked_at=1.0,
            ended_at=3.0,
            status="completed",
            verdict="accepted",
            seconds=1.5,
            tokens=tokens,
            result="d" * 64,
        ),
    )


def test_attempts_are_told_in_their_order_and_each_by_itself():
    told = retold(
        entries(
            ("intended", which(2, 1)),
            ("refused", which(2, 1, why="no")),
            ("intended", which(1, 1)),
            ("intended", which(2, 2)),
            ("bound", which(2, 2, run="r")),
            ("lost", which(2, 2, run="r")),
        )
    )
    assert [(one.generation, one.attempt, one.verdict) for one in told] == [
        (1, 1, None),
        (2, 1, "refused"),
        (2, 2, "lost"),
    ]
    assert told[1].why == "no"


def test_a_run_that_goes_on_after_all_has_not_ended():
    (told,) = retold(
        entries(
            ("bound", which(1, 1, run="r")),
            ("ended", which(1, 1, status="error", verdict="error")),
            ("revived", which(1, 1, run="r", status="executing")),
        )
    )
    assert (told.verdict, told.ended_at, told.status) == (None, None, "executing")


def test_what_says_nothing_of_an_attempt_is_left_out_and_odd_values_are_unknown():
    told = retold(
        entries(
            ("forgotten", {"spent": 2, "generation": 1}),
            ("moved", {"generation": 1, "to": "x"}),
            ("accepted", which(1, 1, run="another", **{"from": 2})),
            ("accepted", which(3, 1, run="another", **{"from": 2})),
            ("ended", which(1, 1, status=3, verdict=None, seconds="1", tokens=["x"], run=7)),
        )
    )
    assert told == (PastAttempt(generation=1, attempt=1, ended_at=5.0),)
