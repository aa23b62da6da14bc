"""Stopping, retitling, forgetting: what is done to a run or an address that exists. Starts no run."""

import asyncio
from dataclasses import replace

from taskspec.apply import advancing
from taskspec.apply.forgetting import forgotten
from taskspec.apply.noting import ending_facts
from taskspec.apply.world import World, unbroken
from taskspec.desired.model import DesiredTask
from taskspec.errors import AuthenticationError, NotFoundError, OutcomeUnknownError, RateLimitedError, RefusedError
from taskspec.events import AddressForgotten, RunStopped, TitleUpdated
from taskspec.judging.judging import Expectation, judge
from taskspec.observed.model import Absent, Present, Unreadable
from taskspec.observed.refreshing import observe
from taskspec.plan.model import Change
from taskspec.plan.spending import total
from taskspec.state.model import StopCause
from taskspec.taskapi import endpoints
from taskspec.taskapi.records import ACTIVE, BEGUN, ENDED, TaskRecord
from taskspec.taskapi.records import AgentExecutionStatus as Status

CONFIRMATION = 180.0
"""How long, in seconds, a stop may take on the remote before it is given up as unconfirmed: several looks at a remote
that may seldom be asked."""


async def stop(world: World, change: Change, cause: StopCause) -> TaskRecord | None:
    """End the current run: the cause is durable first, so that nobody takes the stop for somebody else's.

    Returns the run as the remote shows it when it has ended, or None where the remote does not know it. Raises
    OutcomeUnknownError where it has not ended in CONFIRMATION seconds: then nothing may take its place.
    """
    found = await unbroken(_stop(world, change, cause))
    if found is None or found.status in ENDED:
        return found
    try:
        async with asyncio.timeout(CONFIRMATION):
            while True:
                match await world.watcher.change(found.id, found.agent_id, seen=found.status):
                    case Present(record=found) if found.status in ENDED:
                        await _stopped(world, change, found)
                        return found
                    case Present(record=found):
                        continue
                    case Absent():
                        return None
                    case Unreadable(reason=reason):
                        raise OutcomeUnknownError(f"whether the run {found.id} has stopped cannot be read: {reason}")
    except TimeoutError as error:
        raise OutcomeUnknownError(f"the run {found.id} was asked to stop and is still {found.status}") from error


async def revived(world: World, change: Change) -> bool:
    """Look once more at a run that had ended in `error`, and tell whether it goes on: an error may pass by itself."""
    found = await _looked_for(world, change, "has ended")
    if found is None or found.status not in ACTIVE:
        return False
    await record_revived(world, change, found)
    return True


async def record_revived(world: World, change: Change, found: TaskRecord) -> None:
    """Record that a run goes on which was taken to have ended, or to be lost."""
    record, attempt, run = world.current_run(change.address)
    back = replace(attempt, status=found.status, verdict=None, detail="")
    await world.record(advancing.with_attempt(record, back), "revived", run=run, status=found.status)


async def begun(world: World, change: Change) -> bool:
    """Look at the current run, and tell whether stopping it would throw away work that was begun."""
    found = await _looked_for(world, change, "has begun")
    return found is not None and found.status in BEGUN


async def retitle(world: World, change: Change, task: DesiredTask) -> bool:
    """Give the declared title to the run that has ended, and tell whether the remote kept it."""
    record, attempt, run = world.current_run(change.address)
    wanted = f"{task.title} {attempt.marker}"
    kept = await _kept(world, run, wanted)
    sent = replace(attempt, title=task.title)
    await world.record(advancing.with_attempt(record, sent), "retitled", title=task.title, kept=kept)
    world.emit(TitleUpdated(address=change.address, run=run, kept=kept))
    return kept


async def _kept(world: World, run: str, title: str) -> bool:
    """Send a title and read it back; a remote that refuses it, or does not know the run, has not kept it."""
    try:
        await world.connection.run(endpoints.update_task(run, {"title": title}))
        found = await world.connection.run(endpoints.get_task(run))
    except (AuthenticationError, RateLimitedError):
        raise
    except RefusedError:
        return False
    return found.title == title


async def forget(world: World, change: Change) -> None:
    """Take the address out of the state; its last accepted result is named in the history and stays stored."""
    record = world.recorder.record_of(change.address)
    await world.recorder.record(*forgotten(change.address, record, world.chance.now(), plan=world.plan.id))
    world.emit(AddressForgotten(address=change.address))


async def _stop(world: World, change: Change, cause: StopCause) -> TaskRecord | None:
    record, attempt, run = world.current_run(change.address)
    intended = replace(attempt, stop=cause)
    await world.record(advancing.with_attempt(record, intended), "stopping", run=run, cause=cause)
    try:
        found = await world.connection.run(endpoints.stop_task(run))
    except NotFoundError:
        return await _looked_for(world, change, "has stopped")
    if found.status in ENDED:
        await _stopped(world, change, found)
    if found.status not in ENDED - {Status.Stopped}:
        world.emit(RunStopped(address=change.address, run=run, cause=cause))
    return found


async def _stopped(world: World, change: Change, found: TaskRecord) -> None:
    record, attempt, run = world.current_run(change.address)
    ended = replace(
        attempt,
        status=found.status,
        started_at=found.started_at,
        finished_at=found.finished_at,
        tokens=found.tokens,
    )
    if found.status != Status.Completed:
        world.allowance.use(total(found.tokens))
        judgement = judge(found.status, found.result, Expectation(), attempt.stop)
        ended = replace(ended, verdict=judgement.verdict, detail=judgement.detail)
    await world.record(advancing.with_attempt(record, ended), "stopped", run=run, **ending_facts(ended))


async def _looked_for(world: World, change: Change, question: str) -> TaskRecord | None:
    """Look at the current run; None proves its absence. `question` is what is to be known of it, for messages."""
    _, _, run = world.current_run(change.address)
    match (await observe(world.connection, {run: change.agent}))[run]:
        case Absent():
            return None
        case Present(record=found):
            return found
        case Unreadable(reason=reason):
            raise OutcomeUnknownError(f"whether the run {run} {question} cannot be read: {reason}")
