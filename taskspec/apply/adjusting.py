"""Adjusting: what only taskspec reads of a task is taken over into its record. Concerns no run and no remote."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from taskspec.plan.model import Change
from taskspec.state.model import PutRecord


def adjusted(changes: Iterable[Change]) -> Iterator[PutRecord]:
    """Yield the records whose policies are no longer those of what is declared."""
    for change in changes:
        task, record = change.task, change.record
        if task is not None and record is not None and record.on_remove is not task.policies.on_remove:
            yield PutRecord(record=replace(record, on_remove=task.policies.on_remove))
