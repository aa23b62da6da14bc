"""Rejudging: a kept result by changed assertions, as a record's next value. Asks no remote, and starts no run."""

from dataclasses import replace

from taskspec.apply.advancing import with_attempt, with_result
from taskspec.desired.model import DesiredTask
from taskspec.judging.asserting import digest_of
from taskspec.judging.judging import Judgement
from taskspec.plan.model import Change
from taskspec.state.model import Accepted, Attempt, Generation, Note, Record, Verdict


def rejudged(change: Change, record: Record, plan: str, at: float) -> Record:
    """Return the record after its kept result was judged by the declared assertions.

    `at` in seconds since the epoch.
    """
    task, judgement = change.task, change.judgement
    if not isinstance(task, DesiredTask) or judgement is None:
        return record
    digest = digest_of(task.assertions)
    accepted = record.accepted
    if accepted is not None and change.run == accepted.run:
        kept = replace(accepted, attempt=replace(accepted.attempt, assertions=digest))
        if judgement.verdict is Verdict.ACCEPTED:
            return _confirmed(record, kept)
        if accepted.generation == record.generation.number:
            return with_attempt(replace(record, accepted=None), _rejected(kept.attempt, judgement))
        return _as_a_generation(change, record, kept, judgement, plan)
    attempt = _numbered(record, change.attempt)
    if attempt.result is None or judgement.verdict is not Verdict.ACCEPTED:
        return with_attempt(record, replace(attempt, assertions=digest, detail=judgement.detail))
    passed = replace(attempt, verdict=Verdict.ACCEPTED, detail="", assertions=digest, rejudged=False)
    return with_result(record, passed, attempt.result, at)


def note_of(change: Change, record: Record, plan: str, at: float) -> Note:
    """Return the line of the history for a verdict that judging again has turned."""
    attempt = record.generation.last
    result = attempt.result if attempt else None
    data = {
        "generation": record.generation.number,
        "attempt": attempt.number if attempt else 0,
        "verdict": change.judgement.verdict if change.judgement else None,
        "result": result.digest if result else None,
        "assertions": attempt.assertions if attempt else None,
        "plan": plan,
    }
    return Note(address=change.address, at=at, what="rejudged", data=data)


def _confirmed(record: Record, kept: Accepted) -> Record:
    moved = replace(record, accepted=kept)
    return with_attempt(moved, kept.attempt) if kept.generation == record.generation.number else moved


def _rejected(attempt: Attempt, judgement: Judgement) -> Attempt:
    return replace(attempt, verdict=Verdict.REJECTED, detail=judgement.detail, rejudged=True)


def _as_a_generation(change: Change, record: Record, kept: Accepted, judgement: Judgement, plan: str) -> Record:
    """Return the record with the run of an older generation as the one attempt of a new one: it is paid for already."""
    generation = Generation(
        number=record.next_generation,
        fingerprint=kept.fingerprint,
        spec=change.finished_task.spec,
        plan=plan,
        attempts=(replace(_rejected(kept.attempt, judgement), number=1),),
        inputs=change.finished_task.inputs,
    )
    return replace(record, agent=kept.agent, generation=generation, accepted=None)


def _numbered(record: Record, number: int) -> Attempt:
    return next(attempt for attempt in record.generation.attempts if attempt.number == number)
