"""Reminding: a text that was asked for before, and whose result is kept. Accepts nothing, reads no store.

An older generation than the last is known by the markers of its runs alone, which have the beginning of a digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.markers import digest_of, marker_in
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.request_reasons import text_kept
from taskspec.state.model import Record, Verdict

MOST: Final = 500
"""Of so many changes of a plan the history is looked at."""

Former = Callable[[Address, Record], Sequence[Kept]]
"""Tells which results of an address are kept."""


def nothing_kept(_: Address, __: Record) -> Sequence[Kept]:
    """Tell of no result."""
    return ()


def reminded(plan: Plan, former: Former) -> Plan:
    """Return a plan whose runs say that an older result of the very text could be taken in their place."""
    asked = [change.address for change in plan.changes if _is_concerned(change)][:MOST]
    if not asked:
        return plan
    chosen = frozenset(asked)
    return replace(
        plan, changes=tuple(_reminded(one, former) if one.address in chosen else one for one in plan.changes)
    )


def _is_concerned(change: Change) -> bool:
    """Tell whether a run is planned because the text is another one, and there was an older one than that."""
    if change.action is not Action.CREATE or not change.paid or not isinstance(change.task, DesiredTask):
        return False
    is_changed = any(reason.code == "spec_changed" for reason in change.reasons)
    return is_changed and change.record is not None and change.record.generation.number > 1


def _reminded(change: Change, former: Former) -> Change:
    task, record = change.task, change.record
    if not isinstance(task, DesiredTask) or record is None:
        return change
    wanted = digest_of(task.fingerprint)
    kept = next((one for one in former(change.moved_from or change.address, record) if _is_of(one, wanted)), None)
    if kept is None:
        return change
    return replace(change, reasons=(*change.reasons, text_kept(change.address, kept.generation)))


def _is_of(kept: Kept, wanted: str) -> bool:
    marker = marker_in(kept.attempt.marker)
    return kept.attempt.verdict is Verdict.ACCEPTED and marker is not None and marker.digest == wanted
