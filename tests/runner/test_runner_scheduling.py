"""When the next round of a watch begins, by what became of the last one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.diagnostics import ManifestError
from taskspec.errors import (
    AuthenticationError,
    EngineError,
    LimitError,
    LockHeldError,
    LostLeaseError,
    MissingSecretError,
    OutcomeUnknownError,
    RateLimitedError,
    StateError,
    UnreachableError,
    UsageError,
)
from taskspec.events import RoundOutcome as Outcome
from taskspec.runner.scheduling import CAP, EDITS, FIRST, SHORTEST, Pace, after, after_edit, asked_to_wait, outcome_of

RETRIED = (Outcome.FALTERED, Outcome.HELD, Outcome.HINDERED)
PACES = st.builds(Pace, interval=st.floats(1.0, 1e6), hindered=st.integers(0, 10**6), paid=st.integers(0, 10**6))


@pytest.mark.parametrize("outcome", [Outcome.SETTLED, Outcome.WRONG, Outcome.REFUSED])
def test_what_only_an_edit_or_the_time_can_change_waits_for_the_interval(outcome):
    rest = after(Pace(interval=300.0, hindered=4), outcome, dice=0.5)
    assert rest.seconds == 300.0
    assert rest.pace.hindered == 0


def test_a_round_that_an_edit_has_cut_is_followed_at_once():
    assert after(Pace(interval=300.0), Outcome.CUT, dice=1.0).seconds == 0.0


def test_a_hindrance_is_tried_again_after_pauses_whose_bound_doubles_up_to_a_cap():
    pace, seen = Pace(interval=10.0), []
    for _ in range(12):
        rest = after(pace, Outcome.HINDERED, dice=1.0)
        seen.append(rest.seconds)
        pace = rest.pace
    assert seen[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert seen[-1] == CAP


def test_the_first_round_that_is_carried_out_resets_the_pauses():
    pace = after(Pace(interval=10.0, hindered=9), Outcome.SETTLED, dice=1.0).pace
    assert after(pace, Outcome.HINDERED, dice=1.0).seconds == FIRST


@given(PACES, st.sampled_from(RETRIED), st.floats(0.0, 1.0))
def test_a_pause_is_anything_between_the_shortest_and_its_bound(pace, outcome, dice):
    rest = after(pace, outcome, dice)
    assert SHORTEST <= rest.seconds <= CAP
    assert rest.pace.hindered == pace.hindered + 1
    if outcome is not Outcome.HINDERED:
        assert rest.seconds <= pace.interval


def test_a_remote_that_asks_for_time_is_given_it():
    error = RateLimitedError("too fast")
    error.retry_after = 40.0
    assert after(Pace(interval=10.0), Outcome.HINDERED, 0.0, asked_to_wait(error)).seconds == 40.0
    assert asked_to_wait(UnreachableError("gone")) == asked_to_wait(None) == 0.0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ManifestError([]), Outcome.WRONG),
        (UsageError("no such task"), Outcome.REFUSED),
        (LimitError("too many"), Outcome.REFUSED),
        (MissingSecretError("no key"), Outcome.REFUSED),
        (LockHeldError("alice has it"), Outcome.HELD),
        (EngineError("other agents"), Outcome.HELD),
        (UnreachableError("down"), Outcome.HINDERED),
        (AuthenticationError("no"), Outcome.HINDERED),
        (OutcomeUnknownError("cut"), Outcome.HINDERED),
        (StateError("disk full"), Outcome.HINDERED),
        (LostLeaseError("taken over"), Outcome.HINDERED),
    ],
)
def test_each_hindrance_has_its_outcome(error, outcome):
    assert outcome_of(error) is outcome


def test_an_edit_is_followed_at_once():
    rest = after_edit(Pace(interval=300.0, hindered=6), 20.0, paid=False)
    assert (rest.seconds, rest.pace.hindered) == (0.0, 0)


def test_runs_that_edit_what_they_are_made_of_slow_down_to_the_interval():
    pace, seen = Pace(interval=300.0), []
    for _ in range(14):
        rest = after_edit(pace, 0.0, paid=True)
        seen.append(rest.seconds)
        pace = rest.pace
    assert seen[: EDITS - 1] == [0.0] * (EDITS - 1)
    assert seen[EDITS - 1 : EDITS + 2] == [2.0, 4.0, 8.0]
    assert seen[-1] == 300.0


def test_somebody_who_edits_now_and_then_is_answered_at_once():
    assert after_edit(Pace(interval=300.0, paid=EDITS + 1), 30.0, paid=True).seconds == 0.0


@given(PACES, st.floats(0.0, 1e6), st.booleans())
def test_an_edit_never_waits_longer_than_the_interval(pace, rested, paid):
    assert 0.0 <= after_edit(pace, rested, paid=paid).seconds <= pace.interval
