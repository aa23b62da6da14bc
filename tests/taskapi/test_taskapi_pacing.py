"""The pace of requests, by property: no window ever holds too many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.errors import UsageError
from taskspec.taskapi.pacing import HOUR, MINUTE, Pace

GAPS = st.lists(st.floats(0, 30), min_size=1, max_size=80)


def leave(pace, now):
    """Wait as long as the pace says, and return the moment at which one request leaves."""
    while (wait := pace.reserve(now)) > 0:
        now += wait
    return now


def moments(pace, gaps):
    """Reserve after each gap, and return when each request may leave."""
    now, found = 1000.0, []
    for gap in gaps:
        now += gap
        found.append(leave(pace, max([now, *found[-1:]])))
    return found


@given(st.integers(1, 5), GAPS)
def test_no_minute_holds_more_requests_than_allowed(most, gaps):
    sent = moments(Pace(most), gaps)
    assert all(later - earlier >= MINUTE for earlier, later in zip(sent, sent[most:], strict=False))


@given(st.integers(1, 4), st.integers(1, 9), GAPS)
def test_both_windows_are_kept_and_the_order_too(minute, hour, gaps):
    sent = moments(Pace(minute, hour), gaps)
    assert sent == sorted(sent)
    assert all(later - earlier >= MINUTE for earlier, later in zip(sent, sent[minute:], strict=False))
    assert all(later - earlier >= HOUR for earlier, later in zip(sent, sent[hour:], strict=False))


@given(GAPS)
def test_without_a_limit_nobody_waits(gaps):
    pace = Pace()
    assert {pace.reserve(float(gap)) for gap in gaps} == {0.0}


def test_requests_leave_at_once_while_there_is_room():
    pace = Pace(3)
    assert [pace.reserve(10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.reserve(10.0) >= MINUTE
    assert pace.reserve(200.0) == 0.0


def test_nobody_sends_while_the_remote_asked_for_silence():
    pace = Pace()
    pace.hold(17.0)
    pace.hold(12.0)
    assert pace.reserve(10.0) == 7.0
    assert pace.reserve(17.5) == 0.0


def test_a_silence_counts_for_the_windows():
    pace = Pace(1)
    pace.hold(50.0)
    assert leave(pace, 10.0) == 50.0
    assert leave(pace, 60.0) >= 50.0 + MINUTE


@given(st.integers(1, 5), GAPS, st.lists(st.integers(0, 79), max_size=5))
def test_a_silence_among_them_lets_no_minute_hold_more(most, gaps, silences):
    pace, now, sent = Pace(most), 1000.0, []
    for place, gap in enumerate(gaps):
        now += gap
        if place in silences:
            pace.hold(now + 17.0)
        sent.append(leave(pace, max([now, *sent[-1:]])))
    assert all(later - earlier >= MINUTE for earlier, later in zip(sent, sent[most:], strict=False))


def test_whoever_gives_up_waiting_leaves_nothing_behind():
    pace = Pace(3)
    assert [pace.reserve(10.0) for _ in range(3)] == [0.0] * 3
    assert all(pace.reserve(11.0) > 59 for _ in range(50))
    assert leave(pace, 12.0) < 71


@pytest.mark.parametrize("limits", [(0, None), (None, -1)])
def test_a_limit_that_lets_nothing_through_is_refused(limits):
    with pytest.raises(UsageError, match="at least 1"):
        Pace(*limits)
