"""Retracing: an attempt that no record holds any more, as the notes of the history tell it, one by one. Pure."""

from dataclasses import replace
from typing import Final

from taskspec.plan.keeping import remote_of, text_of, tokens_of, verdict_of
from taskspec.state.model import Attempt, Note, ResultRef, Sending, StopCause, Verdict
from taskspec.state.retelling import revision_told
from taskspec.taskapi.remotes import RemoteIdentity

MEANING: Final = frozenset({"bound", "ended", "stopped", "lost"})
"""The notes that tell that there was an attempt, also where nothing tells that it was asked for."""


def asked(note: Note, number: int) -> Attempt:
    """Return an attempt as the note tells it that it was asked for by."""
    return replace(
        unknown(number, note.at),
        nonce=text_of(note.data.get("nonce")),
        marker=text_of(note.data.get("marker")),
        revision=revision_told(note.data),
    )


def unknown(number: int, at: float) -> Attempt:
    """Return an attempt of which no more is known than that it was made, in epoch seconds."""
    return Attempt(
        number=number,
        nonce="",
        marker="",
        body_digest="",
        intended_at=at,
        send_deadline=at,
        remote=RemoteIdentity(type=""),
    )


def moved_on(before: Attempt, note: Note) -> Attempt:
    """Return an attempt after one more note of it."""
    data = note.data
    match note.what:
        case "bound" | "adopted":
            return replace(before, sending=Sending.BOUND, run=text_of(data.get("run")) or before.run)
        case "refused":
            return replace(before, sending=Sending.REFUSED, verdict=Verdict.ERROR, detail=text_of(data.get("why")))
        case "absent":
            return replace(before, sending=Sending.ABSENT, detail=text_of(data.get("why")))
        case "seen":
            return replace(before, status=text_of(data.get("status")) or before.status)
        case "revived":
            return replace(before, status=text_of(data.get("status")) or None, verdict=None)
        case "stopping":
            cause = data.get("cause")
            return replace(before, stop=StopCause(cause) if cause in set(StopCause) else before.stop)
        case "ended" | "stopped":
            return _ended(before, note)
        case "rejudged":
            verdict = verdict_of(data.get("verdict"))
            return replace(before, verdict=verdict, rejudged=verdict is Verdict.REJECTED)
        case "lost":
            return replace(before, verdict=Verdict.LOST)
        case _:
            return before


def _ended(before: Attempt, note: Note) -> Attempt:
    data = note.data
    seconds = data.get("seconds")
    took = seconds if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
    match data.get("result"), data.get("bytes"), data.get("format"):
        case str(digest), int(size), str(form):
            result: ResultRef | None = ResultRef(digest=digest, size=size, format=form)
        case _:
            result = before.result
    return replace(
        before,
        sending=Sending.BOUND,
        run=text_of(data.get("run")) or before.run,
        marker=text_of(data.get("marker")) or before.marker,
        remote=remote_of(data.get("remote")),
        status=text_of(data.get("status")) or None,
        verdict=verdict_of(data.get("verdict")),
        tokens=tokens_of(data.get("tokens")),
        started_at=None if took is None else note.at - took,
        finished_at=note.at,
        result=result,
    )
