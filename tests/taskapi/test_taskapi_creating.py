"""Creating at most once, played by hand."""

import pytest

from taskspec.errors import (
    AuthenticationError,
    ConflictError,
    InvalidError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    UnreachableError,
    UsageError,
)
from taskspec.taskapi.creating import LOOK, create_once
from taskspec.taskapi.flow import Patience, retrying
from taskspec.taskapi.messages import ClosedError, Pause, Request
from taskspec.taskapi.records import NewTask

PATIENCE = Patience(jitter=lambda: 0.5)
KEPT = {"taskspec_capabilities": "uploads, idempotency-key"}


def create(honours=False, task=None):
    new = task or NewTask(prompt="p")
    return create_once("a1", new, idempotency_key="k", honours=lambda: honours, patience=PATIENCE, timeout=7.0)


def methods(yielded):
    return [step.method for step in yielded if isinstance(step, Request)]


def pauses(yielded):
    return [step.seconds for step in yielded if isinstance(step, Pause)]


def test_a_create_that_never_left_is_sent_again(play, answer, task):
    refused = UnreachableError("refused")
    record, yielded = play(create(), refused, refused, answer(200, task))
    assert record.id == "t1"
    assert pauses(yielded) == [0.25, 0.5]
    sent = [step for step in yielded if isinstance(step, Request)]
    assert sent[0] == sent[1] == sent[2]
    assert sent[0].timeout == 7.0
    assert sent[0].headers["idempotency-key"] == "k"


def test_a_create_that_never_leaves_is_given_up(play):
    error, yielded = play(create(), *[UnreachableError("refused")] * 4)
    assert type(error) is UnreachableError
    assert methods(yielded) == ["POST"] * 4


def test_a_throttled_create_waits_as_long_as_it_is_told(play, answer, task):
    throttled = answer(429, {"detail": "slow"}, retry_after="7")
    record, yielded = play(create(), throttled, answer(200, task))
    assert record.id == "t1"
    assert pauses(yielded) == [7.25]


@pytest.mark.parametrize(
    ("words", "headers"), [("Billing limit reached", {}), ("slow", {"retry_after": "3600"})], ids=["billing", "hour"]
)
def test_a_limit_for_which_waiting_is_no_help_is_told_at_once(play, answer, words, headers):
    error, yielded = play(create(), answer(429, {"detail": words}, **headers))
    assert type(error) is RateLimitedError
    assert len(yielded) == 1


@pytest.mark.parametrize("trouble", [OutcomeUnknownError("cut"), 500, 408])
def test_a_create_of_unknown_outcome_is_not_repeated_where_keys_are_not_kept(play, answer, trouble):
    first = answer(trouble) if isinstance(trouble, int) else trouble
    error, yielded = play(create(), first, answer(200, []))
    assert type(error) is OutcomeUnknownError
    assert LOOK in error.hint
    assert methods(yielded) == ["POST", "GET"]


@pytest.mark.parametrize("trouble", [OutcomeUnknownError("cut"), 500, 408])
def test_a_create_of_unknown_outcome_is_repeated_where_keys_are_kept(play, answer, task, trouble):
    first = answer(trouble) if isinstance(trouble, int) else trouble
    record, yielded = play(create(honours=True), first, answer(200, task))
    assert record.id == "t1"
    assert methods(yielded) == ["POST", "POST"]
    assert yielded[0] == yielded[2]


def test_a_remote_of_which_nothing_is_known_is_asked_whether_it_keeps_keys(play, answer, task):
    record, yielded = play(create(), OutcomeUnknownError("cut"), answer(200, [], **KEPT), answer(200, task))
    assert record.id == "t1"
    assert methods(yielded) == ["POST", "GET", "POST"]


@pytest.mark.parametrize("trouble", [UnreachableError("refused"), OutcomeUnknownError("cut"), 401, 429, 503])
def test_a_remote_that_cannot_be_asked_gets_no_second_create_and_is_asked_once(play, answer, trouble):
    greeted = answer(trouble) if isinstance(trouble, int) else trouble
    error, yielded = play(retrying(create(), PATIENCE), OutcomeUnknownError("cut"), greeted)
    assert (type(error), error.message) == (OutcomeUnknownError, "cut")
    assert methods(yielded) == ["POST", "GET"]
    assert yielded[-1].timeout <= 5


def test_an_accepted_create_without_a_task_says_where_to_look(play, answer):
    error, _ = play(create(), answer(200, {}), answer(200, []))
    assert type(error) is ProtocolError
    assert LOOK in error.hint


@pytest.mark.parametrize("last", [UnreachableError("refused"), 401, 422, 429, 409])
def test_what_one_sending_may_have_done_stays_unknown_whatever_the_next_one_is_told(play, answer, last):
    then = [answer(last, {"detail": "billing"})] if isinstance(last, int) else [last] * 3
    error, yielded = play(create(honours=True), OutcomeUnknownError("cut"), *then)
    assert type(error) is OutcomeUnknownError
    assert error.message.startswith("cut Sent again: ")
    assert LOOK in error.hint
    assert methods(yielded) == ["POST"] * (1 + len(then))


def test_a_create_that_is_never_answered_is_given_up(play):
    error, yielded = play(create(honours=True), *[OutcomeUnknownError("cut")] * 4)
    assert type(error) is OutcomeUnknownError
    assert methods(yielded) == ["POST"] * 4


@pytest.mark.parametrize(("status", "kind"), [(400, InvalidError), (401, AuthenticationError), (409, ConflictError)])
def test_a_refused_create_is_told_and_sent_once(play, answer, status, kind):
    error, yielded = play(create(honours=True), answer(status, {"detail": "no"}))
    assert type(error) is kind
    assert (error.status, error.detail) == (status, "no")
    assert len(yielded) == 1


def test_a_version_that_cannot_be_sent_is_a_wrong_argument(play):
    error, yielded = play(create(task=NewTask(prompt="p", agent_version="3\r\nx: y")))
    assert type(error) is UsageError
    assert not yielded


def test_the_flow_around_it_repeats_no_create_by_itself(play, answer):
    error, yielded = play(retrying(create(), PATIENCE), OutcomeUnknownError("cut"), answer(200, []))
    assert type(error) is OutcomeUnknownError
    assert methods(yielded) == ["POST", "GET"]


def test_a_client_that_is_closed_before_the_first_sending_says_so(play):
    error, yielded = play(create(), ClosedError())
    assert type(error) is ClosedError
    assert len(yielded) == 1


@pytest.mark.parametrize("honours", [False, True], ids=["greets", "repeats"])
def test_a_client_that_is_closed_meanwhile_leaves_the_outcome_unknown(play, honours):
    error, yielded = play(create(honours=honours), OutcomeUnknownError("cut"), ClosedError())
    assert type(error) is OutcomeUnknownError
    assert LOOK in error.hint
    assert methods(yielded) == ["POST", "POST" if honours else "GET"]


def test_a_create_that_was_refused_for_now_is_not_unknown_in_a_client_that_is_closed(play, answer):
    error, _ = play(create(), answer(429, {"detail": "slow"}), ClosedError())
    assert type(error) is ClosedError
