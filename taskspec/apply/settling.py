"""Settling: finds out whether the run of an intent exists. A missing answer is never taken for "no"."""

import asyncio
import hashlib
from dataclasses import replace
from enum import Enum

from taskspec.apply import advancing, requesting
from taskspec.apply.sending import bind, post, upload
from taskspec.apply.world import World, unbroken
from taskspec.errors import NotSentError, RefusedError, UnansweredError
from taskspec.events import OutcomeUnknown, RunAdopted
from taskspec.observed.refreshing import find_marked
from taskspec.plan.model import Change
from taskspec.state.model import Attempt, Sending
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
    _, attempt = world.current(change.address)
    if world.connection.traits.honours_idempotency_keys:
        repeated = await unbroken(_repeat(world, change, attempt))
        if repeated is not Finding.OPEN:
            return repeated
    while True:
        found = await find_marked(world.connection, {attempt.nonce: (_agent(world, change), attempt.marker)})
        runs = found.get(attempt.nonce)
        if runs:
            await unbroken(_adopt(world, change, _first(runs)))
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


def _first(runs: tuple[TaskRecord, ...]) -> TaskRecord:
    return min(runs, key=lambda run: (run.created_at or 0.0, run.id))


async def _repeat(world: World, change: Change, attempt: Attempt) -> Finding:
    """Send the intent once more under its key; OPEN where its very body cannot be made again or is not answered."""
    task = change.task
    if task is None:
        return Finding.OPEN
    new = requesting.new_task(task, attempt.marker)
    if hashlib.sha256(create_body(new)).hexdigest() != attempt.body_digest:
        return Finding.OPEN
    try:
        await upload(world, task)
        found = await post(world, task.agent, new, attempt.nonce)
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
