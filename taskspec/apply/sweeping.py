"""Sweeping: after a pass, looks once for creates that the remote has more than once. Starts no run, and binds none.

On a remote that keeps no keys a request may apply twice: a proxy repeats it, or it arrives after all. Nothing here can
prevent that; it is found, told, and stopped where that was asked for.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from taskspec.address import Address
from taskspec.apply.world import World, unbroken
from taskspec.errors import AuthenticationError, NotFoundError, RemoteError
from taskspec.events import DuplicatesFound, RunStopped, SweepFailed
from taskspec.observed.finding import sightings, twins
from taskspec.observed.listing import Unlisted, survey
from taskspec.observed.model import Duplicate
from taskspec.plan.accounting import duplicates, owners, recorded_runs
from taskspec.plan.model import Plan
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
    found = twins(sightings(lists, world.recorder.lineage))
    for duplicate in duplicates(found, known, world.recorder.records):
        if duplicate.address is not None and not await _is_told(world, duplicate.address, duplicate):
            await unbroken(_tell(world, duplicate.address, duplicate))


def as_planned(plan: Plan) -> Iterator[DuplicatesFound]:
    """Yield what a plan saw of creates that the remote has more than once."""
    recorded = frozenset(recorded_runs({c.address: c.record for c in plan.changes if c.record is not None}))
    for duplicate in plan.duplicates:
        kept, *others = kept_first(duplicate.runs, recorded)
        yield _event(duplicate.address, kept, others, _active(others, stopped=False))


def kept_first(runs: Sequence[TaskRecord], recorded: frozenset[str]) -> tuple[TaskRecord, ...]:
    """Return the runs of one create, the one that is kept first: the recorded one, else the earliest.

    A recorded run is not given up for an earlier one: the state may hold its result.
    """
    return tuple(sorted(runs, key=lambda run: run.id not in recorded))


async def _is_told(world: World, address: Address, duplicate: Duplicate) -> bool:
    """Tell whether an earlier pass told of these runs, and did with them what is to be done now."""
    runs, stops = {run.id for run in duplicate.runs}, world.options.stop_duplicates
    told = [note.data for note in await world.recorder.history(address) if note.what == NOTED]
    return any(runs <= set(data.get("runs", ())) and data.get("stop", False) >= stops for data in told)


async def _tell(world: World, address: Address, duplicate: Duplicate) -> None:
    kept, *others = kept_first(duplicate.runs, frozenset(recorded_runs(world.recorder.records)))
    runs = [run.id for run in duplicate.runs]
    data = {"kept": kept.id, "runs": runs, "stop": world.options.stop_duplicates, "plan": world.plan.id}
    await world.recorder.record(Note(address=address, at=world.chance.now(), what=NOTED, data=data))
    troubles = [trouble async for trouble in _stopped(world, address, others)]
    world.emit(_event(address, kept, others, troubles or _active(others, stopped=world.options.stop_duplicates)))


def _event(
    address: Address | None, kept: TaskRecord, others: Sequence[TaskRecord], said: Iterable[str]
) -> DuplicatesFound:
    others_ids = tuple(run.id for run in others)
    return DuplicatesFound(address=address, kept=kept.id, others=others_ids, detail="; ".join(said))


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
