"""Keeping: which results of an address are still kept, as its record and its history tell. Reads no store.

A record holds those of its last generation, and the accepted one; the notes of the history name the others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.state.model import Attempt, Note, Record, ResultRef, Sending, Verdict
from taskspec.state.retelling import revision_told
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

PRUNED: Final = "pruned"
"""The notes that name the results which are kept no longer."""
_GIVING: Final = frozenset({"ended", "accepted"})
UNTOLD: Final = ""
"""Stands for the assertions by which a result was judged, where its history does not tell them: it is that of none."""


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
    fingerprint: str | None = None
    """That of what was asked for, all of it; None where only the beginning of its digest is known, by its marker."""
    is_accepted: bool = False
    """It is the accepted result now."""


Former = Callable[[Address, Record], Sequence[Kept]]
"""Tells which results of an address are kept, the newest generation first."""
Answer = Callable[[ResultRef], str | None]
"""Returns a kept result; None where it cannot be read."""


def nothing_kept(_: Address, __: Record) -> Sequence[Kept]:
    """Tell of no result."""
    return ()


def unanswered(_: ResultRef) -> str | None:
    """Know no result."""
    return None


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
            fingerprint=accepted.fingerprint,
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
                fingerprint=generation.fingerprint,
            )


_Which = tuple[int, int]
"""An attempt, by the numbers of its generation and its own."""


def _told(notes: Sequence[Note]) -> Iterator[Kept]:
    """Yield what notes name: the results that were kept, with who was asked for them, and the last word on each.

    A task may have got another name in between. Should an older taskspec have used a number once more then, what is
    nearest to a result belongs to it.
    """
    made: list[tuple[Note, Note | None, _Which]] = []
    asked: dict[_Which, Note] = {}
    last_made: dict[_Which, int] = {}
    judged: dict[int, Note] = {}
    for note in reversed(notes):
        generation, number = note.data.get("generation"), note.data.get("attempt")
        if not isinstance(generation, int) or not isinstance(number, int):
            continue
        which = (generation, number)
        match note.what:
            case "intended" | "adopted":
                asked[which] = note
            case "ended" | "accepted":
                last_made[which] = len(made)
                made.append((note, asked.get(which), which))
            case "rejudged" if which in last_made:
                judged[last_made[which]] = note
            case _:
                pass
    for place, (note, intent, which) in reversed(tuple(enumerate(made))):
        kept, last = _of_note(note, intent, which), judged.get(place)
        if kept is not None:
            yield kept if last is None else _judged_again(kept, last)


def _judged_again(kept: Kept, note: Note) -> Kept:
    verdict, assertions = verdict_of(note.data.get("verdict")), _assertions(note.data)
    return replace(kept, attempt=replace(kept.attempt, verdict=verdict, assertions=assertions))


def _of_note(note: Note, intent: Note | None, which: _Which) -> Kept | None:
    """Return the result that a run has ended with, or that was accepted once more."""
    data, asked = note.data, intent.data if intent is not None else {}
    match data.get("result"), data.get("bytes"), data.get("format"), data.get("run"), data.get("marker"):
        case str(digest), int(size), str(form), str(run), str(marker):
            generation, number = which
            made_at = _moment(data.get("madeAt"))
            at = note.at if made_at is None else made_at
            began = intent.at if intent is not None else at
            attempt = Attempt(
                number=number,
                nonce=text_of(data.get("nonce") or asked.get("nonce")),
                marker=marker,
                body_digest="",
                intended_at=began,
                send_deadline=began,
                remote=remote_of(data.get("remote")),
                sending=Sending.BOUND,
                run=run,
                status=text_of(data.get("status")) or None,
                verdict=Verdict.ACCEPTED if note.what == "accepted" else verdict_of(data.get("verdict")),
                started_at=_moment(data.get("startedAt")),
                finished_at=_moment(data.get("finishedAt")),
                tokens=tokens_of(data.get("tokens")),
                result=(ref := ResultRef(digest=digest, size=size, format=form)),
                assertions=_assertions(data),
                revision=revision_told(data) or revision_told(asked),
            )
            return Kept(
                generation=generation,
                attempt=attempt,
                result=ref,
                agent=text_of(data.get("agent") or asked.get("agent")),
                at=at,
                fingerprint=text_of(data.get("fingerprint") or asked.get("fingerprint")) or None,
            )
        case _:
            return None


def _assertions(data: Mapping[str, Any]) -> str | None:
    """Return the digest of the assertions by which a result was judged; None where there were none."""
    told = data.get("assertions", UNTOLD)
    return told if isinstance(told, str) or told is None else UNTOLD


def _moment(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


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
