"""Accepting by hand: a kept result as a record's next value, and the line of the history. Stores nothing."""

from dataclasses import replace

from taskspec.apply.advancing import with_attempt
from taskspec.desired.unsent import unsent_of
from taskspec.judging.asserting import digest_of
from taskspec.plan.accepting import Acceptance
from taskspec.state.model import Accepted, Attempt, Generation, Note, Record, Verdict, accepted_by_hand


def accepted(acceptance: Acceptance, nonce: str) -> Record:
    """Return the record in which the kept result is the accepted one of what is declared.

    Its age stays that of the result, as `rerun: {after: …}` counts it.
    """
    task, kept, record = acceptance.finished_task, acceptance.kept, acceptance.record
    plan = accepted_by_hand(kept.generation, nonce)
    attempt = _taken(acceptance)
    if acceptance.stays and record is not None:
        moved = with_attempt(record, attempt)
    else:
        moved = Record(
            address=task.address,
            agent=task.agent,
            generation=Generation(
                number=acceptance.generation,
                fingerprint=task.fingerprint,
                spec=task.spec,
                plan=plan,
                attempts=(attempt,),
                inputs=task.inputs,
            ),
            spent=record.spent if record is not None else 0,
        )
    result = Accepted(
        generation=acceptance.generation,
        fingerprint=task.fingerprint,
        plan=plan,
        agent=kept.agent or task.agent,
        agent_version=kept.spec.get("agentVersion") if kept.spec is not None else None,
        attempt=attempt,
        result=kept.result,
        at=kept.at,
    )
    policies = task.policies
    return replace(
        moved,
        accepted=result,
        on_remove=policies.on_remove,
        protect=policies.protect,
        unsent=unsent_of(task),
        file=task.file,
    )


def note_of(acceptance: Acceptance, record: Record, at: float) -> Note:
    """Return the line of the history; `from` is the generation whose result it is."""
    kept, before = acceptance.kept, acceptance.record
    last = record.generation.last
    replaced = before.accepted if before is not None else None
    data = {
        "generation": record.generation.number,
        "attempt": last.number if last else 0,
        "from": kept.generation,
        "run": kept.attempt.run,
        "result": kept.result.digest,
        "verdict": kept.attempt.verdict,
        "replaced": replaced.result.digest if replaced is not None else None,
        "by": "hand",
    }
    return Note(address=acceptance.address, at=at, what="accepted", data=data)


def _taken(acceptance: Acceptance) -> Attempt:
    """Return the attempt as that of an accepted result, by whatever the declared assertions are."""
    task, kept = acceptance.finished_task, acceptance.kept
    return replace(
        kept.attempt,
        number=kept.attempt.number if acceptance.stays else 1,
        title=kept.attempt.title or task.title,
        verdict=Verdict.ACCEPTED,
        detail="",
        result=kept.result,
        assertions=digest_of(task.assertions),
        rejudged=False,
    )
