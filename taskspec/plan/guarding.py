"""Guarding: holds planned changes that must not be carried out. Plans nothing itself."""

from collections.abc import Callable
from dataclasses import replace

from taskspec.diagnostics import nearest
from taskspec.health import Health
from taskspec.observed.model import Observed
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about
from taskspec.plan.model import Action, Change, Declared
from taskspec.plan.reasons import unknown_agent
from taskspec.plan.rerun_reasons import protected, repeats_side_effects, would_be_protected
from taskspec.plan.standing import Standing
from taskspec.plan.unrecorded_reasons import runs_unlisted, unrecorded_runs
from taskspec.state.model import Record

Guard = Callable[[Change], Change]
"""Returns a change as it is, or held."""


def guards(observed: Observed) -> Guard:
    """Return everything that holds changes, as one guard."""
    unknown, astray = unknown_agents_held(observed), strays_held(observed)
    return lambda change: astray(unknown(change))


def strays_held(observed: Observed) -> Guard:
    """Return the guard that holds what would start a run beside one that bears a marker of its address.

    Nothing accounts for that run, so a person decides. Where the runs of the agent were to be searched for such and
    could not be listed, nobody knows.
    """

    def guarded(change: Change) -> Change:
        if not change.paid or change.task is None:
            return change
        if found := observed.strays.get(change.address):
            held = _hold(change, unrecorded_runs(change.address, found), Health.UNKNOWN)
            return replace(held, run=found[0].id if len(found) == 1 else None)
        if why := observed.unlisted.get(change.agent):
            return replace(_hold(change, runs_unlisted(change.agent, why), Health.UNKNOWN), in_error=True)
        return change

    return guarded


def unknown_agents_held(observed: Observed) -> Guard:
    """Return the guard that holds what would start a run of an agent which the remote does not have."""
    known = observed.agents
    suggestions: dict[str, str] = {}

    def guarded(change: Change) -> Change:
        if known is None or not change.paid or change.agent in known:
            return change
        if change.task is None:
            return change
        if change.agent not in suggestions:
            suggestions[change.agent] = nearest(change.agent, sorted(known))
        why = unknown_agent(change.task, suggestions[change.agent])
        return replace(_hold(change, why, Health.UNHEALTHY), in_error=True)

    return guarded


def repeating_marked(case: Case, change: Change) -> Change:
    """Return a change as destructive where it may repeat the side effects of a run that was made before."""
    task = case.task
    if task is None or not task.policies.side_effects or not change.paid or not has_run(case):
        return change
    return replace(change, destructive=True, reasons=(*change.reasons, repeats_side_effects(task)))


def protected_held(case: Case, change: Change) -> Change:
    """Return a destructive change of a protected task held; what has to be settled is, and held after it."""
    task = case.task
    if not is_protected(task, case.record) or not change.destructive or change.action is Action.SETTLE:
        return change
    held = about(case, Action.HOLD, change.health, protected(change.address, task), *change.reasons)
    return replace(held, diffs=change.diffs, refused=True)


def would_be_held(case: Case, change: Change) -> Change:
    """Return the destructive change of a protected task whose text is not known yet as one that would be held.

    It is decided once more when its upstream is accepted: where that answers as before, nothing has to be held.
    """
    task = case.task
    if task is None or not is_protected(task, case.record) or not change.destructive or change.action is Action.SETTLE:
        return change
    held = about(case, Action.HOLD, change.health, would_be_protected(task), *change.reasons)
    return replace(held, after=change.after, diffs=change.diffs, conditional=True, refused=True)


def is_protected(task: Declared | None, record: Record | None) -> bool:
    """Tell whether nothing destructive is to be done: as declared, or as recorded of what is declared no longer."""
    return task.policies.protect if task is not None else record is not None and record.protect


def has_run(case: Case) -> bool:
    """Tell whether an agent was reached before, or may have been, by other than what is to be settled now."""
    record, current = case.record, case.situation.attempt
    if record is None:
        return False
    open_intent = current if case.situation.standing is Standing.UNSETTLED else None
    counted = any(attempt.counts for attempt in record.generation.attempts if attempt is not open_intent)
    return counted or record.accepted is not None or record.generation.number > 1


def _hold(change: Change, why: Reason, health: Health) -> Change:
    return replace(
        change,
        action=Action.HOLD,
        reasons=(why, *change.reasons),
        health=health,
        paid=False,
        conditional=False,
        destructive=False,
    )
