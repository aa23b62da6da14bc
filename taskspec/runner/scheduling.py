"""Scheduling: when the next round of a watch begins, by what became of the last one. Reads no clock, throws no dice."""

from dataclasses import dataclass, replace
from typing import Final, assert_never

from taskspec.diagnostics import ManifestError
from taskspec.errors import EngineError, LimitError, LockHeldError, MissingSecretError, RateLimitedError, UsageError
from taskspec.events import RoundOutcome

FIRST: Final = 2.0
"""Seconds that the first pause after a hindrance may take; each further one may take twice as long."""
CAP: Final = 900.0
"""The longest that one may take, in seconds."""
SHORTEST: Final = 0.5
"""The shortest that one takes, whatever the dice say."""
EDITS: Final = 3
"""So many edits in a row that start runs are followed at once; those behind them wait, each twice as long."""
_MOST_DOUBLINGS: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How a watch goes: its interval in seconds, and what has happened in a row."""

    interval: float
    hindered: int = 0
    """Rounds in a row that came to nothing, or to less than was planned."""
    paid: int = 0
    """Rounds in a row that followed an edit and started runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """The time until the next round, in seconds, and the pace from then on."""

    seconds: float
    pace: Pace


def outcome_of(error: Exception) -> RoundOutcome:
    """Return what a round has come to that could not be carried out."""
    match error:
        case ManifestError():
            return RoundOutcome.WRONG
        case UsageError() | LimitError() | MissingSecretError():
            return RoundOutcome.REFUSED
        case LockHeldError() | EngineError():
            return RoundOutcome.HELD
        case _:
            return RoundOutcome.HINDERED


def asked_to_wait(error: Exception | None) -> float:
    """Return the seconds that the remote asks to be left alone."""
    return (error.retry_after or 0.0) if isinstance(error, RateLimitedError) else 0.0


def after(pace: Pace, outcome: RoundOutcome, dice: float, at_least: float = 0.0) -> Rest:
    """Return the rest after a round; `dice` is a number from 0 to 1, as likely as any other.

    What is hindered is tried again after a pause of any length up to a bound that doubles (full jitter): watches that
    were hindered together do not come back together. What stands in the way on this machine, or concerns some tasks
    only, is never put off beyond the interval.
    """
    match outcome:
        case RoundOutcome.SETTLED | RoundOutcome.WRONG | RoundOutcome.REFUSED:
            return Rest(seconds=pace.interval, pace=replace(pace, hindered=0))
        case RoundOutcome.CUT | RoundOutcome.STOPPED:
            return Rest(seconds=0.0, pace=replace(pace, hindered=0))
        case RoundOutcome.FALTERED | RoundOutcome.HELD | RoundOutcome.HINDERED:
            bound = min(CAP, FIRST * 2.0 ** min(pace.hindered, _MOST_DOUBLINGS))
            if outcome is not RoundOutcome.HINDERED:
                bound = min(bound, pace.interval)
            seconds = max(bound * dice, SHORTEST, min(at_least, CAP))
            return Rest(seconds=seconds, pace=replace(pace, hindered=pace.hindered + 1))
        case _:
            assert_never(outcome)


def after_edit(pace: Pace, rested: float, *, paid: bool) -> Rest:
    """Return the rest before the round that follows an edit.

    `rested` is how long nothing had changed, `paid` whether the round before followed an edit, too, and started runs.
    Somebody who edits is answered at once; a task whose own run edits what it is made of must not run, and be paid,
    as fast as the machine can.
    """
    in_a_row = pace.paid + 1 if paid else 0
    wait = 0.0 if in_a_row < EDITS else min(pace.interval, 2.0 ** min(in_a_row - EDITS + 1, _MOST_DOUBLINGS))
    return Rest(seconds=max(0.0, wait - rested), pace=replace(pace, hindered=0, paid=in_a_row))
