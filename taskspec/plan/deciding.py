"""Deciding: desired, recorded and observed → a plan. Pure and total: asks no clock, no remote and no store.

The declared side picks the column of the decision table: no longer declared, the text of an older accepted generation
again, unchanged, or changed. Where a changed text would start a run, and its result of before is kept, that is taken
(`retaking`). The bucket in which the recorded side stands (`standing`) picks the row. What depends on
other tasks is decided after them (`sequencing`, `depending`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.documents.model import When
from taskspec.health import Health
from taskspec.observed.model import Observed
from taskspec.plan import reasons, request_reasons, rerun_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about, changed_fields, differences, settle, settle_with_a_run, start
from taskspec.plan.ending import accepted, ended, outdone, returned
from taskspec.plan.guarding import guards, protected_held, repeating_marked
from taskspec.plan.leaving import left_out
from taskspec.plan.model import Action, Basis, Change, Circumstances, Plan
from taskspec.plan.moving import Moves, moves_of
from taskspec.plan.regrading import dependents, regraded, regraded_now
from taskspec.plan.removing import held, undeclared
from taskspec.plan.renewing import due_again, never_again
from taskspec.plan.repeating import repeated, told_why_not
from taskspec.plan.retaking import is_retakable, retaken
from taskspec.plan.retrying import grants_another
from taskspec.plan.running import active, overtaken
from taskspec.plan.sequencing import NO_CONTENTS, Known, case_of, in_order
from taskspec.plan.standing import Place, Standing
from taskspec.state.model import Accepted, Record, Sending, Snapshot

__all__ = ["alone", "decide", "decide_again", "grants_another"]


def decide(
    desired: Desired,
    snapshot: Snapshot,
    observed: Observed,
    circumstances: Circumstances,
    contents: Mapping[str, str] = NO_CONTENTS,
) -> Plan:
    """Return what is to be done about each selected address, and why.

    `contents` are the accepted results that tasks use, by digest.
    """
    moves = moves_of(desired, snapshot, contents)
    snapshot, circumstances = moves.rekeyed(snapshot, circumstances.spent), _today(circumstances, moves)
    addresses = [*desired.tasks, *sorted(snapshot.records.keys() - desired.tasks.keys())]
    selected = circumstances.selected
    chosen = addresses if selected is None else [address for address in addresses if address in selected]
    basis = Basis(observed=observed, circumstances=circumstances, dependents=dependents(desired))
    known = Known(snapshot=snapshot, basis=basis, contents=contents, moves=moves)
    decided = in_order(chosen, desired, known, alone)
    unselected = [] if selected is None else [address for address in addresses if address not in selected]
    return Plan(
        id=circumstances.plan,
        project=desired.project.name,
        environment=desired.project.environment,
        lineage=snapshot.lineage,
        serial=snapshot.serial,
        created_at=circumstances.now,
        changes=decided.changes,
        unselected=len(unselected),
        basis=replace(known.basis, known=decided.known),
        left_out=left_out(decided, desired.tasks, unselected),
    )


def decide_again(basis: Basis, task: DesiredTask, record: Record | None) -> Change:
    """Return what is to be done about a task whose text has become known, and whose upstream is accepted.

    The plan had the most that this can be: it starts a run only where that was planned.
    """
    return guards(basis.observed)(alone(case_of(task.address, task, record, basis)))


def _today(circumstances: Circumstances, moves: Moves) -> Circumstances:
    """Return the circumstances with the addresses that tasks have now in the place of their former ones."""
    if not moves.former:
        return circumstances
    selected = circumstances.selected
    return replace(
        circumstances,
        requested=moves.followed(circumstances.requested),
        rerun=moves.followed(circumstances.rerun),
        selected=None if selected is None else moves.followed(selected),
        former=lambda address, record: circumstances.former(moves.former.get(address, address), record),
    )


_ACTIVE = frozenset({Standing.PENDING, Standing.EXECUTING, Standing.PAUSED})
_ENDED = frozenset(
    {
        Standing.REJECTED,
        Standing.FAILED,
        Standing.ERROR,
        Standing.STOPPED_BY_US,
        Standing.STOPPED_BY_OTHER,
        Standing.MISSING_ENDED,
    }
)
_UNACCOUNTED = _ACTIVE | {Standing.UNSETTLED, Standing.UNREADABLE, Standing.UNKNOWN_STATUS}


def alone(case: Case) -> Change:
    """Return what is to be done about an address as if it depended on no other: the decision table, and its guards."""
    return told_why_not(case, protected_held(case, repeating_marked(case, _by_the_table(case))))


def _by_the_table(case: Case) -> Change:
    task = case.task
    if task is None:
        change = undeclared(case)
        refused = (request_reasons.request_undeclared(),) if case.requested else ()
        return replace(change, reasons=(*change.reasons, *refused))
    if isinstance(task, DeferredTask):
        raise TypeError(f"{case.address} is not finished")
    moved = case.situation.place is Place.OTHER_REMOTE and case.situation.standing is not Standing.MISSING_ACTIVE
    moved = moved and task.policies.rerun.when is not When.NEVER
    if (case.requested or moved) and _is_accounted_for(case):
        if case.requested and not _is_needless(case, task):
            return start(case, Action.CREATE, request_reasons.attempt_requested(), *changed_fields(case))
        if moved:
            return start(case, Action.CREATE, reasons.remote_changed(), *changed_fields(case))
    if case.requested and _is_out_of_reach(case):
        why = (request_reasons.attempt_requested(), reasons.run_unreadable(case.situation))
        return start(case, Action.CREATE, *why, *changed_fields(case))
    change = _column(case, task)
    if not case.requested or change.paid:
        return change
    is_needless = change.kept is not None or _is_needless(case, task)
    left = request_reasons.request_needless() if is_needless else request_reasons.request_put_off(case.situation)
    return replace(change, reasons=(*change.reasons, left))


def _is_accounted_for(case: Case) -> bool:
    """Tell whether there was a run and it cannot matter any more: only then may one be started outside the table.

    A completed run of the declared text is judged first: that costs nothing, and its result is paid for.
    """
    standing = case.situation.standing
    if standing is Standing.UNJUDGED:
        return not case.same_text
    if (again := regraded_now(case)) is not None and again.turns:
        return False
    return standing is not Standing.NOTHING and standing not in _UNACCOUNTED


def _is_needless(case: Case, task: DesiredTask) -> bool:
    """Tell whether what is declared has its accepted result: asking for an attempt more is no wish to pay again.

    That result may be one of an older generation, whose text was declared again: recorded still, or only kept.
    """
    kept = case.record.accepted if case.record else None
    if case.same_text:
        again, has_it = regraded_now(case), case.situation.standing is Standing.ACCEPTED
    elif kept is not None and kept.fingerprint == task.fingerprint:
        again, has_it = regraded(case, task, kept.attempt), case.situation.standing not in _UNACCOUNTED
    else:
        return case.situation.standing not in _UNACCOUNTED and not case.rerun and is_retakable(case, task)
    return has_it and (again is None or not again.is_doubtful)


def _is_out_of_reach(case: Case) -> bool:
    """Tell whether the run was on an engine whose data is gone: no look can ever account for it, only a person can."""
    return case.situation.standing is Standing.UNREADABLE and case.situation.place is Place.OTHER_INSTANCE


def _column(case: Case, task: DesiredTask) -> Change:
    result = case.record.accepted if case.record else None
    is_spared = case.situation.standing in _ENDED and never_again(task, case.record)
    if case.is_exactly_asked and not is_spared:
        return _unchanged(case, task)
    if result is not None and result.fingerprint == task.fingerprint:
        return _returned(case, task, result)
    if case.same_text and not is_spared:
        return _noted(case, task, _unchanged(case, task))
    if result is not None and task.asks_for(result.fingerprint):
        return _noted(case, task, _returned(case, task, result))
    return retaken(case, task, _changed(case, task))


def _noted(case: Case, task: DesiredTask, change: Change) -> Change:
    """Add to a change that starts no run in what the task differs from what was asked for."""
    if change.paid or not (fields := dict.fromkeys(str(diff.path[0]) for diff in differences(case))):
        return change
    return replace(change, reasons=(*change.reasons, rerun_reasons.change_ignored(task, fields)))


def _unchanged(case: Case, task: DesiredTask) -> Change:
    situation = case.situation
    match situation.standing:
        case Standing.NOTHING | Standing.UNSETTLED if (kept := _kept_from_before(case, task)) is not None:
            why = reasons.accepted(kept)
            return settle(case, why) if situation.standing is Standing.UNSETTLED else returned(case, task, kept, why)
        case Standing.NOTHING:
            return _not_reached(case)
        case Standing.UNSETTLED:
            return settle_with_a_run(case, *changed_fields(case))
        case Standing.ACCEPTED:
            return _renewed(case, task, case.record.accepted if case.record else None, accepted(case, task))
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            return active(case)
        case Standing.UNJUDGED:
            return about(case, Action.REJUDGE, Health.HEALTHY, reasons.result_not_judged(situation))
        case Standing.REJECTED | Standing.FAILED | Standing.ERROR | Standing.STOPPED_BY_US | Standing.STOPPED_BY_OTHER:
            return ended(case, task, situation.standing)
        case Standing.MISSING_ENDED:
            return ended(case, task, situation.last_seen)
        case Standing.MISSING_ACTIVE | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return held(case)
        case _:
            assert_never(situation.standing)


def _changed(case: Case, task: DesiredTask) -> Change:
    situation = case.situation
    match situation.standing:
        case Standing.NOTHING:
            return _not_reached(case)
        case Standing.UNSETTLED:
            return settle_with_a_run(case, *changed_fields(case))
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            return overtaken(case, task, *changed_fields(case))
        case Standing.ERROR:
            why = reasons.run_ended(situation, situation.standing)
            return start(case, Action.CREATE, *changed_fields(case), why)
        case (
            Standing.ACCEPTED
            | Standing.UNJUDGED
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ENDED
        ):
            return start(case, Action.CREATE, *changed_fields(case))
        case Standing.MISSING_ACTIVE | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return held(case)
        case _:
            assert_never(situation.standing)


def _returned(case: Case, task: DesiredTask, result: Accepted) -> Change:
    """Decide for a text whose result is accepted, although another one was asked for since."""
    situation, is_again = case.situation, result.fingerprint == task.fingerprint and not case.is_exactly_asked
    why = reasons.text_returned(result, task) if is_again else reasons.accepted(result)
    match situation.standing:
        case Standing.UNSETTLED:
            return settle(case, why)
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            return outdone(case, task, result, why, reasons.run_active(situation))
        case Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return held(case)
        case Standing.MISSING_ACTIVE:
            return _renewed(case, task, result, returned(case, task, result, why, reasons.run_gone(situation)))
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
            return _renewed(case, task, result, returned(case, task, result, why))
        case _:
            assert_never(situation.standing)


def _renewed(case: Case, task: DesiredTask, result: Accepted | None, kept: Change) -> Change:
    """Start a run for what has its accepted result where `rerun`, or a person, asks for it again; else keep it."""
    why = _due(case, task, result) if result is not None else None
    if why is None or kept.in_error:
        return kept
    return start(case, Action.CREATE, why, *changed_fields(case), anew=True)


def _kept_from_before(case: Case, task: DesiredTask) -> Accepted | None:
    """Return the result that a text has, where it was asked for once more, no agent is known to have been reached, and
    `rerun` asks for that no longer: nothing takes the place of that run."""
    record = case.record
    kept = record.accepted if record else None
    if record is None or kept is None or not task.asks_for(kept.fingerprint):
        return None
    reached = any(attempt.sending is Sending.BOUND for attempt in record.generation.attempts)
    if reached and not never_again(task, record):
        return None
    return kept if _due(case, task, kept) is None else None


def _due(case: Case, task: DesiredTask, result: Accepted) -> Reason | None:
    """Return why what has its accepted result runs again; None where it does not."""
    return repeated(case, result) or due_again(task, result, now=case.now, plan=case.plan)


def _not_reached(case: Case) -> Change:
    """Create what no agent was ever asked for, although it may have been tried."""
    last = case.record.generation.last if case.record else None
    tried = reasons.attempt_not_counted(last) if last else reasons.not_recorded()
    return start(case, Action.CREATE, tried, *changed_fields(case))
