"""Tallying: the runs of a plan, counted by what causes each in the end. Decides nothing.

What causes a change are the leaves of its reasons, and what causes the tasks that it waits for. A run that has several
causes counts with each of them: it would be paid for without any one of the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.plan.causes import CausingLine, Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN

_NO_EDIT: Final = {"not_recorded": "never run before", "rerun_after": "time, by `rerun.after`"}
"""What no edit has caused, in words."""
MOST: Final = 200
"""So many causes of one change are followed."""
_WAITING: Final = frozenset({"known_after", "waits_for_upstream"})
_BESIDE: Final = frozenset({"side_effects", "moved", "change_protected", "text_kept", "kept_not_taken", "run_gone"})
"""Reasons that tell something of a change, and cause none."""


class Root(NamedTuple):
    """What causes a run in the end: a place in the documents, or, where there is none, words."""

    line: CausingLine | None
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One cause, and how many runs it has: those that are certain, and those that depend on how others end."""

    root: Root
    position: Position | None
    certain: int
    conditional: int


Roots = Mapping[Address, Mapping[Root, Position | None]]
"""For each address, what causes its change, each with its place."""


def roots_of(plan: Plan) -> Roots:
    """Return what causes each change of a plan; each task stands behind those that it waits for."""
    found: dict[Address, Mapping[Root, Position | None]] = {}
    for change in plan.changes:
        own = dict(_own(change))
        above = [found[address] for address in change.after if address in found]
        if len(above) == 1 and not own:
            found[change.address] = above[0]
            continue
        for one in above:
            for root, position in one.items():
                if len(own) < MOST:
                    own.setdefault(root, position)
        found[change.address] = own
    return found


def causes_of(plan: Plan, roots: Roots) -> tuple[Cause, ...]:
    """Return the causes of the runs of a plan, those of the most runs first."""
    counted: dict[Root, list[int]] = {}
    places: dict[Root, Position | None] = {}
    for change in plan.changes:
        for root, position in roots[change.address].items() if change.paid else ():
            counted.setdefault(root, [0, 0])[change.conditional] += 1
            places.setdefault(root, position)
    causes = (
        Cause(root=root, position=places[root], certain=certain, conditional=conditional)
        for root, (certain, conditional) in counted.items()
    )
    return tuple(sorted(causes, key=lambda cause: (-cause.certain - cause.conditional, -cause.certain)))


def _own(change: Change) -> Iterator[tuple[Root, Position | None]]:
    """Yield what causes a change apart from what it waits for."""
    renamed = [reason for reason in change.reasons if reason.code == "may_be_renamed"]
    causing = renamed or [reason for reason in change.reasons if _is_causing(reason, change)]
    if not causing and not change.after:
        causing = list(change.reasons[:1])
    for reason in causing:
        for leaf, position in _leaves(reason, reason.position):
            line = CausingLine(position.file, position.line, leaf.removed) if position is not None else None
            if leaf.code in _NO_EDIT or line is None:
                yield Root(None, _NO_EDIT.get(leaf.code, leaf.text)), None
            else:
                yield Root(line), position


def _is_causing(reason: Reason, change: Change) -> bool:
    if reason.code in _WAITING or reason.code in _BESIDE:
        return False
    return reason.code not in NEEDING_NO_RUN or change.action is Action.REJUDGE


def _leaves(reason: Reason, position: Position | None) -> Iterator[tuple[Reason, Position | None]]:
    """Yield what is behind a reason in the end, each with its place; what has none of its own is where that is."""
    behind = [one for one in reason.because if one.code != "differs_too"]
    if len(behind) > 1:  # that a default gives a field is no news where something else is
        behind = [one for one in behind if one.code != "default_changed" or one.because] or behind
    if not behind:
        yield reason, reason.position or (None if reason.code == "input_changed" else position)
    for one in behind:
        yield from _leaves(one, one.position or position)
