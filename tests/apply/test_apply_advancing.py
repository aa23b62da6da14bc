"""A record moving on, value by value."""

from dataclasses import replace

from apply_stages import A, task
from test_apply_staging import ATTEMPT, OTHER, TASK, change, record

from taskspec.apply.advancing import intended, with_attempt, with_result
from taskspec.documents.model import OnRemove
from taskspec.state.model import ResultRef, Sending

REF = ResultRef.of("answer", "markdown")


def test_a_first_intent_is_generation_one():
    made = intended(change("create"), None, ATTEMPT, fresh=False, plan="p1")
    assert (made.address, made.agent, made.generation.number, made.generation.plan) == (A, "writer", 1, "p1")
    assert made.generation.attempts == (ATTEMPT,)


def test_another_attempt_stays_in_its_generation_with_the_plan_that_asked_for_it():
    moved = intended(change("create"), record(), replace(ATTEMPT, number=2), fresh=False, plan="p1")
    assert (moved.generation.number, moved.generation.plan) == (1, "p0")
    assert [attempt.number for attempt in moved.generation.attempts] == [1, 2]


def test_a_new_generation_keeps_the_accepted_result_of_the_old_one():
    old = record(accepted=TASK)
    moved = intended(change("create", of=OTHER), old, ATTEMPT, fresh=True, plan="p1")
    assert (moved.generation.number, moved.generation.fingerprint) == (2, OTHER.fingerprint)
    assert moved.accepted is old.accepted


def test_an_intent_takes_over_the_policy_of_what_is_declared():
    of = task(policies={"on_remove": "hold"})
    assert intended(change("create", of=of), record(), ATTEMPT, fresh=True, plan="p").on_remove is OnRemove.HOLD


def test_only_the_attempt_of_that_number_is_replaced():
    two = intended(change("create"), record(), replace(ATTEMPT, number=2, nonce="m"), fresh=False, plan="p1")
    moved = with_attempt(two, replace(ATTEMPT, sending=Sending.ABSENT))
    assert [attempt.sending for attempt in moved.generation.attempts] == [Sending.ABSENT, Sending.INTENDED]


def test_the_first_accepted_result_of_a_generation_stays():
    first = with_result(record(), ATTEMPT, REF, at=5.0)
    second = with_result(first, replace(ATTEMPT, run="r2"), ResultRef.of("later", None), at=9.0)
    assert (second.accepted.result, second.accepted.at) == (REF, 5.0)


def test_a_new_generation_replaces_the_accepted_result_of_the_old_one():
    old = with_result(record(), ATTEMPT, REF, at=5.0)
    new = intended(change("create", of=OTHER), old, ATTEMPT, fresh=True, plan="p1")
    accepted = with_result(new, ATTEMPT, ResultRef.of("later", None), at=9.0).accepted
    assert (accepted.generation, accepted.fingerprint, accepted.at) == (2, OTHER.fingerprint, 9.0)
