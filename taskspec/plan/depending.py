"""Depending: what becomes of a task while not all of its upstream is accepted. Decides nothing about the upstream.

Each upstream task has its prospect (`prospect`). All DONE: the task stands alone, and where it uses results it is
finished with them and decided like any other. One SHUT shuts the task too; else it depends on what is OPEN.

A task whose text is known keeps its own change if that starts no run. A change that would start one becomes
conditional while its upstream is OPEN. A deferred task, whose text is not known, gets the most that may be done:

recorded                                       upstream OPEN (conditional)      upstream SHUT
nothing                                        create                           blocked
unsettled intent                               settle                           settle, and start nothing
accepted (perhaps of the very text)            create                           blocked; the old result is kept
pending · executing · paused                   replace                          wait, as the run is paid for
completed, not judged                          create                           rejudge, for the same reason
rejected · failed · error · stopped · missing  create                           blocked
lost · unreadable · unknown status             hold                             hold

A conditional change that `protect` would hold is a conditional hold: it starts no run, and is decided once more.
The second column also holds for a known text that would start a run. Lost runs, and runs whose engine is gone, may be
run anew by hand while the upstream is OPEN. What is waited for or judged under a SHUT upstream has its health: the
result is none of what is declared now, or nobody knows it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.health import Health
from taskspec.plan import reasons, request_reasons, upstream_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about, settle, settle_with_a_run, start
from taskspec.plan.model import Action, Change, Declared
from taskspec.plan.prospect import Prospect, Upstream, gravest
from taskspec.plan.removing import held
from taskspec.plan.running import active, overtaken
from taskspec.plan.standing import Place, Situation, Standing


def dependent(case: Case, task: DesiredTask, own: Change, upstream: Sequence[Upstream]) -> Change:
    """Return the change of a task whose text is known, given the one that it would have alone."""
    waiting = _waited_for(upstream)
    if not waiting or not own.paid:
        return _later(own, waiting)
    shut = _shut(waiting)
    if shut:
        return replace(_blocked(case, task, shut), after=_addresses(waiting))
    why = upstream_reasons.waits_for_upstream(task, [one.change for one in waiting])
    return replace(own, conditional=True, after=_addresses(waiting), reasons=(*own.reasons, why))


def deferred(case: Case, task: DeferredTask, upstream: Sequence[Upstream]) -> Change:
    """Return the change of a task that cannot be finished yet."""
    waiting = _waited_for(upstream)
    shut = _shut(waiting)
    change = _blocked(case, task, shut) if shut else _most(case, task, [one.change for one in waiting])
    return replace(change, after=_addresses(waiting))


def _waited_for(upstream: Sequence[Upstream]) -> list[Upstream]:
    return [one for one in upstream if one.prospect is not Prospect.DONE]


def _shut(waiting: Sequence[Upstream]) -> list[Upstream]:
    return [one for one in waiting if one.prospect is Prospect.SHUT]


def _later(own: Change, waiting: Sequence[Upstream]) -> Change:
    """Let a task with a known text have its own change; a run that it follows gets no successor before its time."""
    follows = own.action in {Action.WAIT, Action.REJUDGE} and not own.rejudges
    return replace(own, after=_addresses(waiting)) if follows else own


def _addresses(waiting: Sequence[Upstream]) -> tuple[Address, ...]:
    return tuple(one.change.address for one in waiting)


def _most(case: Case, task: DeferredTask, waiting: Sequence[Change]) -> Change:
    """Return the most that may be done about a deferred task when its upstream is accepted."""
    situation, why = case.situation, (upstream_reasons.known_after(task, waiting),)
    asked = (request_reasons.attempt_requested(),) if case.requested else ()
    match situation.standing:
        case Standing.UNSETTLED:
            change = settle_with_a_run(case, *why)
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            change = overtaken(case, task, *asked, *why)
            if change.refused:  # only where its text turns out to be another one
                return replace(active(case), conditional=True, reasons=change.reasons)
            if situation.standing is Standing.PAUSED:
                change = replace(change, health=Health.NEEDS_INPUT)
        case Standing.MISSING_ACTIVE | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            if not case.requested or not _is_out_of_reach(situation):
                return held(case, *why)
            gone = () if situation.standing is Standing.MISSING_ACTIVE else (reasons.run_unreadable(situation),)
            change = start(case, Action.CREATE, *asked, *gone, *why)
        case (
            Standing.NOTHING
            | Standing.ACCEPTED
            | Standing.UNJUDGED
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.ERROR
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ENDED
        ):
            change = start(case, Action.CREATE, *asked, *why)
        case _:
            assert_never(situation.standing)
    return replace(change, conditional=change.paid)


def _is_out_of_reach(situation: Situation) -> bool:
    """Tell whether no look can ever account for the run: it is lost, or was on an engine whose data is gone."""
    return situation.standing is Standing.MISSING_ACTIVE or situation.place is Place.OTHER_INSTANCE


def _blocked(case: Case, task: Declared, shut: Sequence[Upstream]) -> Change:
    """Start nothing; what was started already is seen to its end."""
    situation, health = case.situation, gravest([one.health for one in shut])
    why = _obstacles(task, shut)
    if case.requested:
        why = (*why, upstream_reasons.request_waits([one.change for one in shut]))
    match situation.standing:
        case Standing.UNSETTLED:
            found = settle(case, *why)
            if found.action is Action.HOLD:
                return found
            return replace(found, reasons=(*why, *found.reasons[: -len(why)]), destructive=False)
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            running = active(case)
            return replace(running, health=gravest([health, running.health]), reasons=(*why, *running.reasons))
        case Standing.UNJUDGED:
            return about(case, Action.REJUDGE, health, *why, reasons.result_not_judged(situation))
        case Standing.MISSING_ACTIVE | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return held(case, *why)
        case (
            Standing.NOTHING
            | Standing.ACCEPTED
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.ERROR
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ENDED
        ):
            return about(case, Action.BLOCKED, health, *why)
        case _:
            assert_never(situation.standing)


def _obstacles(task: Declared, shut: Sequence[Upstream]) -> tuple[Reason, ...]:
    unselected = [one.change for one in shut if not one.selected]
    found = list(upstream_reasons.upstream_unhealthy([one.change for one in shut if one.selected]))
    if unselected:
        found.append(upstream_reasons.upstream_not_selected(task, unselected))
    return tuple(found)
