"""Recollecting: what an address was asked, generation by generation, as its record and its history tell. Pure.

A record has all of its last generation. Of an older one there is what the notes tell: much of them where this taskspec
wrote them, little where an older one did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taskspec.ci import Revision
from taskspec.plan.keeping import Kept, removed_in, specs_of, text_of
from taskspec.plan.retracing import MEANING, asked, moved_on, unknown
from taskspec.state.model import Accepted, Attempt, Note, Record, ResultRef, Sending, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Recollection:
    """One generation of an address, as far as it is known. Times in seconds since the epoch.

    What its attempts lack that only the history tells of: a title, the digest of what was sent, and the exact times
    (their ends are when these were recorded).
    """

    number: int
    fingerprint: str | None = None
    plan: str | None = None
    asked_at: float | None = None
    agent: str = ""
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    """What was asked for, secrets masked; None where nobody kept it."""
    attempts: tuple[Attempt, ...] = ()
    accepted: Kept | None = None
    """The result that was accepted of it, by a judgement or by hand."""
    gone: frozenset[str] = frozenset()
    """The digests of its results that were removed from the state, as the history tells."""

    @property
    def kept(self) -> Kept | None:
        """Return its accepted result, else that of its newest attempt that gave one; also one that was removed."""
        if self.accepted is not None:
            return self.accepted
        for attempt in reversed(self.attempts):
            if attempt.result is not None:
                at = attempt.intended_at if attempt.finished_at is None else attempt.finished_at
                return Kept(
                    generation=self.number,
                    attempt=attempt,
                    result=attempt.result,
                    agent=self.agent,
                    at=at,
                    spec=self.spec,
                )
        return None

    @property
    def unaccepted(self) -> Kept | None:
        """Return its newest answer where none was accepted and that one is still kept."""
        has_result = self.accepted is not None or self.verdict is Verdict.ACCEPTED
        return None if has_result or self.is_gone else self.kept

    @property
    def results(self) -> frozenset[str]:
        """Return the digests of all its results."""
        found = {one.result.digest for one in self.attempts if one.result is not None}
        return frozenset(found | ({self.accepted.result.digest} if self.accepted is not None else set()))

    @property
    def is_gone(self) -> bool:
        """Tell whether the result that there was is kept no longer."""
        return self.kept is not None and self.kept.result.digest in self.gone

    @property
    def revision(self) -> Revision | None:
        """Return what was checked out when it was asked for first; None where nobody could tell."""
        return self.attempts[0].revision if self.attempts else None

    @property
    def verdict(self) -> Verdict | None:
        """Return that of the last attempt; None where it is not settled."""
        return self.attempts[-1].verdict if self.attempts else None


def recollected(record: Record | None, notes: Iterable[Note]) -> tuple[Recollection, ...]:
    """Return the generations of an address, the newest first. `notes` are those of its history, newest first."""
    listed = list(notes)
    told = _Told()
    for note in reversed(listed):
        told.hear(note)
    found = {number: told.of(number) for number in told.numbers}
    if record is not None:
        number = record.generation.number
        found[number] = _recorded(record, found.get(number))
        accepted = record.accepted
        if accepted is not None:
            before = found.get(accepted.generation) or _of_accepted(accepted)
            found[accepted.generation] = replace(before, accepted=_kept(accepted))
    specs, gone = specs_of(record, listed), removed_in(listed)
    return tuple(_filled(found[number], specs.get(number), gone) for number in sorted(found, reverse=True))


def _filled(one: Recollection, spec: Mapping[str, Any] | None, gone: frozenset[str]) -> Recollection:
    accepted = None if one.accepted is None else replace(one.accepted, spec=spec)
    return replace(one, spec=spec, accepted=accepted, gone=one.results & gone)


def _recorded(record: Record, told: Recollection | None) -> Recollection:
    generation = record.generation
    first = generation.attempts[0].intended_at if generation.attempts else None
    return Recollection(
        number=generation.number,
        fingerprint=generation.fingerprint,
        plan=generation.plan,
        asked_at=first if told is None or told.asked_at is None else told.asked_at,
        agent=record.agent,
        attempts=generation.attempts,
    )


def _of_accepted(accepted: Accepted) -> Recollection:
    """Return what an accepted result tells of its generation, where no note does."""
    return Recollection(
        number=accepted.generation,
        fingerprint=accepted.fingerprint,
        plan=accepted.plan,
        asked_at=accepted.attempt.intended_at,
        agent=accepted.agent,
        attempts=(accepted.attempt,),
    )


def _kept(accepted: Accepted) -> Kept:
    return Kept(
        generation=accepted.generation,
        attempt=accepted.attempt,
        result=accepted.result,
        agent=accepted.agent,
        at=accepted.at,
        is_accepted=True,
    )


class _Told:
    """What the notes of an address tell, heard in the order in which they were written."""

    def __init__(self) -> None:
        self._generations: dict[int, Recollection] = {}
        self._attempts: dict[tuple[int, int], Attempt] = {}

    @property
    def numbers(self) -> Iterable[int]:
        """Return the numbers of the generations that were told of."""
        return list(self._generations)

    def of(self, number: int) -> Recollection:
        """Return what was told of a generation."""
        made = sorted(which for which in self._attempts if which[0] == number)
        return replace(self._generations[number], attempts=tuple(self._attempts[which] for which in made))

    def hear(self, note: Note) -> None:
        """Take one more note; what does not fit, or is not known, is left out."""
        match note.data.get("generation"), note.data.get("attempt"):
            case int(number), _ if note.what == "superseded":
                self._older(note, number)
            case int(number), int(attempt) if attempt and note.what == "accepted":
                self._by_hand(note, number, attempt)
            case int(number), int(attempt) if attempt:
                self._attempt(note, number, attempt)
            case _:
                pass

    def _attempt(self, note: Note, number: int, attempt: int) -> None:
        which = (number, attempt)
        before = self._attempts.get(which)
        if note.what in {"intended", "adopted"} and before is None:
            before = asked(note, attempt)
        if before is None and note.what not in MEANING:
            return
        self._attempts[which] = after = moved_on(before or asked(note, attempt), note)
        one = self._generations.get(number) or Recollection(number=number, asked_at=after.intended_at)
        self._generations[number] = replace(
            one,
            plan=one.plan or text_of(note.data.get("plan")) or None,
            agent=one.agent or text_of(note.data.get("agent")),
            fingerprint=one.fingerprint or text_of(note.data.get("fingerprint")) or None,
            accepted=_judged(one, after, note, number),
        )

    def _by_hand(self, note: Note, number: int, attempt: int) -> None:
        """A person has accepted the result of one generation, for this one or another: it has that run then."""
        source, run = note.data.get("from"), text_of(note.data.get("run"))
        made = next((one for (of, _), one in self._attempts.items() if of == source and one.run == run), None)
        if made is None:
            return
        taken = replace(made, number=attempt, verdict=Verdict.ACCEPTED, detail="", rejudged=False)
        self._attempts[number, attempt] = taken
        one = self._generations.get(number) or Recollection(number=number, asked_at=note.at)
        giver = self._generations.get(source) if isinstance(source, int) else None
        agent = one.agent or (giver.agent if giver is not None else "")
        self._generations[number] = replace(one, agent=agent, accepted=_result_of(taken, number, agent, note.at))

    def _older(self, note: Note, number: int) -> None:
        one = self._generations.get(number) or Recollection(number=number)
        data = note.data
        agent = text_of(data.get("agent")) or one.agent
        self._generations[number] = replace(
            one,
            fingerprint=text_of(data.get("fingerprint")) or one.fingerprint,
            plan=text_of(data.get("asked")) or one.plan,
            agent=agent,
            accepted=self._named(data["accepted"], number, agent) if "accepted" in data else one.accepted,
        )

    def _named(self, told: object, number: int, agent: str) -> Kept | None:
        """Return the accepted result that a note names."""
        match told:
            case {
                "attempt": int(attempt),
                "run": str(run),
                "result": str(digest),
                "bytes": int(size),
                "format": str(form),
                "at": int(at) | float(at),
            }:
                ref = ResultRef(digest=digest, size=size, format=form)
                before = self._attempts.get((number, attempt)) or unknown(attempt, at)
                made = replace(before, run=run, sending=Sending.BOUND, verdict=Verdict.ACCEPTED, result=ref)
                self._attempts.setdefault((number, attempt), made)
                return Kept(generation=number, attempt=made, result=ref, agent=agent, at=at)
            case _:
                return None


def _judged(one: Recollection, attempt: Attempt, note: Note, number: int) -> Kept | None:
    """Return the accepted result of a generation after a note: the first one stays, unless that is taken back."""
    if note.what == "rejudged" and attempt.verdict is not Verdict.ACCEPTED:
        kept = one.accepted
        return None if kept is not None and kept.attempt.number == attempt.number else kept
    if one.accepted is not None or note.what not in {"ended", "rejudged"}:
        return one.accepted
    return _result_of(attempt, number, one.agent, note.at) if attempt.verdict is Verdict.ACCEPTED else None


def _result_of(attempt: Attempt, number: int, agent: str, at: float) -> Kept | None:
    if attempt.result is None:
        return None
    return Kept(generation=number, attempt=attempt, result=attempt.result, agent=agent, at=at)
