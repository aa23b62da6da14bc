"""A change → its steps, in order. Carries none of them out."""

from typing import Final, assert_never

from taskspec.apply.model import Block, Create, Follow, Forget, Hold, Retake, Retitle, Settle, Step, Stop
from taskspec.documents.model import OnChangeActive, OnRemove, Policies
from taskspec.plan.guarding import is_protected
from taskspec.plan.model import Action, Change
from taskspec.state.model import Record, StopCause
from taskspec.taskapi.records import AgentExecutionStatus as Status

_PROTECTED: Final = "it is protected, so that its run is not stopped"


def steps(change: Change) -> tuple[Step, ...]:
    """Return what is to be done for a change; nothing for one that only tells how things stand."""
    match change.action:
        case Action.NONE | Action.HOLD | Action.BLOCKED:
            return ()
        case Action.ADOPT:
            return (*_clearing(change), Retake())
        case Action.CREATE:
            return (*_ending(change), Create(fresh=_is_fresh(change)), Follow())
        case Action.REPLACE:
            return (Stop(cause=StopCause.REPLACE), Create(fresh=True), Follow())
        case Action.REJUDGE if change.rejudges:
            return ()
        case Action.WAIT | Action.REJUDGE:
            return (Follow(), *_following(change))
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
        on_remove = record.on_remove if record else OnRemove.STOP
        return _settling_undeclared(on_remove, protect=is_protected(None, record))
    if change.after and not change.paid:
        return Settle(adopted=(Follow(),), absent=(Block(),))
    has_result = record is not None and record.accepted is not None and change.declares(record.accepted.fingerprint)
    if record is None or change.declares(record.generation.fingerprint):
        # another intent than the one that was planned to be settled is of this apply: what it asked for is still wanted
        is_needed = change.paid or not has_result or change.action is not Action.SETTLE
        return Settle(adopted=(Follow(),), absent=(Create(fresh=False), Follow()) if is_needed else ())
    policies = change.task.policies
    if has_result:
        is_let_end = policies.on_change_active is not OnChangeActive.REPLACE
        return Settle(adopted=(Follow(),) if is_let_end else _overtaken(policies), absent=())
    create: tuple[Step, ...] = (Create(fresh=True), Follow()) if change.kept is None else (Retake(),)
    if policies.protect and policies.side_effects and change.kept is None:
        return Settle(adopted=(Hold(why=_PROTECTED),), absent=create)
    overtaken = _overtaken(policies)
    goes_on = not any(isinstance(step, Hold) for step in overtaken)
    return Settle(adopted=(*overtaken, *(create if goes_on else ())), absent=create)


def _overtaken(policies: Policies) -> tuple[Step, ...]:
    """Return what becomes of an adopted run whose text is declared no longer."""
    match policies.on_change_active:
        case OnChangeActive.QUEUE:
            return (Follow(),)
        case OnChangeActive.HOLD:
            return (Hold(why="the change is held while its run is active (`onChangeActive: hold`)"),)
        case OnChangeActive.REPLACE:
            return (Hold(why=_PROTECTED),) if policies.protect else (Stop(cause=StopCause.REPLACE),)
        case _ as never:
            assert_never(never)


def _settling_undeclared(on_remove: OnRemove, *, protect: bool) -> Settle:
    match on_remove:
        case OnRemove.STOP if protect:
            return Settle(adopted=(Hold(why=_PROTECTED),), absent=(Forget(),))
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


def _following(change: Change) -> tuple[Step, ...]:
    """Return what comes behind the end of a run of another text: what is declared runs, or has its result of before."""
    if change.kept is not None:
        return (Retake(),)
    return (Create(fresh=True), Follow()) if change.paid and change.action is Action.WAIT else ()


def _clearing(change: Change) -> tuple[Step, ...]:
    """Return the stop of the run of another text that the plan names: one at work, or in an `error` that may pass."""
    if change.run is None:
        return ()
    last = change.record.generation.last if change.record else None
    status = change.observed.status if change.observed else last.status if last else None
    return (Stop(cause=StopCause.RETRY if status == Status.Error else StopCause.REPLACE),)


def _ending(change: Change) -> tuple[Step, ...]:
    """Return the stop of the run that the plan names: a run in `error` may not have come to its end."""
    return (Stop(cause=StopCause.RETRY),) if change.run is not None else ()
