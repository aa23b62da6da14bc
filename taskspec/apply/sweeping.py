"""Sweeping: after a pass, looks once for creates that the remote has more than once. Starts no run, and binds none.

On a remote that keeps no keys a request may apply twice: a proxy repeats it, or it arrives after all. Nothing here can
prevent that; it is found, told, and stopped where that was asked for.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from taskspec.address import Address
from taskspec.apply.world import World, unbroken
from taskspec.errors import AuthenticationError, NotFoundError, RemoteError
from taskspec.events import DuplicatesFound, RunStopped, SweepFailed
from taskspec.observed.finding import sightings, twins
from taskspec.observed.listing import Unlisted, survey
from taskspec.observed.model import Duplicate
from taskspec.plan.accounting import duplicates, owners, recorded_runs
from taskspec.state.model import Note
from taskspec.taskapi import endpoints
from taskspec.taskapi.records import ENDED, TaskRecord

NOTED = "duplicates"
"""What the history calls them: each is told once."""


async def sweep(world: World) -> None:
    """List the agents to which this pass sent creates, each once, and tell of each marker that two runs bear.

    Raises AuthenticationError; a list that cannot be read is told.
    """
    agents = sorted(world.search.suspected)
    if not agents or world.connection.traits.honours_idempotency_keys:
        return
    lists = await survey(world.connection, agents)
    for agent, rows in lists.items():
        if isinstance(rows, Unlisted):
            world.emit(SweepFailed(agent=agent, detail=rows.reason))
    known = owners([*world.recorder.records, *(change.address for change in world.plan.changes)])
    for duplicate in duplicates(twins(sightings(lists, world.recorder.lineage)), known):
        if duplicate.address is not None and not await _is_told(world, duplicate.address, duplicate):
            await unbroken(_tell(world, duplicate.address, duplicate))


def kept_first(runs: Sequence[TaskRecord], recorded: frozenset[str]) -> tuple[TaskRecord, ...]:
    """Return the runs of one create, the one that is kept first: the recorded one, else the earliest.

    A recorded run is not given up for an earlier one: the state may hold its result.
    """
    return tuple(sorted(runs, key=lambda run: run.id not in recorded))


async def _is_told(world: World, address: Address, duplicate: Duplicate) -> bool:
    runs = {run.id for run in duplicate.runs}
    notes = await world.recorder.history(address)
    return any(runs <= set(note.data.get("runs", ())) for note in notes if note.what == NOTED)


async def _tell(world: World, address: Address, duplicate: Duplicate) -> None:
    kept, *others = kept_first(duplicate.runs, frozenset(recorded_runs(world.recorder.records)))
    data = {"kept": kept.id, "runs": [run.id for run in duplicate.runs], "stop": world.options.stop_duplicates}
    await world.recorder.record(Note(address=address, at=world.chance.now(), what=NOTED, data=data))
    troubles = [trouble async for trouble in _stopped(world, address, others)]
    world.emit(
        DuplicatesFound(
            address=address,
            kept=kept.id,
            others=tuple(run.id for run in others),
            detail="; ".join(troubles or list(_active(others, stopped=world.options.stop_duplicates))),
        )
    )


async def _stopped(world: World, address: Address, runs: Sequence[TaskRecord]) -> AsyncIterator[str]:
    """Stop runs where that was asked for, and yield what went wrong."""
    for run in runs if world.options.stop_duplicates else ():
        if run.status in ENDED:
            continue
        try:
            await world.connection.run(endpoints.stop_task(run.id))
        except NotFoundError:
            continue
        except AuthenticationError as error:
            yield error.message
        except RemoteError as error:
            yield f"whether run {run.id} has stopped is not known: {error.message}"
        else:
            world.emit(RunStopped(address=address, run=run.id, cause="duplicate"))


def _active(runs: Sequence[TaskRecord], *, stopped: bool) -> Iterator[str]:
    for run in runs:
        if run.status not in ENDED and not stopped:
            yield f"run {run.id} is {run.status}"
