"""Obstructing: what blocks a task has its place where that of what it needs begins. Decides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from taskspec.address import Address
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, Plan

_CODE = "upstream_unhealthy"


def obstructed(plan: Plan) -> Plan:
    """Return a plan whose blocked changes say at which place stands what blocks them."""
    if not any(change.action is Action.BLOCKED for change in plan.changes):
        return plan
    done: dict[Address, Change] = {}
    for change in plan.changes:
        if change.action is Action.BLOCKED:
            done[change.address] = replace(change, reasons=tuple(_placed(change, done)))
        else:
            done[change.address] = change
    return replace(plan, changes=tuple(done.values()))


def _placed(change: Change, done: Mapping[Address, Change]) -> Iterator[Reason]:
    for reason in change.reasons:
        named = (done[one] for one in change.after if one in done and reason.text.startswith(f"`{one}` "))
        blocking = next(named, None) if reason.code == _CODE and reason.position is None else None
        if blocking is None:
            yield reason
        else:
            first = blocking.reasons[0]
            yield replace(reason, position=first.position, removed=first.removed)
