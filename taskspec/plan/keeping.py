"""Keeping: which results of an address are still kept, as its record and its history tell. Reads no store.

A record holds those of its last generation, and the accepted one; the notes of the history name the others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskspec.state.model import Attempt, Note, Record, ResultRef, Sending, Verdict
from taskspec.state.retelling import revision_told
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A result that is kept, with the run that gave it. `at` in seconds since the epoch: when its end was recorded."""

    generation: int
    attempt: Attempt
    result: ResultRef
    agent: str
    at: float
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    """What was asked for; None where only its fingerprint, or not even that, is recorded."""
    is_accepted: bool = False
    """It is the accepted result now."""


def kept_results(record: Record | None, notes: Iterable[Note]) -> tuple[Kept, ...]:
    """Return the kept results of an address, the newest generation first: of each, the accepted one before others.

    `notes` are those of its history, the newest first. A result whose run the history does not tell is left out.
    """
    told = list(_told(notes))
    times = {(one.generation, one.attempt.number): one.at for one in told}
    found: dict[int, Kept] = {}
    for one in (*_recorded(record, times), *told):
        found.setdefault(one.generation, one)
    return tuple(found[number] for number in sorted(found, reverse=True))


def _recorded(record: Record | None, times: Mapping[tuple[int, int], float]) -> Iterator[Kept]:
    """Yield what a record holds: the accepted result, and those of its last generation."""
    if record is None:
        return
    accepted, generation = record.accepted, record.generation
    if accepted is not None:
        yield Kept(
            generation=accepted.generation,
            attempt=accepted.attempt,
            result=accepted.result,
            agent=accepted.agent,
            at=accepted.at,
            spec=generation.spec if accepted.generation == generation.number else None,
            is_accepted=True,
        )
    for attempt in reversed(generation.attempts):
        if attempt.result is not None and attempt.sending is Sending.BOUND:
            yield Kept(
                generation=generation.number,
                attempt=attempt,
                result=attempt.result,
                agent=record.agent,
                at=times.get((generation.number, attempt.number), attempt.finished_at or attempt.intended_at),
                spec=generation.spec,
            )


def _told(notes: Iterable[Note]) -> Iterator[Kept]:
    """Yield what notes name: the ends of runs whose results were kept, with who asked for them."""
    ends: list[tuple[Note, int, int]] = []
    asked: dict[tuple[int, int], Note] = {}
    for note in notes:
        generation, number = note.data.get("generation"), note.data.get("attempt")
        if not isinstance(generation, int) or not isinstance(number, int):
            continue
        if note.what == "ended":
            ends.append((note, generation, number))
        elif note.what in {"intended", "adopted"}:
            asked.setdefault((generation, number), note)
    for note, generation, number in ends:
        kept = _of_end(note, asked.get((generation, number)), generation, number)
        if kept is not None:
            yield kept


def _of_end(end: Note, intent: Note | None, generation: int, number: int) -> Kept | None:
    data, asked = end.data, intent.data if intent is not None else {}
    match data.get("result"), data.get("bytes"), data.get("format"), data.get("run"), data.get("marker"):
        case str(digest), int(size), str(form), str(run), str(marker):
            began = intent.at if intent is not None else end.at
            attempt = Attempt(
                number=number,
                nonce=_text(asked.get("nonce")),
                marker=marker,
                body_digest="",
                intended_at=began,
                send_deadline=began,
                remote=_remote(data.get("remote")),
                sending=Sending.BOUND,
                run=run,
                status=_text(data.get("status")) or None,
                verdict=_verdict(data.get("verdict")),
                tokens=_tokens(data.get("tokens")),
                result=(ref := ResultRef(digest=digest, size=size, format=form)),
                revision=revision_told(asked),
            )
            return Kept(generation=generation, attempt=attempt, result=ref, agent=_text(asked.get("agent")), at=end.at)
        case _:
            return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _verdict(value: Any) -> Verdict | None:
    return Verdict(value) if isinstance(value, str) and value in set(Verdict) else None


def _tokens(value: Any) -> Tokens | None:
    match value:
        case {"prompt": int(prompt), "completion": int(completion)}:
            return Tokens(prompt=prompt, completion=completion)
        case _:
            return None


def _remote(value: Any) -> RemoteIdentity:
    told = {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, Mapping) else {}
    return RemoteIdentity(
        type=told.get("type", ""),
        url=told.get("url"),
        organization=told.get("organization"),
        instance=told.get("instance"),
    )
