"""Guarding: holds planned changes that must not be carried out. Plans nothing itself."""

from collections.abc import Iterable
from dataclasses import replace

from taskspec.diagnostics import nearest
from taskspec.health import Health
from taskspec.observed.model import Observed
from taskspec.plan.model import Action, Change
from taskspec.plan.reasons import unknown_agent


def hold_unknown_agents(changes: Iterable[Change], observed: Observed) -> tuple[Change, ...]:
    """Return the changes, those held that would start a run of an agent which the remote does not have."""
    known = observed.agents
    if known is None:
        return tuple(changes)
    suggestions: dict[str, str] = {}
    held = []
    for change in changes:
        if change.paid and change.agent not in known:
            if change.agent not in suggestions:
                suggestions[change.agent] = nearest(change.agent, sorted(known))
            held.append(_hold(change, suggestions[change.agent]))
        else:
            held.append(change)
    return tuple(held)


def _hold(change: Change, suggestion: str) -> Change:
    if change.task is None:
        return change
    return replace(
        change,
        action=Action.HOLD,
        reasons=(unknown_agent(change.task, suggestion), *change.reasons),
        health=Health.UNHEALTHY,
        paid=False,
        destructive=False,
        in_error=True,
    )
