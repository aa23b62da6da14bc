"""Settling: finds out whether the run of an intent exists. A missing answer is never taken for "no"."""

import asyncio
from dataclasses import replace
from enum import Enum
from shlex import quote

from taskspec.apply import advancing, requesting
from taskspec.apply.sending import UnsettledError, bind, post
from taskspec.apply.world import World, unbroken
from taskspec.errors import OutcomeUnknownError, RefusedError, UnreachableError
from taskspec.events import OutcomeUnknown, RunAbsent, RunAdopted
from taskspec.observed.finding import age
from taskspec.observed.model import Marked
from taskspec.plan.model import Change
from taskspec.state.model import Attempt, Sending
from taskspec.taskapi.records import TaskRecord

LONGEST_PAUSE = 15.0
"""The longest time between two looks for a marker, in seconds."""
PATIENCE = 8
"""How many lists may fail, once the outcome is decidable, before it is left open."""


class Finding(Enum):
    """What settling found."""

    ADOPTED = "adopted"
    ABSENT = "absent"
    OPEN = "open"


async def settle(world: World, change: Change, *, may_start: bool) -> Finding:
    """Settle the current intent of a change: by repeating it where its key is honoured, else by its marker.

    Where the remote keeps keys, and a run may be started, the repetition answers with the first run, or makes the one
    that never arrived: either way it is the run of this attempt, and there is only one. Elsewhere a list without the
    marker is believed only after the quiet period, and only where the remote was seen to keep markers; until then the
    outcome stays open (`hold_unknown`), or this waits. Raises UnsettledError where waiting decides nothing.
    """
    if may_start and world.connection.traits.honours_idempotency_keys:
        repeated = await unbroken(_repeat(world, change))
        if repeated is not Finding.OPEN:
            return repeated
    record, attempt = world.current(change.address)
    decidable = _latest_arrival(world, attempt) + world.connection.traits.quiet_period
    failures = 0
    while True:
        left = decidable - world.chance.now()
        marked = await world.search.marked(world.connection, attempt.nonce, record.agent, attempt.marker)
        if marked is not None and marked.runs:
            await unbroken(_adopt(world, change, _only(world, change, record.agent, marked.runs)))
            return Finding.ADOPTED
        if marked is not None and left <= 0:
            return await _absent(world, change, _proof(world, change, record.agent))
        failures += left <= 0
        if failures >= PATIENCE:
            raise UnsettledError(
                f"whether the remote has the run is not known: the runs of the agent {record.agent} cannot be listed"
            )
        world.emit(OutcomeUnknown(address=change.address, seconds=max(0.0, left), detail=_unseen(marked)))
        if world.options.hold_unknown:
            return Finding.OPEN
        await asyncio.sleep(min(left + 0.01, LONGEST_PAUSE) if left > 0 else LONGEST_PAUSE)


def _latest_arrival(world: World, attempt: Attempt) -> float:
    """Return the last moment, by our clock, at which the request of an intent can still arrive.

    Its deadline was recorded by the clock of an earlier command. Where that is further away than a whole sending takes,
    the clock was set back since; but the intent is in the past, so that its sending is over when one from now would be.
    """
    return min(attempt.send_deadline, world.chance.now() + world.connection.traits.create_timeout)


def _unseen(marked: Marked | None) -> str:
    return "the remote's list cannot be read" if marked is None else "the remote does not list it"


def _proof(world: World, change: Change, agent: str) -> str:
    """Return why a list without the marker is believed; raise UnsettledError where it says nothing.

    That is so unless a run of the agent was seen with its marker: a remote may drop or cut titles. Then only a person
    can know, and has said so who asks for another attempt by hand.
    """
    if world.connection.traits.keeps_titles or world.search.keeps(agent):
        return "proven not to be on the remote"
    if world.plan.basis is not None and change.address in world.plan.basis.circumstances.requested:
        return "taken not to be on the remote, as another attempt was asked for by hand"
    named = quote(change.address)
    raise UnsettledError(
        f"no run with its marker is listed, and no run of the agent {agent} was seen to keep one, so that this proves "
        f"nothing: look on the remote whether the run is there; if it is, `taskspec adopt {named} RUN`, and if it is "
        f"not, `taskspec retry {named}`. It is decided by itself as soon as one run of {agent} from this project shows "
        "its marker there"
    )


def _only(world: World, change: Change, agent: str, runs: tuple[TaskRecord, ...]) -> TaskRecord:
    """Return the run that bears the marker; of several the earliest, where the others are to be stopped."""
    if len(runs) > 1:
        world.search.suspected.add(agent)
        if not world.options.stop_duplicates:
            which = ", ".join(sorted(run.id for run in runs))
            raise UnsettledError(
                f"more than one run bears its marker ({which}): `taskspec adopt {quote(change.address)} RUN` takes "
                "one, `taskspec tasks stop RUN` ends another; `--on-duplicate=stop` keeps the earliest"
            )
    return min(runs, key=age)


async def _repeat(world: World, change: Change) -> Finding:
    """Send the intent once more under its key; OPEN where its very request cannot be made again or is not answered.

    The repetition too may apply late: its deadline is durable before it leaves. The agent is not in the body. The title
    is the one of then: another one, as of a task with another name, can be sent when the run has ended.
    """
    record, attempt = world.current(change.address)
    if not change.declares(record.generation.fingerprint):
        return Finding.OPEN
    task = replace(change.finished_task, title=attempt.title)
    if requesting.digest_of(task, attempt.marker) != attempt.body_digest:
        return Finding.OPEN
    new = requesting.new_task(task, attempt.marker)
    try:
        await world.uploads.bring(world.connection, world.folder, task)
        repeated = replace(attempt, send_deadline=world.chance.now() + world.connection.traits.create_timeout)
        await world.record(advancing.with_attempt(record, repeated), "repeated", nonce=attempt.nonce)
        found = await post(world, task.agent, new, repeated)
    except (UnreachableError, OutcomeUnknownError, RefusedError):
        return Finding.OPEN
    await _adopt(world, change, found)
    return Finding.ADOPTED


async def _adopt(world: World, change: Change, found: TaskRecord) -> None:
    await bind(world, change, found)
    world.emit(RunAdopted(address=change.address, run=found.id))


async def _absent(world: World, change: Change, why: str) -> Finding:
    record, attempt = world.current(change.address)
    absent = replace(attempt, sending=Sending.ABSENT, detail=why)
    await world.record(advancing.with_attempt(record, absent), "absent", nonce=attempt.nonce, why=why)
    world.emit(RunAbsent(address=change.address, detail=why))
    return Finding.ABSENT
