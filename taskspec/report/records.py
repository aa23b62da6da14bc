"""What is recorded, in words and for machines: the table of `state list`, and all of one address. Asks nobody."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from taskspec.ci import Revision
from taskspec.moments import utc
from taskspec.report.fitting import cut, fitted, without
from taskspec.report.text import Paint, columns, duration, in_line, indented, one_line
from taskspec.state.encoding import record_object, revision_object
from taskspec.state.model import Accepted, Attempt, Generation, Record, ResultRef, Sending
from taskspec.state.retelling import PastAttempt
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

_DAY: Final = 86_400.0
_DIGITS: Final = 12
"""So many digits of a commit are shown."""
_LESS: Final = (*map(without, ("AGENT", "ATTEMPTS", "AGE", "ACCEPTED")), cut("ADDRESS"))
"""What `state list` shows less of where a terminal is narrow, the least important first."""


def record_lines(records: Sequence[Record], now: float, paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of `state list`."""
    if not records:
        yield "Nothing is recorded."
        return
    header = ("ADDRESS", "GENERATION", "ATTEMPTS", "VERDICT", "ACCEPTED", "AGE", "AGENT")
    first, *lines = columns(fitted([header, *(_row(record, now) for record in records)], width, *_LESS))
    yield paint(first, "dim")
    yield from lines


def record_row(record: Record) -> dict[str, Any]:
    """Return what `state list` tells of a record, for machines."""
    accepted = record.accepted
    return {
        "address": record.address,
        "generation": record.generation.number,
        "attempts": len(record.generation.attempts),
        "verdict": verdict_of(record),
        "accepted": {"generation": accepted.generation, "run": accepted.run, "sha256": accepted.result.digest}
        if accepted
        else None,
        "agent": record.agent,
        "at": last_moment(record),
    }


def everything_lines(
    record: Record, past: Sequence[PastAttempt], specs: Mapping[int, Mapping[str, Any]], now: float, paint: Paint
) -> Iterator[str]:
    """Yield all that is recorded of an address; `past` are the attempts of generations before, `specs` their texts."""
    generation = record.generation
    yield f"{paint(record.address, 'strong')}  g{generation.number}, {one_line(verdict_of(record), 40)}"
    yield from _facts(
        2,
        {
            "agent": record.agent,
            "on remove": record.on_remove.value + (", protected" if record.protect else ""),
            "next": f"g{record.next_generation}",
        },
    )
    yield from _generation_lines(generation, now, paint)
    if record.accepted is not None:
        yield from _accepted_lines(record.accepted, now, paint)
    yield from past_lines([one for one in past if one.generation != generation.number], specs, paint)


def past_lines(past: Sequence[PastAttempt], specs: Mapping[int, Mapping[str, Any]], paint: Paint) -> Iterator[str]:
    """Yield the attempts that only the history tells of, and behind the last of a generation what it was asked."""
    if not past:
        return
    yield f"  {paint('before', 'accent')}  as the history tells"
    for one, following in zip(past, [*past[1:], None], strict=True):
        parts = [
            f"run {in_line(one.run)}" if one.run else "no run",
            one_line(one.verdict, 40) if one.verdict else "not judged",
            duration(one.seconds) if one.seconds is not None else "",
            f"{sum(one.tokens.values())} tokens" if one.tokens else "",
            f"asked for {utc(one.asked_at)}" if one.asked_at is not None else "",
            in_line(revision_words(one.revision)),
            f"result {one.result}" if one.result else "",
            one_line(one.why) if one.why else "",
        ]
        yield f"    g{one.generation}.{one.attempt}  {', '.join(part for part in parts if part)}"
        if (following is None or following.generation != one.generation) and one.generation in specs:
            yield from _spec_lines(specs[one.generation])


def everything_object(record: Record | None, past: Sequence[PastAttempt]) -> dict[str, Any]:
    """Return all that is recorded of an address, for machines; the record as it stands in a pulled state."""
    return {
        "record": None if record is None else record_object(record),
        "attempts": [
            {
                "generation": one.generation,
                "attempt": one.attempt,
                "plan": one.plan,
                "agent": one.agent,
                "fingerprint": one.fingerprint,
                "run": one.run,
                "askedAt": one.asked_at,
                "endedAt": one.ended_at,
                "status": one.status,
                "verdict": one.verdict,
                "seconds": one.seconds,
                "tokens": one.tokens,
                "result": one.result,
                "why": one.why,
                "revision": None if one.revision is None else revision_object(one.revision),
            }
            for one in past
        ],
    }


def verdict_of(record: Record) -> str:
    """Return how the newest attempt of a record stands, as far as it is recorded."""
    last = record.generation.last
    if last is None:
        return "no attempt"
    if last.sending is Sending.INTENDED:
        return "unknown"
    return last.verdict or last.status or "pending"


def last_moment(record: Record) -> float:
    """Return when something was last known to happen to a record, in seconds since the epoch; 0 where nothing was."""
    last = record.generation.last
    moments = [record.accepted.at] if record.accepted else []
    if last is not None:
        moments += [moment for moment in (last.intended_at, last.started_at, last.finished_at) if moment is not None]
    return max(moments, default=0.0)


def age(seconds: float) -> str:
    """Return a time in its largest unit: `12s`, `5m`, `3h`, `8d`."""
    for unit, length in (("d", _DAY), ("h", 3600.0), ("m", 60.0)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{max(0, int(seconds))}s"


def _row(record: Record, now: float) -> tuple[str, ...]:
    moment = last_moment(record)
    return (
        record.address,
        f"g{record.generation.number}",
        str(len(record.generation.attempts)),
        one_line(verdict_of(record), 40),
        f"g{record.accepted.generation}" if record.accepted else "-",
        age(now - moment) if moment else "-",
        in_line(record.agent),
    )


def _generation_lines(generation: Generation, now: float, paint: Paint) -> Iterator[str]:
    yield f"  {paint(f'g{generation.number}', 'accent')}  asked for by plan {in_line(generation.plan)}"
    yield from _facts(4, {"fingerprint": generation.fingerprint})
    for attempt in generation.attempts:
        yield f"    {paint(f'attempt {attempt.number}', 'strong')}  {_sending(attempt)}"
        yield from _facts(6, _attempt_facts(attempt, now))
        if attempt.detail:
            yield "      detail"
            yield paint(indented(attempt.detail, 8), "dim")
    yield from _spec_lines(generation.spec)


def _spec_lines(spec: Mapping[str, Any]) -> Iterator[str]:
    yield "    spec, secrets masked"
    yield indented(json.dumps(dict(spec), indent=2, ensure_ascii=False), 6)


def _attempt_facts(attempt: Attempt, now: float) -> dict[str, str]:
    verdict = f"{attempt.verdict}{', when judged again' if attempt.rejudged else ''}" if attempt.verdict else "none yet"
    return {
        "on": _remote(attempt.remote),
        "asked for": _moment(attempt.intended_at, now),
        "began": _moment(attempt.started_at, now),
        "ended": _moment(attempt.finished_at, now),
        "took": duration(attempt.seconds) if attempt.seconds is not None else "",
        "tokens": _tokens(attempt.tokens),
        "status": attempt.status or "",
        "verdict": verdict,
        "stopped by us": f"cause: {attempt.stop}" if attempt.stop else "",
        "result": _result(attempt.result),
        "revision": revision_words(attempt.revision),
        "title": attempt.title,
        "marker": attempt.marker,
    }


def revision_words(revision: Revision | None) -> str:
    """Return what was checked out and which job asked, in a few words; empty where nobody could tell.

    They are untrusted text: whoever shows them makes them harmless.
    """
    if revision is None:
        return ""
    commit = f"commit {revision.commit[:_DIGITS]}" if revision.commit else ""
    parts = (
        f"{commit} and changes that are not in it" if commit and revision.is_dirty else commit,
        f"branch {revision.branch}" if revision.branch else "",
        f"request {revision.request}" if revision.request is not None else "",
        f"by {revision.author}" if revision.author else "",
        revision.job or "",
    )
    return ", ".join(part for part in parts if part)


def _accepted_lines(accepted: Accepted, now: float, paint: Paint) -> Iterator[str]:
    where = f"g{accepted.generation}.{accepted.attempt.number}"
    yield f"  {paint('accepted', 'good')}  {where}, run {in_line(accepted.run)} of agent {in_line(accepted.agent)}"
    version = accepted.agent_version or ""
    at, revision = _moment(accepted.at, now), revision_words(accepted.attempt.revision)
    facts = {
        "at": at,
        "taken from": _source(accepted),
        "agent version": version,
        "revision": revision,
        "result": _result(accepted.result),
        "run shows since": accepted.acknowledged or "",
    }
    yield from _facts(4, facts)


def _source(accepted: Accepted) -> str:
    """Return of which generation a result is, where it was not judged as that of the one that has it."""
    if accepted.again is not None:
        return f"g{accepted.again}, as the text is that of then"
    return f"g{accepted.by_hand}, by hand" if accepted.by_hand is not None else ""


def _facts(by: int, facts: dict[str, str]) -> Iterator[str]:
    told = {name: text for name, text in facts.items() if text}
    width = max(map(len, told), default=0)
    for name, text in told.items():
        yield f"{' ' * by}{name.ljust(width)}  {in_line(text)}"


def _sending(attempt: Attempt) -> str:
    match attempt.sending:
        case Sending.INTENDED:
            return "asked for; whether the remote has it is not known yet"
        case Sending.BOUND:
            return f"run {in_line(attempt.run or '-')}"
        case Sending.REFUSED:
            return "not started: it was refused, or never left"
        case Sending.ABSENT:
            return "proven not to be on the remote"


def _remote(remote: RemoteIdentity) -> str:
    named = {"organization": remote.organization, "instance": remote.instance}
    more = ", ".join(f"{name} {value}" for name, value in named.items() if value)
    return f"{remote.url or remote.type}{f' ({more})' if more else ''}"


def _moment(at: float | None, now: float) -> str:
    return "" if at is None else f"{utc(at)} ({age(now - at)} ago)"


def _tokens(tokens: Tokens | None) -> str:
    return "" if tokens is None else f"{tokens.prompt} for the prompt, {tokens.completion} for the answer"


def _result(ref: ResultRef | None) -> str:
    return "" if ref is None else f"{ref.format}, {ref.size} bytes, sha256 {ref.digest}"
