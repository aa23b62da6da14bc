"""How a record moves on: pure steps from one recorded value to the next. Stores nothing."""

from dataclasses import replace

from taskspec.desired.unsent import unsent_of
from taskspec.plan.model import Change
from taskspec.state.model import Accepted, Attempt, Generation, Record, ResultRef


def generation_of(change: Change, record: Record | None, *, fresh: bool) -> int:
    """Return the number of the generation that the next attempt belongs to: of a new one where `fresh`."""
    if record is None:
        return max(change.generation, 1)
    return record.next_generation if fresh else record.generation.number


def intended(change: Change, record: Record | None, attempt: Attempt, *, fresh: bool, plan: str) -> Record:
    """Return the record with one more attempt: of a new generation where `fresh`, else of the current one."""
    task = change.finished_task
    if fresh or record is None:
        number = generation_of(change, record, fresh=True)
        generation = Generation(
            number=number,
            fingerprint=task.fingerprint,
            spec=task.spec,
            plan=plan,
            attempts=(attempt,),
            inputs=task.inputs,
        )
    else:
        generation = replace(record.generation, attempts=(*record.generation.attempts, attempt))
    return Record(
        address=task.address,
        agent=task.agent,
        generation=generation,
        accepted=record.accepted if record else None,
        on_remove=task.policies.on_remove,
        protect=task.policies.protect,
        spent=record.spent if record else 0,
        unsent=unsent_of(task),
        file=task.file,
    )


def with_attempt(record: Record, attempt: Attempt) -> Record:
    """Return the record with the attempt of that number replaced."""
    attempts = tuple(attempt if kept.number == attempt.number else kept for kept in record.generation.attempts)
    return replace(record, generation=replace(record.generation, attempts=attempts))


def with_result(record: Record, attempt: Attempt, result: ResultRef, at: float) -> Record:
    """Return the record with its newest attempt accepted; the first accepted result of a generation stays."""
    moved = with_attempt(record, attempt)
    generation = record.generation
    if record.accepted is not None and record.accepted.generation == generation.number:
        return moved
    accepted = Accepted(
        generation=generation.number,
        fingerprint=generation.fingerprint,
        plan=generation.plan,
        agent=record.agent,
        agent_version=generation.spec.get("agentVersion"),
        attempt=attempt,
        result=result,
        at=at,
    )
    return replace(moved, accepted=accepted)
