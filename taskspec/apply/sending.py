"""Sending: starts a run so that it is never started twice: intent, request, run id. Waits for no run."""

import asyncio
from dataclasses import replace

from taskspec.apply import advancing, requesting
from taskspec.apply.world import World, unbroken
from taskspec.desired.model import DesiredTask
from taskspec.errors import (
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    TaskspecError,
    UnreachableError,
    UsageError,
)
from taskspec.events import RunCreated
from taskspec.markers import Marker
from taskspec.plan.model import Change
from taskspec.state.encoding import revision_object
from taskspec.state.model import Attempt, Sending, Verdict
from taskspec.taskapi import endpoints
from taskspec.taskapi.records import NewTask, TaskRecord

TRIES = 4
"""How many intents may be refused for now (not sent, or throttled) before the change fails."""
LONGEST_PAUSE = 60.0
"""The longest wait, in seconds, that a throttling remote can ask for."""


class UnsettledError(TaskspecError):
    """The create was sent and nobody knows whether the remote has the run: it is to be settled."""


async def create(world: World, change: Change, *, fresh: bool) -> None:
    """Start the run of a change; when this returns, its id is durable.

    Raises UnsettledError where the request left and no usable answer came, RefusedError or UnreachableError where the
    remote certainly has no run, and LimitError where the budget is used up.
    """
    world.allowance.take(change.address)
    try:
        await _created(world, change, fresh=fresh)
    except UnsettledError:
        world.allowance.doubt(change.address)
        raise
    except TaskspecError:
        world.allowance.give_back()
        raise


async def _created(world: World, change: Change, *, fresh: bool) -> None:
    task = change.finished_task
    await world.uploads.bring(world.connection, world.folder, task)
    for left in reversed(range(TRIES)):
        try:
            await unbroken(_send(world, change, task, fresh=fresh))
        except (UnreachableError, RateLimitedError) as error:
            pause = _pause(error, TRIES - left)
            if pause is None or not left:
                raise
            await asyncio.sleep(pause)
            fresh = False
        else:
            return


async def post(world: World, agent: str, new: NewTask, attempt: Attempt) -> TaskRecord:
    """Send one create, once, under its nonce as the key, and never after the deadline that is recorded.

    An answer that shows the run of another create is none: its outcome is unknown.
    """
    left = attempt.send_deadline - world.chance.now()
    call = endpoints.create_task(agent, new, idempotency_key=attempt.nonce, timeout=left, punctual=True)
    found = await world.connection.run(call)
    world.owners.claim(found, attempt, world.recorder.records)
    return found


async def bind(world: World, change: Change, found: TaskRecord) -> None:
    """Record the run that the remote has for the current attempt."""
    world.allowance.found(change.address)
    record, attempt = world.current(change.address)
    bound = replace(attempt, sending=Sending.BOUND, run=found.id, status=found.status)
    await world.record(advancing.with_attempt(record, bound), "bound", run=found.id)


async def _send(world: World, change: Change, task: DesiredTask, *, fresh: bool) -> None:
    record = world.recorder.record_of(change.address)
    fresh = fresh or record is None or record.generation.fingerprint != task.fingerprint
    nonce = world.chance.nonce()
    generation = advancing.generation_of(change, record, fresh=fresh)
    mark = Marker.of(world.recorder.lineage, change.address, task.fingerprint, generation, nonce).text
    new = requesting.new_task(task, mark)
    attempt = Attempt(
        number=1 if fresh or record is None else len(record.generation.attempts) + 1,
        nonce=nonce,
        marker=mark,
        body_digest=requesting.digest_of(task, mark),
        intended_at=world.chance.now(),
        send_deadline=world.chance.now() + world.connection.traits.create_timeout,
        remote=world.connection.identity,
        title=task.title,
        revision=world.revision,
    )
    intent = advancing.intended(change, record, attempt, fresh=fresh, plan=world.plan.id)
    at = {} if world.revision is None else {"revision": revision_object(world.revision)}
    await world.record(intent, "intended", agent=task.agent, nonce=nonce, fingerprint=task.fingerprint, **at)
    try:
        found = await post(world, task.agent, new, attempt)
    except (RefusedError, UnreachableError, UsageError) as error:
        refused = replace(attempt, sending=Sending.REFUSED, verdict=Verdict.ERROR, detail=error.message)
        await world.record(advancing.with_attempt(intent, refused), "refused", why=error.message)
        raise
    except OutcomeUnknownError as error:
        world.search.suspected.add(task.agent)
        raise UnsettledError(
            f"the run of {change.address} was asked for and no answer came: {error.message}"
        ) from error
    world.search.suspected.add(task.agent)
    world.search.note(task.agent, found.title, mark)
    await bind(world, change, found)
    world.emit(
        RunCreated(
            address=change.address, agent=task.agent, generation=generation, attempt=attempt.number, run=found.id
        )
    )


def _pause(error: UnreachableError | RateLimitedError, tries: int) -> float | None:
    """Return how many seconds to wait before a new intent; None where waiting does not help (a billing limit)."""
    if isinstance(error, RateLimitedError):
        if error.billing:
            return None
        if error.retry_after is not None:
            return min(error.retry_after, LONGEST_PAUSE)
    return float(2**tries) / 2
