"""Keeping: which results of an address are still kept, as its record and its history tell. Reads no store.

A record holds those of its last generation, and the accepted one; the notes of the history name the others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from taskspec.state.model import Attempt, Note, Record, ResultRef, Sending, Verdict
from taskspec.state.retelling import revision_told
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

PRUNED: Final = "pruned"
"""The notes that name the results which are kept no longer."""
_GIVING: Final = frozenset({"ended", "accepted"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A result that is kept, with the run that gave it. `at` in seconds since the epoch: when its end was recorded."""

    generation: int
    attempt: Attempt
    result: ResultRef
    agent: str
    at: float
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    """What was asked for; None where an older taskspec has asked for it, and kept its fingerprint alone."""
    is_accepted: bool = False
    """It is the accepted result now."""


def kept_results(record: Record | None, notes: Iterable[Note]) -> tuple[Kept, ...]:
    """Return the kept results of an address, the newest generation first: of each, the accepted one before others.

    `notes` are those of its history, the newest first. A result whose run the history does not tell is left out.
    """
    told_of = list(notes)
    told, specs = list(_told(told_of)), specs_of(record, told_of)
    times = {(one.generation, one.attempt.number): one.at for one in told}
    found: dict[int, Kept] = {}
    for one in (*_recorded(record, times), *told):
        found.setdefault(one.generation, one)
    gone = removed_in(told_of)
    still = (found[number] for number in sorted(found, reverse=True))
    return tuple(_with_spec(one, specs) for one in still if one.result.digest not in gone)


def removed_in(notes: Iterable[Note]) -> frozenset[str]:
    """Return the digests of the results that were removed from the state, and not given once more since.

    `notes` are those of the history of an address, the newest first.
    """
    given: set[str] = set()
    gone: set[str] = set()
    for note in notes:
        if note.what == PRUNED:
            named = note.data.get("results")
            gone |= {one for one in named if isinstance(one, str)} - given if isinstance(named, list | tuple) else set()
        elif isinstance(digest := note.data.get("result"), str) and note.what in _GIVING:
            given.add(digest)
    return frozenset(gone)


def specs_of(record: Record | None, notes: Iterable[Note]) -> Mapping[int, Mapping[str, Any]]:
    """Return what was asked for in each generation of which that is kept: secrets are masked in it.

    A text that was asked for again is kept once: it is found by its fingerprint.
    """
    specs: dict[int, Mapping[str, Any]] = {}
    fingerprints: dict[int, str] = {}
    by_fingerprint: dict[str, Mapping[str, Any]] = {}
    if record is not None:
        generation = record.generation
        specs[generation.number] = by_fingerprint[generation.fingerprint] = generation.spec
    for note in notes:
        match note.data:
            case {"generation": int(number), "fingerprint": str(fingerprint)}:
                fingerprints.setdefault(number, fingerprint)
                spec = note.data.get("spec")
                if isinstance(spec, Mapping):
                    specs.setdefault(number, spec)
                    by_fingerprint.setdefault(fingerprint, spec)
            case _:
                pass
    asked = {number: by_fingerprint[one] for number, one in fingerprints.items() if one in by_fingerprint}
    return {**asked, **specs}


def _with_spec(kept: Kept, specs: Mapping[int, Mapping[str, Any]]) -> Kept:
    return replace(kept, spec=specs.get(kept.generation)) if kept.spec is None else kept


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
                nonce=text_of(asked.get("nonce")),
                marker=marker,
                body_digest="",
                intended_at=began,
                send_deadline=began,
                remote=remote_of(data.get("remote")),
                sending=Sending.BOUND,
                run=run,
                status=text_of(data.get("status")) or None,
                verdict=verdict_of(data.get("verdict")),
                tokens=tokens_of(data.get("tokens")),
                result=(ref := ResultRef(digest=digest, size=size, format=form)),
                revision=revision_told(asked),
            )
            agent = text_of(asked.get("agent"))
            return Kept(generation=generation, attempt=attempt, result=ref, agent=agent, at=end.at)
        case _:
            return None


def text_of(value: Any) -> str:
    """Return a value of a note that is to be text; the empty text where it is none."""
    return value if isinstance(value, str) else ""


def verdict_of(value: Any) -> Verdict | None:
    """Return the verdict that a note tells."""
    return Verdict(value) if isinstance(value, str) and value in set(Verdict) else None


def tokens_of(value: Any) -> Tokens | None:
    """Return the tokens that a note tells."""
    match value:
        case {"prompt": int(prompt), "completion": int(completion)}:
            return Tokens(prompt=prompt, completion=completion)
        case _:
            return None


def remote_of(value: Any) -> RemoteIdentity:
    """Return the remote that a note tells; one without a type where it tells none."""
    told = {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, Mapping) else {}
    return RemoteIdentity(
        type=told.get("type", ""),
        url=told.get("url"),
        organization=told.get("organization"),
        instance=told.get("instance"),
    )
