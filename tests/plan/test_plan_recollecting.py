"""What an address was asked, generation by generation: of its record, and of what the history tells."""

import pytest
from plan_worlds import attempt, record

from taskspec.address import Address
from taskspec.plan.recollecting import recollected
from taskspec.state.model import Note, Sending, StopCause, Verdict
from taskspec.taskapi.records import Tokens


def note(what, generation=1, number=1, at=0.0, **data):
    return Note(address=Address("a"), at=at, what=what, data={"generation": generation, "attempt": number, **data})


def intent(generation=1, number=1, at=10.0, **data):
    return note("intended", generation, number, at, agent="writer", nonce="n", plan=f"p{generation}", **data)


def end(generation=1, number=1, at=20.0, verdict="accepted", **data):
    named = {"result": "d" * 64, "bytes": 7, "format": "text", "run": f"run-{generation}", "marker": "[m]"}
    measured = {"seconds": 4.0, "tokens": {"prompt": 1, "completion": 2}}
    return note("ended", generation, number, at, status="completed", verdict=verdict, **{**named, **measured, **data})


def older(generation=1, **data):
    told = {
        "generation": generation,
        "fingerprint": "1:a",
        "asked": "p1",
        "plan": "p2",
        "agent": "writer",
        "spec": {"prompt": "A"},
    }
    return Note(address=Address("a"), at=30.0, what="superseded", data={**told, **data})


def of(*notes, held=None):
    return recollected(held, tuple(reversed(notes)))


def test_a_generation_that_only_the_history_has_is_told_with_its_text_attempts_and_answer():
    (found,) = of(intent(fingerprint="1:a"), note("bound", run="run-1"), end(), older())
    assert (found.number, found.fingerprint, found.plan, found.asked_at, found.agent) == (
        1,
        "1:a",
        "p1",
        10.0,
        "writer",
    )
    assert (found.spec, found.verdict) == ({"prompt": "A"}, Verdict.ACCEPTED)
    (made,) = found.attempts
    assert (made.run, made.sending, made.nonce, made.seconds) == ("run-1", Sending.BOUND, "n", 4.0)
    assert made.tokens == Tokens(prompt=1, completion=2)
    assert (found.accepted.result.digest, found.accepted.at, found.accepted.spec) == ("d" * 64, 20.0, {"prompt": "A"})


def test_a_record_tells_of_its_own_generation_and_of_the_accepted_one():
    made = [attempt(1, generation=2, status="completed", verdict="rejected", kept="words")]
    held = record(text="B", generation=2, attempts=made, accepted=(1, "A", {"kept": "answer"}))
    newest, oldest = of(held=held)
    assert (newest.number, newest.spec, newest.attempts, newest.accepted) == (
        2,
        held.generation.spec,
        tuple(made),
        None,
    )
    assert newest.verdict is Verdict.REJECTED
    assert (oldest.number, oldest.spec, oldest.accepted.is_accepted) == (1, None, True)
    assert oldest.attempts == (held.accepted.attempt,)


def test_the_notes_of_an_older_taskspec_keep_no_text():
    (found,) = of(intent(fingerprint="1:a"), end())
    assert (found.spec, found.fingerprint, found.accepted.result.size) == (None, "1:a", 7)


@pytest.mark.parametrize("verdict", ["rejected", "failed", "great", None])
def test_what_was_not_accepted_has_no_answer(verdict):
    (found,) = of(intent(), end(verdict=verdict))
    assert found.accepted is None


def test_the_first_accepted_result_of_a_generation_stays():
    (found,) = of(intent(), end(result="1" * 64), intent(number=2), end(number=2, result="2" * 64))
    assert (found.accepted.result.digest, len(found.attempts)) == ("1" * 64, 2)


def test_judging_again_takes_acceptance_away_and_gives_it():
    (taken,) = of(intent(), end(), note("rejudged", verdict="rejected"))
    assert (taken.accepted, taken.verdict, taken.attempts[0].rejudged) == (None, Verdict.REJECTED, True)
    (given,) = of(intent(), end(verdict="rejected"), note("rejudged", verdict="accepted"))
    assert given.accepted.result.digest == "d" * 64


def test_a_result_that_a_person_accepts_is_that_of_its_generation_too():
    hand = note("accepted", 2, 1, at=40.0, **{"from": 1, "run": "run-1", "result": "d" * 64, "by": "hand"})
    newest, oldest = of(intent(), end(verdict="rejected"), hand)
    assert (newest.number, newest.accepted.result.digest, newest.verdict) == (2, "d" * 64, Verdict.ACCEPTED)
    assert (oldest.number, oldest.accepted, oldest.verdict) == (1, None, Verdict.REJECTED)


def test_the_note_of_an_older_generation_names_its_accepted_result():
    named = {"attempt": 1, "run": "run-9", "result": "e" * 64, "bytes": 9, "format": "json", "at": 41.0}
    (found,) = of(older(accepted=named))
    assert (found.accepted.result.digest, found.accepted.at, found.attempts[0].run) == ("e" * 64, 41.0, "run-9")
    (found,) = of(intent(), end(), older(accepted=None))
    assert found.accepted is None, "what the note says counts"


def test_attempts_that_came_to_nothing_are_told_as_what_they_are():
    told = of(
        intent(),
        note("refused", why="too big"),
        intent(number=2),
        note("absent", number=2, why="proven"),
        intent(number=3),
        note("bound", number=3, run="r3"),
        note("seen", number=3, status="paused"),
        note("stopping", number=3, run="r3", cause="user"),
        note("stopped", number=3, run="r3", status="stopped", verdict="stopped"),
        intent(number=4),
        note("bound", number=4, run="r4"),
        note("lost", number=4, run="r4"),
    )[0].attempts
    assert [one.sending for one in told] == [Sending.REFUSED, Sending.ABSENT, Sending.BOUND, Sending.BOUND]
    assert [one.verdict for one in told] == [Verdict.ERROR, None, Verdict.STOPPED, Verdict.LOST]
    assert (told[2].stop, told[0].detail) == (StopCause.USER, "too big")


@pytest.mark.parametrize("data", [{}, {"generation": "1"}, {"generation": 1}, {"generation": None, "attempt": 1}])
@pytest.mark.parametrize("what", ["ended", "accepted", "superseded", "blessed", "moved"])
def test_notes_that_tell_too_little_are_left_out(what, data):
    for found in recollected(None, [Note(address=Address("a"), at=1.0, what=what, data=data)]):
        assert (found.accepted, found.spec, found.attempts) == (None, None, ())


def test_an_adopted_run_is_an_attempt():
    (found,) = of(note("adopted", run="r1", marker="[m]", by="hand"), end())
    assert (found.attempts[0].run, found.attempts[0].marker, found.accepted.result.size) == ("run-1", "[m]", 7)
