"""Renewing: what `rerun` makes of a task: whether it is due again, and whether a change of it counts. Knows no row."""

from dataclasses import replace

from taskspec.desired.fingerprinting import fingerprint
from taskspec.desired.model import DesiredTask
from taskspec.documents.model import When
from taskspec.plan.causes import Reason
from taskspec.plan.rerun_reasons import due_always, grown_old
from taskspec.state.model import Accepted, Generation, Record


def passing(task: DesiredTask, record: Record | None) -> DesiredTask:
    """Return a task that passes for what was asked for before, where it differs only in what `rerun` ignores.

    One that never runs again passes for whatever has its accepted result.
    """
    rerun = task.policies.rerun
    if record is None or (rerun.when is not When.NEVER and not rerun.ignore):
        return task
    if rerun.when is When.NEVER and record.accepted is not None:
        return replace(task, passes_for=record.accepted.fingerprint)
    last = record.generation
    return replace(task, passes_for=last.fingerprint) if _passes(task, last) else task


def never_again(task: DesiredTask, record: Record | None) -> bool:
    """Tell whether an older accepted result is all that a task needs to have, whatever was asked for since.

    That may be at work, and its answer is kept; but no run takes its place, and its end makes nothing worse.
    """
    if record is None or record.accepted is None or task.policies.rerun.when is not When.NEVER:
        return False
    return record.accepted.generation != record.generation.number


def due_again(task: DesiredTask, result: Accepted, *, now: float, plan: str) -> Reason | None:
    """Return why a task with an accepted result runs again although nothing has changed; None where it does not.

    `now` in seconds since the epoch. What the plan itself has asked for is not asked for twice.
    """
    if result.plan == plan or not is_due(task, result.at, now=now):
        return None
    return due_always(task) if task.policies.rerun.after is None else grown_old(task, result.at)


def is_due(task: DesiredTask, since: float, *, now: float) -> bool:
    """Tell whether `rerun` asks for a newer result than one of that moment. Both in seconds since the epoch."""
    rerun = task.policies.rerun
    if rerun.when is When.NEVER:
        return False
    return rerun.when is When.ALWAYS if rerun.after is None else now - since >= rerun.after


def due_after_end(task: DesiredTask, last: Generation, *, now: float, plan: str) -> Reason | None:
    """Return why a task that runs always is asked for anew after a generation that gave no accepted result."""
    rerun, attempt = task.policies.rerun, last.last
    if rerun.when is not When.ALWAYS or last.plan == plan or attempt is None:
        return None
    if rerun.after is None:
        return due_always(task)
    since = attempt.finished_at or attempt.intended_at
    return grown_old(task, since) if now - since >= rerun.after else None


def _passes(task: DesiredTask, last: Generation) -> bool:
    rerun = task.policies.rerun
    if rerun.when is When.NEVER:
        return True
    ours, theirs = (
        fingerprint({name: value for name, value in spec.items() if name not in rerun.ignore})
        for spec in (task.spec, last.spec)
    )
    return ours == theirs
