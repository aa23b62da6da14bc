"""Acknowledging: what records that somebody took notice of what an accepted run shows. Stores nothing itself."""

from dataclasses import replace

from taskspec.plan.drifting import Drift
from taskspec.state.model import Note, PutRecord, Record, StateChange


def acknowledged(record: Record, drift: Drift, at: float) -> tuple[StateChange, ...]:
    """Return the changes of the state; the result stays accepted, and what its run showed then stays recorded.

    `at` in seconds since the epoch. Raises LookupError where the record has no accepted result.
    """
    accepted = record.accepted
    if accepted is None:
        raise LookupError(f"{record.address} has no accepted result")
    noted = replace(record, accepted=replace(accepted, acknowledged=drift.shown))
    data = {"generation": accepted.generation, "attempt": accepted.attempt.number, "run": drift.run}
    data |= {"status": drift.shown, "by": "hand"}
    return PutRecord(record=noted), Note(address=record.address, at=at, what="acknowledged", data=data)
