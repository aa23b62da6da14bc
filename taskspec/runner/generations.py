"""The generations of an address as reports tell them: what was asked for, and what was answered. Changes nothing."""

from collections.abc import Iterable

from taskspec.address import Address
from taskspec.plan.keeping import Kept
from taskspec.plan.recollecting import Recollection, recollected
from taskspec.report.account import Answer, GenerationTold
from taskspec.runner.recalling import Historian, notes_of
from taskspec.state.model import Accepted, Note, Record


def generations(record: Record | None, notes: Iterable[Note]) -> tuple[GenerationTold, ...]:
    """Return the generations of an address, the newest first. `notes` are those of its history, newest first.

    The answers are without their texts, which `StateReader.result` gives for the digest. What an older taskspec did not
    note is None.
    """
    return tuple(map(_told, recollected(record, notes)))


def generations_of(address: Address, record: Record | None, store: Historian) -> tuple[GenerationTold, ...]:
    """Return the generations of an address, those under its former names too."""
    return generations(record, notes_of(address, store))


def _told(one: Recollection) -> GenerationTold:
    return GenerationTold(
        number=one.number,
        fingerprint=one.fingerprint,
        plan=one.plan,
        asked_at=one.asked_at,
        agent=one.agent,
        spec=one.spec,
        revision=one.revision,
        attempts=one.attempts,
        verdict=one.verdict,
        answer=None if one.accepted is None else answer_of(one.accepted),
        unaccepted=None if one.unaccepted is None else answer_of(one.unaccepted),
    )


def answer_of(kept: Accepted | Kept) -> Answer:
    """Return an accepted result, or a kept one, as a report tells it, without its text."""
    return Answer(
        generation=kept.generation,
        attempt=kept.attempt.number,
        run=kept.attempt.run or "",
        at=kept.at,
        format=kept.result.format,
        digest=kept.result.digest,
        size=kept.result.size,
    )
