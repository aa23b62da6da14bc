"""Capping: what may still be done of a saved plan, given what would be decided now: as much, or less. Decides nothing.

A change of now stands where it starts no run and ends no run that was not to be started or ended, sends no title that
was not to be sent, and takes no kept result but in the place of a run; else the item is left as it is, and says that
it was not planned.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taskspec.address import Address
from taskspec.plan.causes import Reason
from taskspec.plan.model import IDLE, Action, Change, Plan

_ENDING: Final = frozenset({Action.STOP, Action.REPLACE})
"""A run is asked to end."""
_TAKING: Final = _ENDING | {Action.FORGET}
"""… or a record is given up."""


def capped(now: Plan, planned: Plan) -> Plan:
    """Return the plan of now with each change no stronger than the one that was planned."""
    allowed = {change.address: change for change in planned.changes}
    changes = tuple(_capped(change, allowed.get(change.address)) for change in now.changes)
    return replace(now, id=planned.id, created_at=planned.created_at, changes=changes, commits=planned.commits)


def differences(now: Plan, planned: Plan) -> Mapping[Address, tuple[Change | None, Change | None]]:
    """Return for each address that would be treated otherwise now, what was planned and what would be done."""
    before = {change.address: change for change in planned.changes}
    today = {change.address: change for change in now.changes}
    return {
        address: (before.get(address), today.get(address))
        for address in {**before, **today}
        if _essence(before.get(address)) != _essence(today.get(address))
    }


def _essence(change: Change | None) -> tuple[object, ...] | None:
    if change is None:
        return None
    which = None if change.kept is None else (change.kept.generation, change.kept.result.digest)
    return (
        change.action,
        change.paid,
        change.destructive,
        change.generation,
        change.attempt,
        change.fingerprint,
        which,
    )


def is_stronger(now: Change, planned: Change | None) -> bool:
    """Tell whether a change would do more than was planned: start, end or rename a run, take a record or a result."""
    if planned is None:
        return now.action not in IDLE
    if now.retitles and not planned.retitles:
        return True
    if now.paid and (not planned.paid or now.generation > planned.generation):
        return True
    if now.destructive and not planned.destructive:
        return True
    if now.kept is not None and planned.kept is None and not planned.paid:
        return True
    return any(now.action in those and planned.action not in those for those in (_ENDING, _TAKING))


def _capped(now: Change, planned: Change | None) -> Change:
    if not is_stronger(now, planned):
        same = planned is not None and _essence(now) == _essence(planned)
        return replace(now, reasons=planned.reasons) if planned is not None and same else now
    why = Reason(
        code="not_planned",
        text=f"the saved plan does not have it ({now.action.value} now): {now.reasons[0].text}",
        position=now.reasons[0].position,
    )
    if planned is not None and planned.action in IDLE:
        return replace(
            now,
            action=planned.action,
            reasons=(why, *planned.reasons),
            health=planned.health,
            paid=False,
            conditional=False,
            destructive=False,
            retries=0,
            risks=(),
            kept=None,
            refused=planned.refused,
            in_error=planned.in_error,
            verdict=planned.verdict,
            run=planned.run,
        )
    if now.action is Action.UPDATE:
        return replace(now, action=Action.NONE, reasons=(why,))
    return replace(
        now,
        action=Action.HOLD,
        reasons=(why,),
        paid=False,
        conditional=False,
        destructive=False,
        retries=0,
        risks=(),
        kept=None,
        refused=True,
    )
