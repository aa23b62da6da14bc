"""Performing: the steps of one change, in order, to an outcome. Knows nothing of other changes."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final, assert_never

from taskspec.apply import following, sending, settling, stopping
from taskspec.apply.model import Block, Create, Follow, Forget, Hold, Outcome, Retake, Retitle, Settle, Step, Stop
from taskspec.apply.outcomes import as_it_is
from taskspec.apply.rejudging import note_of, rejudged
from taskspec.apply.restoring import withdraw
from taskspec.apply.retaking import retake
from taskspec.apply.staging import settling_steps, steps
from taskspec.apply.superseding import superseded
from taskspec.apply.world import World, unbroken
from taskspec.desired.model import DesiredTask
from taskspec.events import Effect, RetryScheduled
from taskspec.health import Health
from taskspec.plan.guarding import is_protected
from taskspec.plan.model import Action, Change
from taskspec.plan.renewing import never_again
from taskspec.plan.retrying import grants_another
from taskspec.state.model import PutRecord, StopCause, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status

_BEGUN: Final = "it is protected, and its run has begun since this was planned, so that it is not stopped"


async def perform(world: World, change: Change) -> Outcome:
    """Carry out the steps of a change."""
    if change.rejudges:
        return await unbroken(_judge_again(world, change))
    planned = steps(change)
    if change.paid and isinstance(planned[0], Stop) and (why := world.allowance.refuses(change.address)):
        return Outcome(effect=Effect.REFUSED, health=Health.UNHEALTHY, detail=f"not stopped, and not started: {why}")
    return await _take(world, change, planned, change.health, has_place=change.paid)


async def _judge_again(world: World, change: Change) -> Outcome:
    """Record what a kept result is by changed assertions, where its text has become known only in this apply."""
    record, at = world.recorder.record_of(change.address), world.chance.now()
    if record is None:
        raise LookupError(f"nothing is recorded for {change.address}")
    moved = rejudged(change, record, world.plan.id, at)
    older = superseded(record, moved, at, plan=world.plan.id)
    await world.recorder.record(PutRecord(record=moved), *older, note_of(change, moved, world.plan.id, at))
    if moved.accepted is None:
        withdraw(moved, world.results, world.emit)
    else:
        content = await world.recorder.result(moved.accepted.result)
        world.emit(world.results.publish(change.address, moved.accepted, content))
    return as_it_is(change).outcome


async def settle(world: World, change: Change) -> Outcome:
    """Settle the current intent of a change, whichever action led to it, and go on from what was found."""
    step = settling_steps(world.recorder.record_of(change.address), change)
    return await _take(world, change, (step,), change.health, has_place=False)


async def _take(world: World, change: Change, planned: Iterable[Step], health: Health, *, has_place: bool) -> Outcome:
    """Take steps, one behind the other; `has_place`: its run may be active, as it has a place among the runs."""
    outcome = Outcome(effect=Effect.DONE, health=health)
    left = list(planned)
    while left:
        step = left.pop(0)
        match step:
            case Stop(cause=cause):
                kept = await _stop_or_follow(world, change, cause)
                if kept is not None and (_is_in_the_way(kept) or _is_wanted(world, change)):
                    return kept
            case Create(fresh=fresh):
                await sending.create(world, change, fresh=fresh)
            case Follow():
                outcome = await _follow(world, change, has_place=has_place)
                if left and not _has_ended(world, change):
                    return _put_off(outcome)
                left[:0] = await _ending(world, change) if left else ()
            case Block():
                return Outcome(effect=Effect.LEFT, health=Health.UNHEALTHY, detail=change.reasons[0].text)
            case Hold(why=why):
                return Outcome(effect=Effect.REFUSED, health=health, detail=why)
            case Retake() | Retitle():
                outcome = await (_retitle(world, change) if step == Retitle() else unbroken(retake(world, change)))
            case Forget():
                await stopping.forget(world, change)
            case Settle():
                outcome = await _settle(world, change, step)
            case _:
                assert_never(step)
    return outcome


async def _ending(world: World, change: Change) -> tuple[Step, ...]:
    """Return what ends a run that was seen in `error`, before another takes its place: an error may pass by itself."""
    if world.current(change.address)[1].verdict is not Verdict.ERROR:
        return ()
    return (Follow(),) if await stopping.revived(world, change) else (Stop(cause=StopCause.RETRY),)


def _is_in_the_way(kept: Outcome) -> bool:
    """Tell whether a run that was to be stopped is, or may be, still at work."""
    return kept.verdict is Verdict.LOST or kept.effect is Effect.REFUSED


async def _has_become_destructive(world: World, change: Change) -> bool:
    """Tell whether a stop that was planned of a run which had not begun would end one at work, and that is protected.

    A person may have thought about the plan for long, or its upstream may have taken as long: what was planned is the
    most that is done.
    """
    protect = is_protected(change.task, world.recorder.record_of(change.address))
    if not protect or change.destructive or change.action is Action.SETTLE or _is_wanted(world, change):
        return False
    return await stopping.begun(world, change)


async def _stop_or_follow(world: World, change: Change, cause: StopCause) -> Outcome | None:
    """Stop the run, as below; but follow one that is wanted, had ended in `error` and goes on again."""
    if await _has_become_destructive(world, change):
        return Outcome(effect=Effect.REFUSED, health=change.health, detail=_BEGUN)
    if cause is StopCause.RETRY and _is_wanted(world, change) and await stopping.revived(world, change):
        return await _follow(world, change, has_place=True)
    return await _stop(world, change, cause)


async def _stop(world: World, change: Change, cause: StopCause) -> Outcome | None:
    """Stop the run. If it had completed before, its result is paid for: judge it, keep it, and return what it is.

    A run that has vanished may still be at work somewhere: it is lost, and nothing takes its place.
    """
    found = await stopping.stop(world, change, cause)
    if found is None and cause is StopCause.REPLACE:
        return await unbroken(following.lost(world, change))
    if found is None or found.status != Status.Completed:
        return None
    return await unbroken(following.conclude(world, change, found))


def _is_wanted(world: World, change: Change) -> bool:
    """Tell whether the current generation is what is declared: then no other run is to take its place."""
    record = world.recorder.record_of(change.address)
    return record is not None and change.declares(record.generation.fingerprint)


def _put_off(outcome: Outcome) -> Outcome:
    """Return the outcome of a run that is queued behind: where it is not waited for, what is declared is not begun."""
    if outcome.verdict is not Verdict.ACTIVE:
        return outcome
    detail = f"not started: {outcome.detail}, not waited for; apply again when it has ended"
    return replace(outcome, effect=Effect.CUT, detail=detail)


def _has_ended(world: World, change: Change) -> bool:
    """Tell whether the run that was followed is over, so that another may take its place."""
    _, attempt = world.current(change.address)
    return attempt.verdict not in {None, Verdict.LOST}


async def _follow(world: World, change: Change, *, has_place: bool) -> Outcome:
    """Follow the run, and each further attempt that the policy grants; such an attempt takes a place among the runs."""
    async with AsyncExitStack() as place:
        return await _follow_on(world, change, place, has_place=has_place)


async def _follow_on(world: World, change: Change, place: AsyncExitStack, *, has_place: bool) -> Outcome:
    while True:
        _, attempt = world.current(change.address)
        if not world.options.wait and change.action is not Action.REJUDGE:
            return Outcome(
                effect=Effect.LEFT, health=Health.HEALTHY, verdict=Verdict.ACTIVE, detail=f"run {attempt.run} goes on"
            )
        outcome = await following.follow(world, change)
        record, attempt = world.current(change.address)
        task = change.finished_task if _may_repeat(world, change) else None
        if outcome.by_person or task is None or not grants_another(task.policies.retry, record.generation):
            return outcome
        if why := _unsaved(task) or world.allowance.refuses(change.address):
            said = f"{outcome.detail}; " if outcome.detail else ""
            return replace(outcome, effect=Effect.REFUSED, detail=f"{said}no further attempt: {why}")
        backoff = task.policies.retry.backoff
        world.emit(RetryScheduled(address=change.address, attempt=attempt.number + 1, seconds=backoff))
        await asyncio.sleep(backoff)
        if attempt.verdict is Verdict.ERROR:
            if await stopping.revived(world, change):
                continue
            kept = await _stop(world, change, StopCause.RETRY)
            if kept is not None:
                return kept
        if not has_place:
            await place.enter_async_context(world.places)
            has_place = True
        await sending.create(world, change, fresh=False)


def _unsaved(task: DesiredTask) -> str:
    """Return why what only a saved plan tells of cannot be sent: it has the requests of what it may start alone."""
    return "" if task.request else "the saved plan does not have it, plan again"


def _may_repeat(world: World, change: Change) -> bool:
    """Tell whether a policy may grant the current generation another attempt in this apply.

    Not so for what its upstream has to be accepted for first, for what is declared no longer, for what never runs again
    and has its result, and for side effects that are protected.
    """
    if change.after or change.task is None or not _is_wanted(world, change):
        return False
    task = change.finished_task
    if never_again(task, world.recorder.record_of(change.address)):
        return False
    return not (task.policies.protect and task.policies.side_effects)


async def _retitle(world: World, change: Change) -> Outcome:
    kept = await unbroken(stopping.retitle(world, change, change.finished_task))
    detail = "" if kept else "the remote did not keep the new title"
    return Outcome(effect=Effect.DONE, health=change.health, detail=detail)


async def _settle(world: World, change: Change, step: Settle) -> Outcome:
    """Settle an intent, then go on from a known outcome: healthy, until a step says otherwise.

    Waiting for an answer takes no place among the runs, unless asking again may start the run.
    """
    repeats = world.connection.traits.honours_idempotency_keys
    async with AsyncExitStack() as place:
        if step.may_start and repeats:
            await place.enter_async_context(world.places)
        finding = await settling.settle(world, change, may_start=step.may_start)
        if step.may_start and not repeats:
            await place.enter_async_context(world.places)
        match finding:
            case settling.Finding.ADOPTED:
                return await _take(world, change, step.adopted, Health.HEALTHY, has_place=step.may_start)
            case settling.Finding.ABSENT:
                return await _take(world, change, step.absent, Health.HEALTHY, has_place=step.may_start)
            case settling.Finding.OPEN:
                return Outcome(
                    effect=Effect.UNKNOWN,
                    health=Health.UNKNOWN,
                    verdict=Verdict.UNKNOWN,
                    detail="whether the remote has the run is not known yet",
                )
            case _ as never:
                assert_never(never)
