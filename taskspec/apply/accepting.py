"""Accepting a kept result, by hand or by a plan: a record's next value, and the line of the history. Stores nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from taskspec.apply.advancing import with_attempt
from taskspec.apply.noting import result_facts
from taskspec.desired.model import DesiredTask
from taskspec.desired.unsent import unsent_of
from taskspec.judging.asserting import digest_of
from taskspec.plan.accepting import Acceptance
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Change
from taskspec.state.encoding import revision_object
from taskspec.state.model import (
    Accepted,
    Attempt,
    Generation,
    Note,
    Record,
    Verdict,
    accepted_again,
    accepted_by_hand,
)


def accepted(acceptance: Acceptance, nonce: str) -> Record:
    """Return the record in which the kept result is the accepted one of what is declared, as a person wants it."""
    task, kept, record = acceptance.finished_task, acceptance.kept, acceptance.record
    plan = accepted_by_hand(kept.generation, nonce)
    if acceptance.stays and record is not None:
        attempt = _taken(task, kept, kept.attempt.number)
        return _with(with_attempt(record, attempt), task, kept, attempt, plan)
    return _as_a_generation(task, kept, record, acceptance.generation, plan)


def retaken(change: Change, record: Record, plan: str) -> Record:
    """Return the record in which the kept result of a change is the accepted one again, as a plan wants it."""
    if change.kept is None:
        raise LookupError(f"no kept result of {change.address} is known")
    by = accepted_again(change.kept.generation, plan)
    return _as_a_generation(change.finished_task, change.kept, record, record.next_generation, by)


def note_of(acceptance: Acceptance, record: Record, at: float) -> Note:
    """Return the line of the history for what a person has accepted."""
    data = _facts(acceptance.kept, acceptance.record, record)
    return Note(address=acceptance.address, at=at, what="accepted", data={**data, "by": "hand"})


def note_of_plan(change: Change, before: Record, record: Record, plan: str, at: float) -> Note:
    """Return the line of the history for what a plan has accepted again."""
    if change.kept is None:
        raise LookupError(f"no kept result of {change.address} is known")
    data = _facts(change.kept, before, record)
    return Note(address=change.address, at=at, what="accepted", data={**data, "plan": plan})


def _facts(kept: Kept, before: Record | None, record: Record) -> Mapping[str, Any]:
    """Return what the history is told; `from` is the generation whose result it is, and `madeAt` when that was made."""
    last, now = record.generation.last, record.accepted
    replaced = before.accepted if before is not None else None
    facts = result_facts(now.attempt, now.result, now.fingerprint) if now is not None else {}
    revision = kept.attempt.revision
    return {
        **facts,
        "generation": record.generation.number,
        "attempt": last.number if last else 0,
        "from": kept.generation,
        "nonce": kept.attempt.nonce,
        "agent": kept.agent,
        "madeAt": kept.at,
        "run": kept.attempt.run,
        "result": kept.result.digest,
        "verdict": kept.attempt.verdict,
        "replaced": replaced.result.digest if replaced is not None else None,
        **({} if revision is None else {"revision": revision_object(revision)}),
    }


def _as_a_generation(task: DesiredTask, kept: Kept, record: Record | None, number: int, plan: str) -> Record:
    """Return a record whose last generation, of what is declared, has the kept result."""
    attempt = _taken(task, kept, 1)
    moved = Record(
        address=task.address,
        agent=task.agent,
        generation=Generation(
            number=number,
            fingerprint=task.fingerprint,
            spec=task.spec,
            plan=plan,
            attempts=(attempt,),
            inputs=task.inputs,
        ),
        spent=record.spent if record is not None else 0,
    )
    return _with(moved, task, kept, attempt, plan)


def _with(moved: Record, task: DesiredTask, kept: Kept, attempt: Attempt, plan: str) -> Record:
    """Return a record with the kept result accepted. Its age stays, as `rerun: {after: …}` counts it."""
    spec = task.spec if kept.fingerprint == task.fingerprint else kept.spec
    policies = task.policies
    return replace(
        moved,
        accepted=Accepted(
            generation=moved.generation.number,
            fingerprint=task.fingerprint,
            plan=plan,
            agent=kept.agent or task.agent,
            agent_version=spec.get("agentVersion") if spec is not None else None,
            attempt=attempt,
            result=kept.result,
            at=kept.at,
        ),
        on_remove=policies.on_remove,
        protect=policies.protect,
        unsent=unsent_of(task),
        file=task.file or moved.file,
    )


def _taken(task: DesiredTask, kept: Kept, number: int) -> Attempt:
    """Return the attempt as that of an accepted result, by whatever the declared assertions are."""
    return replace(
        kept.attempt,
        number=number,
        title=kept.attempt.title or task.title,
        verdict=Verdict.ACCEPTED,
        detail="",
        result=kept.result,
        assertions=digest_of(task.assertions),
        rejudged=False,
    )
