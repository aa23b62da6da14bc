"""Acknowledging: what records that somebody took notice of what an accepted run shows. Stores nothing itself."""

from dataclasses import replace

from taskspec.plan.drifting import Drift
from taskspec.state.model import Attempt, Note, PutRecord, Record, StateChange


def acknowledged(record: Record, drift: Drift, at: float) -> tuple[StateChange, ...]:
    """Return the changes of the state; the result stays accepted, and what its run showed then stays recorded.

    `at` in seconds since the epoch.
    """

    def seen(attempt: Attempt) -> Attempt:
        return replace(attempt, acknowledged=drift.shown) if attempt.run == drift.run else attempt

    generation, accepted = record.generation, record.accepted
    noted = replace(
        record,
        generation=replace(generation, attempts=tuple(map(seen, generation.attempts))),
        accepted=None if accepted is None else replace(accepted, attempt=seen(accepted.attempt)),
    )
    data = {"generation": generation.number, "run": drift.run, "status": drift.shown, "by": "hand"}
    return PutRecord(record=noted), Note(address=record.address, at=at, what="acknowledged", data=data)
