"""Adjusting: what only taskspec reads of a task is taken over into its record. Concerns no run and no remote."""

from collections.abc import Iterator
from dataclasses import replace

from taskspec.apply.rejudging import note_of, rejudged
from taskspec.plan.model import Plan
from taskspec.state.model import Note, PutRecord


def adjusted(plan: Plan, at: float) -> Iterator[PutRecord | Note]:
    """Yield the records whose policies or assertions are no longer those of what is declared, as they are now.

    `at` in seconds since the epoch.
    """
    for change in plan.changes:
        task, record = change.task, change.record
        if task is None or record is None:
            continue
        policies = task.policies
        taken_over = replace(record, on_remove=policies.on_remove, protect=policies.protect)
        moved = rejudged(change, taken_over, plan.id, at)
        if moved != record:
            yield PutRecord(record=moved)
        if change.rejudges:
            yield note_of(change, moved, at)
