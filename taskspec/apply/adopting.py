"""Adopting by hand: a run that a person names → the record that has it. Stores nothing, and asks no remote."""

from dataclasses import replace

from taskspec.apply.advancing import with_attempt
from taskspec.desired.model import DesiredTask
from taskspec.desired.unsent import unsent_of
from taskspec.markers import Marker
from taskspec.plan.adopting import Candidate
from taskspec.state.model import Attempt, Generation, Note, Record, Sending
from taskspec.taskapi.remotes import RemoteIdentity


def adopted(candidate: Candidate, remote: RemoteIdentity, at: float, nonce: str) -> Record:
    """Return the record of an address with a run as its newest attempt, active or to be judged.

    `at` in seconds since the epoch. Raises TypeError where the candidate would have been refused.
    """
    record, attempt = candidate.record, candidate.situation.attempt
    if record is not None and attempt is not None and (candidate.is_settling or candidate.is_back):
        return with_attempt(record, _bound(attempt, candidate))
    task = candidate.task
    if not isinstance(task, DesiredTask):
        raise TypeError(f"nothing declares {candidate.address}, or not all of it is known")
    continues = record is not None and candidate.continues
    before = record.generation if record is not None and continues else None
    number = before.number if before else record.next_generation if record else candidate.spent + 1
    made = Attempt(
        number=len(before.attempts) + 1 if before else 1,
        nonce=candidate.own_nonce or nonce,
        marker=_marker(candidate, task, number, nonce),
        body_digest="",
        intended_at=at,
        send_deadline=at,
        remote=remote,
        title=task.title,
    )
    attempts = (*(before.attempts if before else ()), _bound(made, candidate))
    generation = Generation(
        number=number,
        fingerprint=task.fingerprint,
        spec=task.spec,
        plan=f"adopted-{nonce}",
        attempts=attempts,
        inputs=task.inputs,
    )
    return Record(
        address=task.address,
        agent=task.agent,
        generation=replace(before, attempts=attempts) if before else generation,
        accepted=record.accepted if record else None,
        on_remove=task.policies.on_remove,
        protect=task.policies.protect,
        spent=record.spent if record else 0,
        unsent=unsent_of(task),
        file=task.file,
    )


def note_of(candidate: Candidate, record: Record, at: float) -> Note:
    """Return the line of the history."""
    last = record.generation.last
    data = {
        "generation": record.generation.number,
        "attempt": last.number if last else 0,
        "run": candidate.run.id,
        "marker": candidate.marker.text if candidate.marker else "",
        "by": "hand",
    }
    return Note(address=candidate.address, at=at, what="adopted", data=data)


def _bound(attempt: Attempt, candidate: Candidate) -> Attempt:
    found = candidate.run
    return replace(
        attempt, sending=Sending.BOUND, run=found.id, status=found.status, verdict=None, stop=None, detail=""
    )


def _marker(candidate: Candidate, task: DesiredTask, number: int, nonce: str) -> str:
    """Return the marker that the run bears; one that bears none gets one in the record only."""
    borne = candidate.marker
    return borne.text if borne else Marker.of(candidate.lineage, task.address, task.fingerprint, number, nonce).text
