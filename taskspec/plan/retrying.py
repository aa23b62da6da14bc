"""Retrying: whether a task's policy grants a further attempt. Starts none, and knows nothing of requests by hand."""

from dataclasses import replace

from taskspec.documents.model import Retry
from taskspec.plan.model import Action, Change, Plan
from taskspec.state.model import Generation, StopCause, Verdict

_FOLLOWING = frozenset({Action.CREATE, Action.REPLACE, Action.WAIT, Action.SETTLE, Action.REJUDGE})
"""The actions in whose course a run is followed to its end."""


def grants_another(retry: Retry, generation: Generation) -> bool:
    """Tell whether the policy grants one more attempt after the last of a generation, as it is recorded."""
    last = generation.last
    if last is None or not last.counts:
        return False
    return grants(retry, generation, last.verdict, last.stop)


def grants(retry: Retry, generation: Generation, verdict: Verdict | None, stop: StopCause | None) -> bool:
    """Tell whether the policy grants one more attempt after one that ended with a verdict, stopped by us or not.

    Attempts that never reached an agent do not count. A rejection by judging a kept result again earns none.
    """
    if not _names(verdict, stop) & set(retry.statuses):
        return False
    counting = [attempt for attempt in generation.attempts if attempt.counts]
    if counting and counting[-1].rejudged:
        return False
    return len(counting) < retry.max_attempts


def with_retries(plan: Plan) -> Plan:
    """Return a plan whose changes tell how many further attempts their policies may grant while it is carried out."""
    return replace(
        plan, changes=tuple(replace(one, retries=found) if (found := retries(one)) else one for one in plan.changes)
    )


def retries(change: Change) -> int:
    """Return the most further attempts that a policy may grant beside the run that a change starts, or follows."""
    task, record = change.task, change.record
    if task is None or change.action not in _FOLLOWING or change.rejudges or (change.after and not change.conditional):
        return 0
    if not task.policies.retry.statuses or (task.policies.protect and task.policies.side_effects):
        return 0
    is_further = record is not None and change.generation == record.generation.number
    attempts = record.generation.attempts if record is not None and is_further else ()
    before = sum(one.counts and not (change.paid and one.number == change.attempt) for one in attempts)
    return max(0, task.policies.retry.max_attempts - before - change.paid)


def _names(verdict: Verdict | None, stop: StopCause | None) -> set[str]:
    """Return by which names `retry.statuses` may list an end: our own time-out is a failure too."""
    match verdict:
        case Verdict.FAILED if stop is StopCause.TIMEOUT:
            return {"failed", "timeout"}
        case Verdict.FAILED | Verdict.REJECTED | Verdict.ERROR:
            return {verdict.value}
        case Verdict.STOPPED if stop is None:
            return {"stopped"}
        case _:
            return set()
