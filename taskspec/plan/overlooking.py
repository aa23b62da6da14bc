"""Overlooking: what a plan has asked of the remote and could not see. Decides nothing, and asks nobody."""

from collections.abc import Iterator
from dataclasses import dataclass

from taskspec.address import Address
from taskspec.observed.model import Observed, Unreadable
from taskspec.plan.model import Change, Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlooked:
    """What could not be looked at for one reason; what has an agent in `agents` is not among `addresses`."""

    reason: str
    agents: tuple[str, ...] = ()
    """Those whose runs could not be listed."""
    addresses: tuple[Address, ...] = ()
    """Those whose run could not be read."""


def overlooked(plan: Plan) -> tuple[Overlooked, ...]:
    """Return what could not be looked at, apart from the changes that are in error for it and tell so themselves."""
    if plan.basis is None:
        return ()
    observed = plan.basis.observed
    told = [change for change in plan.changes if not change.in_error]
    agents = {change.agent: why for change in told if (why := observed.unlisted.get(change.agent)) is not None}
    unread = {
        change.address: why for change in told for why in _unread(change, observed) if agents.get(change.agent) != why
    }
    return tuple(
        Overlooked(
            reason=reason,
            agents=tuple(agent for agent, why in agents.items() if why == reason),
            addresses=tuple(address for address, why in unread.items() if why == reason),
        )
        for reason in dict.fromkeys([*agents.values(), *unread.values()])
    )


def _unread(change: Change, observed: Observed) -> Iterator[str]:
    last = change.record.generation.last if change.record is not None else None
    found = observed.runs.get(last.run) if last is not None and last.run is not None else None
    if isinstance(found, Unreadable):
        yield found.reason
