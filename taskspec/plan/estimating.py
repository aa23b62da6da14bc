"""Estimating: what the history says that runs of a task have taken → what a planned one is likely to. Reads nothing.

Only runs of the very task count, and only those that ended by themselves: one that was stopped, or that an error of the
platform cut, says nothing about the next. What is not known is None, and never 0.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from taskspec.address import Address
from taskspec.plan.estimates import Estimate, Measured, Spread, Total
from taskspec.plan.model import Change, Plan
from taskspec.state.model import Note
from taskspec.taskapi.records import AgentExecutionStatus as Status

MOST: Final = 20
"""How many runs an estimate rests on, the newest ones."""
NOTES: Final = 100
"""How many notes of its history are looked at for them: a run leaves three, and more where it met with trouble."""

Measure = Callable[[Address], Sequence[Measured]]
"""Tells what the last runs of an address took."""

_BY_THEMSELVES: Final = frozenset({Status.Completed.value, Status.Failed.value})


def unmeasured(_: Address) -> Sequence[Measured]:
    """Tell of no run of any address."""
    return ()


def measured(notes: Iterable[Note]) -> Iterator[Measured]:
    """Yield what the last runs took that ended by themselves; `notes` are those of one address, the newest first."""
    ends = (
        note.data for note in islice(notes, NOTES) if note.what == "ended" and note.data.get("status") in _BY_THEMSELVES
    )
    for data in islice(ends, MOST):
        yield Measured(seconds=_seconds(data.get("seconds")), tokens=_tokens(data.get("tokens")))


def estimated(plan: Plan, measure: Measure) -> Plan:
    """Return a plan with an estimate for each change that may start a run; of no other is anything asked."""
    if not plan.paid_runs:
        return plan
    changes = (_estimated(change, measure) if change.paid else change for change in plan.changes)
    return replace(plan, changes=tuple(changes))


def estimate(runs: Sequence[Measured]) -> Estimate:
    """Return what a run is likely to take, given those before it."""
    return Estimate(
        seconds=_spread([run.seconds for run in runs if run.seconds is not None]),
        tokens=_spread([run.tokens for run in runs if run.tokens is not None]),
    )


def total_seconds(plan: Plan) -> Total:
    """Return how long the runs of a plan are likely to take, one after the other."""
    return _total([change.estimate.seconds if change.estimate else None for change in plan.changes if change.paid])


def total_tokens(plan: Plan) -> Total:
    """Return how many tokens the runs of a plan are likely to use, the conditional ones counted as certain."""
    return _total([change.estimate.tokens if change.estimate else None for change in plan.changes if change.paid])


def likely_tokens(changes: Iterable[Change]) -> Mapping[Address, int | None]:
    """Return how many tokens each run that may be paid for uses at most in nine of ten cases; None: nobody knows."""
    found: dict[Address, int | None] = {}
    for change in changes:
        if change.paid:
            tokens = change.estimate.tokens if change.estimate else None
            found[change.address] = math.ceil(tokens.p90) if tokens is not None else None
    return found


def _estimated(change: Change, measure: Measure) -> Change:
    """Estimate a change by the runs of its address, or of the one under which it is recorded so far."""
    if change.record is None and change.generation <= 1:
        return replace(change, estimate=Estimate())  # it never ran: nothing has to be looked up for that
    return replace(change, estimate=estimate(measure(change.moved_from or change.address)))


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    ranked = sorted(values)
    return Spread(p50=_rank(ranked, 0.5), p90=_rank(ranked, 0.9), runs=len(ranked))


def _rank(ranked: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of all does not exceed: one that was really measured."""
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def _total(spreads: Sequence[Spread | None]) -> Total:
    known = [spread for spread in spreads if spread is not None]
    return Total(
        p50=round(sum(spread.p50 for spread in known), 3) if known else None,
        p90=round(sum(spread.p90 for spread in known), 3) if known else None,
        known=len(known),
        unknown=len(spreads) - len(known),
    )


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _tokens(value: Any) -> int | None:
    """Return all tokens of a run; a remote that tells of none at all has told nothing."""
    match value:
        case {"prompt": int(prompt), "completion": int(completion)}:
            return prompt + completion or None
        case _:
            return None
