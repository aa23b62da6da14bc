"""Adjusting: what only taskspec reads of a task is taken over into its record. Concerns no run and no remote."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from taskspec.address import Address
from taskspec.apply.accepting import note_of_plan, retaken
from taskspec.apply.rejudging import note_of, rejudged
from taskspec.apply.superseding import superseded
from taskspec.desired.unsent import unsent_of
from taskspec.plan.model import Action, Plan
from taskspec.state.model import DropRecord, Note, PutRecord, Record


def adjusted(plan: Plan, at: float) -> Iterator[PutRecord | DropRecord | Note]:
    """Yield the records of which not all is as it is declared, but for what a run is started for, as they are now.

    `at` in seconds since the epoch.
    """
    for change in plan.changes:
        task, record = change.task, change.record
        if task is None or record is None:
            continue
        policies = task.policies
        taken_over = replace(
            record,
            on_remove=policies.on_remove,
            protect=policies.protect,
            unsent=record.unsent if change.action is Action.HOLD else unsent_of(task),
            file=task.file or record.file,
        )
        again = change.retakes and not change.conditional
        kept = retaken(change, record, plan.id) if again else rejudged(change, taken_over, plan.id, at)
        if change.moved_from is not None:
            yield from moved(kept, change.moved_from, at, {"plan": plan.id})
        elif kept != record:
            yield PutRecord(record=kept)
        yield from superseded(record, kept, at, plan=plan.id)
        if change.rejudges:
            yield note_of(change, kept, plan.id, at)
        if again:
            yield note_of_plan(change, record, kept, plan.id, at)


def moved(record: Record, before: Address, at: float, by: Mapping[str, str]) -> Iterator[PutRecord | DropRecord | Note]:
    """Yield what puts a record in the place of the one under its former address; the history of both tells it.

    `by` says who asked for it.
    """
    yield DropRecord(address=before)
    yield PutRecord(record=record)
    generation = record.generation.number
    left = {"generation": generation, "to": record.address, "spent": record.next_generation - 1, **by}
    yield Note(address=before, at=at, what="moved", data=left)
    came = {"generation": generation, "from": before, **by}
    yield Note(address=record.address, at=at, what="moved", data=came)
