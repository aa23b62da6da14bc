"""Addresses that are to be forgotten, in words: what is lost with each, and what may still be at work. Asks nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from taskspec.report.records import verdict_of
from taskspec.report.text import Paint, in_line, one_line
from taskspec.state.model import Attempt, Record, Sending, Verdict

LONGEST = 600
"""How long a sentence may get, in characters: what a remote shows stands in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Farewell:
    """A record that is to leave the state."""

    record: Record
    declared: bool | None
    """Whether the address is declared; None where the manifests are wrong, and nobody can tell."""

    @property
    def may_be_at_work(self) -> Attempt | None:
        """Return the attempt whose run may go on with nobody to watch it."""
        last = self.record.generation.last
        return last if last is not None and last.may_be_at_work else None


def farewell_lines(farewell: Farewell, paint: Paint) -> Iterator[str]:
    """Yield what is lost with a record."""
    record, at_work = farewell.record, farewell.may_be_at_work
    number = record.generation.number
    yield f"{paint('-', 'remove')} {paint(record.address, 'strong')}  leaves the state (g{number}, {_verdict(record)})"
    if at_work is not None:
        yield f"    {paint('!', 'warning')} {in_line(_at_work(record, at_work), LONGEST)}"
    if record.accepted is not None:
        yield f"      its accepted result of g{record.accepted.generation} stays in the history"
    match farewell.declared:
        case True:
            yield f"    {paint('!', 'warning')} it is declared: the next apply starts a run of it, which is paid for"
        case None:
            yield "      whether it is declared cannot be told: the manifests are wrong; if so, the next apply runs it"
        case False:
            return


def _at_work(record: Record, attempt: Attempt) -> str:
    where = attempt.remote.url or "the engine of this project"
    if attempt.sending is Sending.INTENDED:
        return (
            f"a run was asked for on {where}, and nobody knows whether it is there: it may be at work, and nothing "
            f"will look for it (its title ends with {attempt.marker})"
        )
    seen = attempt.status or "pending"
    way = f"; `taskspec stop {quote(record.address)}` ends it first" if attempt.verdict is None else ""
    return f"run {attempt.run} on {where} was last seen {seen}: it may go on, with nobody to watch it{way}"


def _verdict(record: Record) -> str:
    found = verdict_of(record)
    return "outcome unknown" if found == Verdict.UNKNOWN else one_line(found, 40)
