"""Retaking: the kept result of a text that is declared again becomes the accepted one. Asks no remote."""

from taskspec.apply import accepting
from taskspec.apply.model import Outcome
from taskspec.apply.superseding import superseded
from taskspec.apply.world import World
from taskspec.errors import StateError, TaskspecError
from taskspec.events import Effect, ResultAccepted
from taskspec.health import Health
from taskspec.plan.model import Change
from taskspec.state.model import PutRecord, Record, Verdict


async def retake(world: World, change: Change) -> Outcome:
    """Accept the kept result of a change again, and write its files; raise TaskspecError where it is gone."""
    kept, record = change.kept, world.recorder.record_of(change.address)
    if kept is None or record is None:
        raise LookupError(f"no kept result of {change.address} is known")
    try:
        content = await world.recorder.result(kept.result)
    except StateError as error:
        raise TaskspecError(f"the result of g{kept.generation} cannot be read any more: {error.message}") from error
    moved = accepting.retaken(change, record, world.plan.id)
    at = world.chance.now()
    older = superseded(record, moved, at, plan=world.plan.id)
    note = accepting.note_of_plan(change, record, moved, world.plan.id, at)
    await world.recorder.record(PutRecord(record=moved), *older, note)
    world.emit(told(change, moved))
    if moved.accepted is not None:
        world.emit(world.results.publish(change.address, moved.accepted, content))
    return Outcome(effect=Effect.DONE, health=Health.HEALTHY, verdict=Verdict.ACCEPTED)


def told(change: Change, record: Record) -> ResultAccepted:
    """Return the event of a kept result that a plan has accepted again."""
    if change.kept is None:
        raise LookupError(f"no kept result of {change.address} is known")
    source, run = change.kept.generation, change.kept.attempt.run or ""
    return ResultAccepted(
        address=change.address, generation=record.generation.number, source=source, run=run, by="plan"
    )
