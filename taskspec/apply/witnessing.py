"""Witnessing: what was seen of runs, what the history is told of them, and what is doubtful. Asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskspec.address import Address
from taskspec.apply.noting import ending_facts, result_facts
from taskspec.observed.model import Observation, Present, Sighting
from taskspec.plan.model import Declared
from taskspec.plan.rebuilding import Known, Text, Traces
from taskspec.state.model import Note, Record
from taskspec.taskapi.records import ACTIVE, ENDED, TaskRecord
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a rebuilding needs and no run says. `at` in seconds since the epoch."""

    remote: RemoteIdentity
    at: float
    plan: str
    """What stands for the plans that asked."""
    answers: Mapping[Address, Sequence[str]]
    """What the runs of tasks have answered that were rebuilt before, the accepted answer first."""
    seen: Mapping[str, Observation]
    """What single reads of runs have shown, by run id."""


def shown(one: Sighting, world: Circumstances) -> TaskRecord:
    """Return what a single read of a run has shown, else its row of the list."""
    found = world.seen.get(one.run.id)
    return found.record if isinstance(found, Present) else one.run


def is_of(one: Sighting, other: Sighting) -> bool:
    """Tell whether two runs are attempts of one generation."""
    return (one.marker.generation, one.marker.digest) == (other.marker.generation, other.marker.digest)


def number_of(one: Sighting, traces: Traces) -> int:
    """Return the number of the attempt that a run was in its generation, among those that are there."""
    return 1 + [other.run.id for other in traces.runs if is_of(other, one)].index(one.run.id)


def notes_of(traces: Traces, record: Record, world: Circumstances) -> Iterator[Note]:
    """Yield what the history is told of each run: that it was taken over, and how it has ended."""
    kept = [record.accepted.attempt] if record.accepted else []
    judged = {one.run: one for one in (*kept, *record.generation.attempts) if one.verdict is not None}
    for one in traces.runs:
        which: dict[str, Any] = {"generation": one.marker.generation, "attempt": number_of(one, traces)}
        found = shown(one, world)
        began = found.created_at if found.created_at is not None else world.at
        data = {"run": found.id, "marker": one.marker.text, "nonce": one.marker.nonce, "agent": found.agent_id}
        yield Note(address=traces.address, at=began, what="adopted", data={**which, **data, "plan": world.plan})
        attempt = judged.get(found.id)
        if attempt is not None:
            facts = {**which, "run": found.id, **ending_facts(attempt), "plan": world.plan}
            if attempt.result is not None:
                facts |= result_facts(attempt, attempt.result, None)
            at = attempt.finished_at if attempt.finished_at is not None else began
            yield Note(address=traces.address, at=at, what="ended", data=facts)


def doubts_of(traces: Traces, task: Declared, text: Text, record: Record, world: Circumstances) -> Iterator[str]:
    """Yield what nobody can know of a record that was rebuilt."""
    last = record.generation.last
    if traces.known is Known.TEXT:
        yield "its runs bear the marker of another task with the same text: it is taken for that one under a new name"
    match text:
        case Text.PASSING:
            yield "it was asked another text, which `rerun` lets pass: in what it differs is not known"
        case Text.OTHER:
            yield "it was asked another text, of which only that is known"
        case Text.UNKNOWN:
            yield "the results that its text was made of are not there, so that nobody can tell what it was asked"
        case Text.DECLARED:
            pass
    if last is not None and last.status == Status.Stopped:
        yield "why its run was stopped is not known: it counts as stopped by hand, and no further attempt is granted"
    if last is not None and last.rejudged:
        yield "whether it was accepted before its assertions changed is not known: no further attempt is granted"
    if last is not None and last.status in ENDED and not isinstance(world.seen.get(last.run or ""), Present):
        yield "its run has ended and could not be read: the next apply judges it"
    active = [
        one.run.id for one in traces.runs if one.run.status in ACTIVE and one.run.id != (last.run if last else "")
    ]
    if active:
        yield f"an earlier run of it may be at work: {', '.join(active)}"
    if task.agent != record.agent:
        yield f"its run is one of the agent `{record.agent}`"
