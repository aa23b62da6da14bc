"""Ending: what is to be done about a generation that has come to its end. Looks at no run that is still active."""

from dataclasses import replace

from taskspec.desired.model import DesiredTask
from taskspec.documents.model import OnChangeActive
from taskspec.health import Health
from taskspec.judging.judging import Judgement
from taskspec.plan import reasons, rerun_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about, keep, start
from taskspec.plan.model import Action, Change, FieldDiff
from taskspec.plan.regrading import Regrade, regraded
from taskspec.plan.renewing import due_after_end
from taskspec.plan.repeating import repeated_after_end
from taskspec.plan.retrying import grants
from taskspec.plan.standing import Place, Situation, Standing, verdict_of
from taskspec.state.model import Accepted, StopCause, Verdict
from taskspec.taskapi.records import ENDED

_ENDINGS = frozenset({Verdict.REJECTED, Verdict.FAILED, Verdict.ERROR, Verdict.STOPPED})


def accepted(case: Case, task: DesiredTask) -> Change:
    """Keep an accepted result, and note what changed about the task that needs no run."""
    record = case.record
    why = [reasons.accepted(record.accepted)] if record and record.accepted else []
    if record and record.on_remove is not task.policies.on_remove:
        why.append(reasons.policy_changed(task, "onRemove"))
    if record and record.protect is not task.policies.protect:
        why.append(reasons.policy_changed(task, "protect"))
    again = regraded(case, task, record.accepted.attempt if record and record.accepted else None)
    if again is not None and again.is_doubtful:
        return _taken_back(case, task, again)
    return _titled(_confirmed(about(case, Action.NONE, Health.HEALTHY, *why), task, again), case, task)


def returned(case: Case, task: DesiredTask, result: Accepted, *why: Reason) -> Change:
    """Keep the accepted result of an older generation, unless the assertions that are declared now reject it.

    Then it becomes the result of a generation of its own, so that it is neither forgotten nor paid for again.
    """
    again = regraded(case, task, result.attempt)
    if again is None or not again.is_doubtful:
        return _confirmed(keep(case, *why), task, again)
    change = _taken_back(case, task, again, *why)
    number = case.record.next_generation if case.record and change.rejudges else result.generation
    return replace(change, generation=number, attempt=1, run=result.run, verdict=Verdict.ACCEPTED)


def outdone(case: Case, task: DesiredTask, result: Accepted, *why: Reason) -> Change:
    """Stop a run whose text is not declared any more, as there is an accepted result of the text that is.

    Where the policy is not to stop it for a change, it is waited for: it is paid for.
    Where the declared assertions reject that result, or nobody can say, it makes nothing healthy; the next apply,
    which finds no run in the way, takes it back.
    """
    again = regraded(case, task, result.attempt)
    action = Action.STOP
    if task.policies.on_change_active is not OnChangeActive.REPLACE:
        action, why = Action.WAIT, (*why, rerun_reasons.let_end(task, case.situation))
    if again is None or not again.is_doubtful:
        return about(case, action, Health.HEALTHY, *why)
    if again.judgement is None:
        return about(case, action, Health.UNKNOWN, *why, reasons.result_unreadable(task))
    return about(case, action, Health.UNHEALTHY, *why, _rejection(task, again.judgement))


def ended(case: Case, task: DesiredTask, standing: Standing) -> Change:
    """Decide for a run that ended without an accepted result: a further attempt, or it stands as it is."""
    situation = case.situation
    why = [reasons.run_ended(situation, standing)]
    again = regraded(case, task, situation.attempt) if standing is Standing.REJECTED else None
    if again is not None and again.judgement is None:
        return replace(about(case, Action.HOLD, Health.UNKNOWN, *why, reasons.result_unreadable(task)), in_error=True)
    if again is not None and again.turns:
        change = about(case, Action.REJUDGE, Health.HEALTHY, reasons.assertions_changed(task, "is accepted by them"))
        return replace(change, judgement=again.judgement)
    if again is not None and again.judgement is not None:
        why = [reasons.assertions_changed(task, "is still rejected", again.judgement.detail)]
    if situation.standing is Standing.MISSING_ENDED:
        why.append(reasons.run_gone(situation))
    if _is_unfinished(situation, standing):
        return start(case, Action.CREATE, *why)
    if _is_granted(case, task):
        return start(case, Action.CREATE, *why, reasons.attempt_granted(situation, task))
    generation = case.record.generation if case.record else None
    due = due_after_end(task, generation, now=case.now, plan=case.plan) if generation is not None else None
    due = repeated_after_end(case, task) or due
    if due is not None:
        return start(case, Action.CREATE, *why, due, anew=True)
    left = reasons.no_attempt_left(situation, task)
    if _is_unrecorded(situation):
        return about(case, Action.REJUDGE, Health.UNHEALTHY, *why, reasons.outcome_not_recorded(), left)
    change = about(case, Action.NONE, Health.UNHEALTHY, *why, left)
    return _titled(replace(change, judgement=again.judgement if again else None), case, task)


def _confirmed(change: Change, task: DesiredTask, again: Regrade | None) -> Change:
    """Note that a result which stays accepted was judged by other assertions; an apply takes them over."""
    if again is None:
        return change
    why = reasons.assertions_changed(task, "is accepted by them too")
    return replace(change, judgement=again.judgement, reasons=(*change.reasons, why))


def _taken_back(case: Case, task: DesiredTask, again: Regrade, *why: Reason) -> Change:
    """Take the acceptance of a result away, and name who needs it; hold it where the result cannot be read."""
    if again.judgement is None:
        held = about(case, Action.HOLD, Health.UNKNOWN, reasons.result_unreadable(task), *why)
        return replace(held, in_error=True)
    affected = (reasons.dependents_affected(case.dependents),) if case.dependents else ()
    change = about(case, Action.REJUDGE, Health.UNHEALTHY, _rejection(task, again.judgement), *affected, *why)
    return replace(change, judgement=again.judgement)


def _rejection(task: DesiredTask, judgement: Judgement) -> Reason:
    """Say that the assertions that are declared now reject a result which is accepted."""
    return reasons.assertions_changed(task, "would be rejected", judgement.detail)


def _is_unfinished(situation: Situation, standing: Standing) -> bool:
    """Tell whether we stopped the run in order to start another, and did not get to that."""
    cause = situation.attempt.stop if situation.attempt else None
    return standing is Standing.STOPPED_BY_US and cause in {StopCause.REPLACE, StopCause.RETRY}


def _is_granted(case: Case, task: DesiredTask) -> bool:
    record, attempt = case.record, case.situation.attempt
    if record is None or attempt is None:
        return False
    return grants(task.policies.retry, record.generation, verdict_of(case.situation), attempt.stop)


def _is_unrecorded(situation: Situation) -> bool:
    """Tell whether the run's end can be read and is not in the state yet: only what is planned is ever recorded."""
    attempt = situation.attempt
    if attempt is None or situation.place is not Place.HERE or situation.standing is Standing.MISSING_ENDED:
        return False
    return _is_newest(situation) and (attempt.verdict not in _ENDINGS or attempt.status != situation.status)


def _is_newest(situation: Situation) -> bool:
    """Tell whether no attempt was made after the one in question, not even one that reached no agent."""
    return situation.record is not None and situation.record.generation.last is situation.attempt


def _titled(change: Change, case: Case, task: DesiredTask) -> Change:
    """Turn "nothing to do" into an update where the title is not the one that was last sent."""
    attempt = case.situation.attempt
    if attempt is None or attempt.title == task.title:
        return change
    obstacle = _obstacle(case.situation)
    if obstacle:
        return replace(change, reasons=(*change.reasons, reasons.title_not_sent(task, obstacle)))
    return replace(
        change,
        action=Action.UPDATE,
        reasons=(reasons.title_changed(task), *change.reasons),
        diffs=(FieldDiff(path=("title",), before=attempt.title, after=task.title),),
    )


def _obstacle(situation: Situation) -> str:
    """Return why the run cannot be given another title, or nothing: only a run that has ended can, where it is."""
    if situation.place is not Place.HERE:
        return "its run is not on this remote"
    if situation.trouble:
        return situation.trouble
    if not _is_newest(situation):
        return "another attempt was made since"
    if situation.status not in ENDED:
        return "its run has not ended"
    return ""
