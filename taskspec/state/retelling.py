"""The history of an address → the attempts that it tells of, also of generations that no record has any more. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from taskspec.ci import Revision
from taskspec.state.encoding import revision_of
from taskspec.state.model import HistoryEntry, Note


@dataclass(frozen=True, kw_only=True, slots=True)
class PastAttempt:
    """What the history tells of one attempt; None where it tells nothing. Times in seconds since the epoch."""

    generation: int
    attempt: int
    plan: str | None = None
    agent: str | None = None
    fingerprint: str | None = None
    run: str | None = None
    asked_at: float | None = None
    ended_at: float | None = None
    status: str | None = None
    verdict: str | None = None
    seconds: float | None = None
    tokens: Mapping[str, int] | None = None
    result: str | None = None
    """The digest of its result, under which that is kept."""
    why: str | None = None
    """Why the remote did not start it."""
    revision: Revision | None = None
    """What was checked out when it was asked for, and which job asked."""


def retold(entries: Iterable[HistoryEntry]) -> tuple[PastAttempt, ...]:
    """Return the attempts that the entries of one address tell of, given newest first; the oldest attempt first."""
    found: dict[tuple[int, int], PastAttempt] = {}
    for entry in reversed(list(entries)):
        note = entry.note
        if note.what == "accepted":  # no attempt: it names the run of another generation, whose result is taken
            continue
        match note.data.get("generation"), note.data.get("attempt"):
            case int(generation), int(attempt) if attempt:
                which = (generation, attempt)
                before = found.get(which) or PastAttempt(generation=generation, attempt=attempt)
                found[which] = _after(before, note)
            case _:
                continue
    return tuple(found[which] for which in sorted(found))


def revision_told(data: Mapping[str, Any]) -> Revision | None:
    """Return the revision that a note tells of; None where it tells of none that could be read."""
    told = data.get("revision")
    try:
        return None if told is None else revision_of(told)
    except ValueError:
        return None


def _after(before: PastAttempt, note: Note) -> PastAttempt:
    """Return what is known of an attempt after one more note."""
    told = replace(before, run=_text(note, "run") or before.run, plan=before.plan or _text(note, "plan"))
    match note.what:
        case "intended":
            agent, fingerprint, revision = _text(note, "agent"), _text(note, "fingerprint"), revision_told(note.data)
            return replace(told, asked_at=note.at, agent=agent, fingerprint=fingerprint, revision=revision)
        case "ended" | "stopped":
            return replace(
                told,
                ended_at=note.at,
                status=_text(note, "status"),
                verdict=_text(note, "verdict"),
                seconds=_number(note, "seconds"),
                tokens=_tokens(note.data.get("tokens")),
                result=_text(note, "result") or told.result,
            )
        case "rejudged":
            return replace(told, verdict=_text(note, "verdict"))
        case "refused" | "absent":
            return replace(told, ended_at=note.at, verdict=note.what, why=_text(note, "why"))
        case "lost":
            return replace(told, ended_at=note.at, verdict="lost")
        case "revived":
            return replace(told, ended_at=None, status=_text(note, "status"), verdict=None)
        case "seen":
            return replace(told, status=_text(note, "status"))
        case _:
            return told


def _text(note: Note, name: str) -> str | None:
    value = note.data.get(name)
    return value if isinstance(value, str) else None


def _number(note: Note, name: str) -> float | None:
    value = note.data.get(name)
    return value if isinstance(value, int | float) else None


def _tokens(value: Any) -> Mapping[str, int] | None:
    if not isinstance(value, Mapping) or not all(isinstance(count, int) for count in value.values()):
        return None
    return dict(value)
