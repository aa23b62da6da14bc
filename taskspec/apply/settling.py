"""Settling: finds out whether the run of an intent exists. A missing answer is never taken for "no"."""

import asyncio
import hashlib
from dataclasses import replace
from enum import Enum

from taskspec.apply import advancing, requesting
from taskspec.apply.sending import OutcomeUnknownError, bind, post, upload
from taskspec.apply.world import World, unbroken
from taskspec.errors import NotSentError, RefusedError, UnansweredError
from taskspec.events import OutcomeUnknown, RunAdopted
from taskspec.observed.refreshing import find_marked
from taskspec.plan.model import Change
from taskspec.state.model import Sending
from taskspec.taskapi.encoding import create_body
from taskspec.taskapi.records import TaskRecord

LONGEST_PAUSE = 15.0
"""The longest time between two looks for a marker, in seconds."""


class Finding(Enum):
    """What settling found."""

    ADOPTED = "adopted"
    ABSENT = "absent"
    OPEN = "open"


async def settle(world: World, change: Change) -> Finding:
    """Settle the current intent of a change: by repeating it where its key is honoured, else by its marker.

    Where the remote keeps keys the repetition answers with the first run, or makes the one that never arrived: either
    way it is the run of this attempt, and there is only one. Elsewhere a list without the marker is believed only after
    the quiet period; until then the outcome stays open (`hold_unknown`), or this waits.
    """
    if world.connection.traits.honours_idempotency_keys:
        repeated = await unbroken(_repeat(world, change))
        if repeated is not Finding.OPEN:
            return repeated
    _, attempt = world.current(change.address)
    while True:
        found = await find_marked(world.connection, {attempt.nonce: (_agent(world, change), attempt.marker)})
        runs = found.get(attempt.nonce)
        if runs:
            await unbroken(_adopt(world, change, _only(runs)))
            return Finding.ADOPTED
        if runs is None:
            return Finding.OPEN
        decidable = attempt.send_deadline + world.connection.traits.quiet_period
        left = decidable - world.chance.now()
        if left <= 0:
            return await _absent(world, change)
        world.emit(OutcomeUnknown(address=change.address, seconds=left, detail="the remote does not list it"))
        if world.options.hold_unknown:
            return Finding.OPEN
        await asyncio.sleep(min(left + 0.01, LONGEST_PAUSE))


def _agent(world: World, change: Change) -> str:
    record, _ = world.current(change.address)
    return record.agent


def _only(runs: tuple[TaskRecord, ...]) -> TaskRecord:
    if len(runs) > 1:
        which = ", ".join(sorted(run.id for run in runs))
        raise OutcomeUnknownError(f"more than one run bears its marker ({which}): stop all but one, then apply again")
    return runs[0]


async def _repeat(world: World, change: Change) -> Finding:
    """Send the intent once more under its key; OPEN where its very request cannot be made again or is not answered.

    The repetition too may apply late: its deadline is durable before it leaves. The agent is not in the body.
    """
    record, attempt = world.current(change.address)
    task = change.task
    if task is None or record.generation.fingerprint != task.fingerprint:
        return Finding.OPEN
    new = requesting.new_task(task, attempt.marker)
    if hashlib.sha256(create_body(new)).hexdigest() != attempt.body_digest:
        return Finding.OPEN
    try:
        await upload(world, task)
        repeated = replace(attempt, send_deadline=world.chance.now() + world.connection.traits.create_timeout)
        await world.record(advancing.with_attempt(record, repeated), "repeated", nonce=attempt.nonce)
        found = await post(world, task.agent, new, repeated)
    except (NotSentError, UnansweredError, RefusedError):
        return Finding.OPEN
    await _adopt(world, change, found)
    return Finding.ADOPTED


async def _adopt(world: World, change: Change, found: TaskRecord) -> None:
    await bind(world, change, found)
    world.emit(RunAdopted(address=change.address, run=found.id))


async def _absent(world: World, change: Change) -> Finding:
    record, attempt = world.current(change.address)
    absent = replace(attempt, sending=Sending.ABSENT, detail="proven not to be on the remote")
    await world.record(advancing.with_attempt(record, absent), "absent", nonce=attempt.nonce)
    return Finding.ABSENT
