"""Reminding: a text that was probably asked for before, and whose result is kept. Accepts nothing, reads no store.

What is known for certain is taken without asking (`retaking`). Where an older taskspec, or a rebuilt state, tells a
generation by the markers of its runs alone, these have the beginning of a digest: a person decides.
"""

from dataclasses import replace
from typing import Final

from taskspec.desired.model import DesiredTask
from taskspec.markers import digest_of, marker_in
from taskspec.plan.keeping import Former, Kept
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.request_reasons import text_kept
from taskspec.state.model import Verdict

MOST: Final = 500
"""Of so many changes of a plan the history is looked at."""


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
    codes = {reason.code for reason in change.reasons}
    return (
        "spec_changed" in codes
        and "kept_not_taken" not in codes
        and change.record is not None
        and change.record.generation.number > 1
    )


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
