"""Guarding: holds planned changes that must not be carried out. Plans nothing itself."""

from collections.abc import Callable
from dataclasses import replace

from taskspec.diagnostics import nearest
from taskspec.health import Health
from taskspec.observed.model import Observed
from taskspec.plan.model import Action, Change
from taskspec.plan.reasons import unknown_agent

Guard = Callable[[Change], Change]
"""Returns a change as it is, or held."""


def unknown_agents_held(observed: Observed) -> Guard:
    """Return the guard that holds what would start a run of an agent which the remote does not have."""
    known = observed.agents
    suggestions: dict[str, str] = {}

    def guarded(change: Change) -> Change:
        if known is None or not change.paid or change.agent in known:
            return change
        if change.agent not in suggestions:
            suggestions[change.agent] = nearest(change.agent, sorted(known))
        return _hold(change, suggestions[change.agent])

    return guarded


def _hold(change: Change, suggestion: str) -> Change:
    if change.task is None:
        return change
    return replace(
        change,
        action=Action.HOLD,
        reasons=(unknown_agent(change.task, suggestion), *change.reasons),
        health=Health.UNHEALTHY,
        paid=False,
        conditional=False,
        destructive=False,
        in_error=True,
    )
