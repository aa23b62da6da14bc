"""Limiting: which limits of a project a plan goes beyond: then it is refused as a whole. Changes no plan."""

from collections.abc import Collection, Iterable
from typing import Final

from taskspec.documents.model import Limits, Source
from taskspec.plan.model import Action, Change
from taskspec.plan.refusals import Refusal

FEW: Final = 10
"""Percentages say nothing of fewer recorded tasks than this."""
LIMITS: Final = ("maxCreate", "maxStop", "maxStopPercent")
_STOPPING: Final = frozenset({Action.STOP, Action.REPLACE})


def refusals(
    changes: Iterable[Change], recorded: int, limits: Limits, source: Source | None, overridden: Collection[str]
) -> tuple[Refusal, ...]:
    """Return the limits that changes go beyond, given the number of recorded tasks, without those overridden."""
    listed = list(changes)
    started = tuple(change.address for change in listed if change.paid)
    stopped = tuple(change.address for change in listed if change.action in _STOPPING or _may_stop(change))
    percent = -(-100 * len(stopped) // recorded) if recorded >= FEW else 0
    checked = (
        ("maxCreate", limits.max_create, len(started), started),
        ("maxStop", limits.max_stop, len(stopped), stopped),
        ("maxStopPercent", limits.max_stop_percent, percent, stopped),
    )
    return tuple(
        Refusal(
            limit=name,
            allowed=allowed,
            found=found,
            addresses=addresses,
            position=source.position(("limits", name), key=True),
        )
        for name, allowed, found, addresses in checked
        if source is not None and allowed is not None and found > allowed and name not in overridden
    )


def _may_stop(change: Change) -> bool:
    """Tell whether settling an intent is to end a run that was seen at work: it is none of what is declared."""
    return change.action is Action.SETTLE and change.destructive
