"""A change → its steps, in order. Carries none of them out."""

from typing import assert_never

from taskspec.apply.model import Create, Follow, Forget, Retitle, Settle, Step, Stop
from taskspec.documents.model import OnRemove
from taskspec.plan.model import Action, Change
from taskspec.state.model import Record, StopCause


def steps(change: Change) -> tuple[Step, ...]:
    """Return what is to be done for a change; nothing for one that only tells how things stand."""
    match change.action:
        case Action.NONE | Action.HOLD | Action.BLOCKED | Action.ADOPT:
            return ()
        case Action.CREATE:
            return (*_ending(change), Create(fresh=_is_fresh(change)), Follow())
        case Action.REPLACE:
            return (Stop(cause=StopCause.REPLACE), Create(fresh=True), Follow())
        case Action.REJUDGE if change.rejudges:
            return ()
        case Action.WAIT | Action.REJUDGE:
            return (Follow(),)
        case Action.UPDATE | Action.MOVE:
            return (Retitle(),) if change.retitles else ()
        case Action.STOP if change.task is None:
            return (Stop(cause=StopCause.REMOVE), Forget())
        case Action.STOP:
            return (Stop(cause=_intended_stop(change) or StopCause.REPLACE),)
        case Action.FORGET:
            return (Forget(),)
        case Action.SETTLE:
            return (settling_steps(change.record, change),)
        case _:
            assert_never(change.action)


def settling_steps(record: Record | None, change: Change) -> Settle:
    """Return how an intent is settled, given what is recorded now, and what follows from either finding."""
    if change.task is None:
        return _settling_undeclared(record.on_remove if record else OnRemove.STOP)
    if record is None or change.declares(record.generation.fingerprint):
        return Settle(adopted=(Follow(),), absent=(Create(fresh=False), Follow()))
    if record.accepted is not None and change.declares(record.accepted.fingerprint):
        return Settle(adopted=(Stop(cause=StopCause.REPLACE),), absent=())
    create = (Create(fresh=True), Follow())
    return Settle(adopted=(Stop(cause=StopCause.REPLACE), *create), absent=create)


def _settling_undeclared(on_remove: OnRemove) -> Settle:
    match on_remove:
        case OnRemove.STOP:
            return Settle(adopted=(Stop(cause=StopCause.REMOVE), Forget()), absent=(Forget(),))
        case OnRemove.FORGET:
            return Settle(adopted=(Forget(),), absent=(Forget(),))
        case OnRemove.HOLD:
            return Settle(adopted=(), absent=(Forget(),))
        case _:
            assert_never(on_remove)


def _is_fresh(change: Change) -> bool:
    """Tell whether the change starts another generation than the recorded one."""
    return change.record is None or change.generation != change.record.generation.number


def _intended_stop(change: Change) -> StopCause | None:
    """Return the cause of a stop that is recorded already, and was cut off before the run had ended."""
    last = change.record.generation.last if change.record else None
    return last.stop if last else None


def _ending(change: Change) -> tuple[Step, ...]:
    """Return the stop of the run that the plan names: a run in `error` may not have come to its end."""
    return (Stop(cause=StopCause.RETRY),) if change.run is not None else ()
