"""Repeating, played by hand: with dice that always show one half."""

import pytest

from taskspec.errors import OutcomeUnknownError, ProtocolError, RateLimitedError, UnreachableError
from taskspec.taskapi.endpoints import create_task, get_task, list_tasks, stop_task, update_task
from taskspec.taskapi.flow import Patience, retrying
from taskspec.taskapi.messages import ClosedError, Pause, TooLargeError
from taskspec.taskapi.records import NewTask

PATIENCE = Patience(jitter=lambda: 0.5)


def pauses(yielded):
    return [step.seconds for step in yielded if isinstance(step, Pause)]


def test_a_read_is_repeated_with_growing_pauses(play, answer, task):
    troubles = answer(503), UnreachableError("refused"), OutcomeUnknownError("cut")
    record, yielded = play(retrying(get_task("t1"), PATIENCE), *troubles, answer(200, task))
    assert record.id == "t1"
    assert pauses(yielded) == [0.25, 0.5, 1.0]


def test_a_read_is_given_up_after_a_bounded_number_of_tries(play, answer):
    error, yielded = play(retrying(get_task("t1"), PATIENCE), *[answer(502, {"detail": "down"})] * 4)
    assert type(error) is UnreachableError
    assert (error.status, error.detail) == (502, "down")
    assert type(error.__cause__) is OutcomeUnknownError
    assert len(yielded) == 7


def test_an_answer_that_is_none_is_told_as_such_even_to_a_read(play, answer):
    error, yielded = play(retrying(get_task("t1"), PATIENCE), answer(200, b"<html>", content_type="text/html"))
    assert type(error) is ProtocolError
    assert len(yielded) == 1


@pytest.mark.parametrize("change", [lambda: stop_task("t1"), lambda: update_task("t1", {"title": "x"})])
@pytest.mark.parametrize("first", [OutcomeUnknownError("cut"), 503])
def test_a_change_of_unknown_outcome_stays_so_though_later_tries_do_not_leave(play, answer, change, first):
    troubles = answer(first) if isinstance(first, int) else first, *[UnreachableError("refused")] * 3
    error, _ = play(retrying(change(), PATIENCE), *troubles)
    assert type(error) is OutcomeUnknownError
    assert error.message == "refused"


def test_an_answer_that_is_too_large_is_not_asked_for_again(play):
    error, yielded = play(retrying(get_task("t1"), PATIENCE), TooLargeError("too large"))
    assert type(error) is UnreachableError
    assert len(yielded) == 1


def test_a_change_that_never_left_changed_nothing(play):
    error, _ = play(retrying(stop_task("t1"), PATIENCE), *[UnreachableError("refused")] * 4)
    assert type(error) is UnreachableError


def test_an_update_of_the_same_values_is_repeated(play, answer, task):
    record, yielded = play(retrying(update_task("t1", {"title": "x"}), PATIENCE), answer(500), answer(200, task))
    assert record.id == "t1"
    assert yielded[0] == yielded[2]


def test_a_stop_is_repeated(play, answer, task):
    record, _ = play(retrying(stop_task("t1"), PATIENCE), answer(500), answer(200, task | {"status": "stopped"}))
    assert record.status == "stopped"


@pytest.mark.parametrize("trouble", [UnreachableError("x"), OutcomeUnknownError("x"), 429, 500, 503])
def test_a_create_is_never_repeated(play, answer, trouble):
    create = create_task("a1", NewTask(prompt="p"), idempotency_key="k")
    error, yielded = play(retrying(create, PATIENCE), answer(trouble) if isinstance(trouble, int) else trouble)
    assert isinstance(error, UnreachableError | OutcomeUnknownError | RateLimitedError)
    assert len(yielded) == 1


def test_the_stated_wait_is_kept(play, answer, task):
    throttled = answer(429, {"detail": "slow"}, retry_after="7")
    _, yielded = play(retrying(get_task("t1"), PATIENCE), throttled, answer(200, task))
    assert pauses(yielded) == [7.25]


def test_a_wait_that_is_too_long_is_an_answer_at_once(play, answer):
    throttled = answer(429, {"detail": "slow"}, retry_after="3600")
    error, yielded = play(retrying(get_task("t1"), PATIENCE), throttled)
    assert error.retry_after == 3600
    assert len(yielded) == 1


def test_a_billing_limit_is_not_waited_for(play, answer):
    error, yielded = play(retrying(get_task("t1"), PATIENCE), answer(429, {"detail": "billing limit"}))
    assert error.billing
    assert len(yielded) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_definite_no_is_not_asked_again(play, answer, status):
    _, yielded = play(retrying(get_task("t1"), PATIENCE), answer(status))
    assert len(yielded) == 1


def test_only_the_page_that_failed_is_read_again(play, answer):
    first = answer(200, [{"id": "t1"}], link='<?before=1>; rel="next"')
    records, yielded = play(retrying(list_tasks("a1"), PATIENCE), first, answer(503), answer(200, [{"id": "t2"}]))
    assert [record.id for record in records] == ["t1", "t2"]
    assert yielded[1] == yielded[3]
    assert yielded[0] != yielded[1]


@pytest.mark.parametrize("change", [lambda: stop_task("t1"), lambda: update_task("t1", {"title": "x"})])
@pytest.mark.parametrize("first", [OutcomeUnknownError("cut"), 503])
def test_a_change_of_unknown_outcome_stays_so_in_a_client_that_is_closed(play, answer, change, first):
    trouble = answer(first) if isinstance(first, int) else first
    error, _ = play(retrying(change(), PATIENCE), trouble, ClosedError())
    assert type(error) is OutcomeUnknownError
    assert "closed" in error.message
    assert "Look" in error.hint


@pytest.mark.parametrize("call", [lambda: stop_task("t1"), lambda: get_task("t1")])
def test_what_a_closed_client_did_not_send_is_a_wrong_use_of_it(play, call):
    error, _ = play(retrying(call(), PATIENCE), ClosedError())
    assert type(error) is ClosedError


def test_a_read_that_a_closing_client_cuts_off_is_a_wrong_use_of_it(play):
    error, _ = play(retrying(get_task("t1"), PATIENCE), OutcomeUnknownError("cut"), ClosedError())
    assert type(error) is ClosedError


def test_a_stop_whose_answer_a_closed_client_cannot_look_up_is_of_unknown_outcome(play, answer):
    error, _ = play(retrying(stop_task("t1"), PATIENCE), answer(200), ClosedError())
    assert type(error) is OutcomeUnknownError
    assert "stop task `t1`" in error.message
