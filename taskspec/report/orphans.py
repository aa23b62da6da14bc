"""Runs of a project on the remote that are not recorded, as values and in words. Asks nobody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Any, Final

from taskspec.address import Address
from taskspec.markers import Marker
from taskspec.quoting import operand
from taskspec.report.exiting import ExitCode, foremost
from taskspec.report.fitting import cut, fitted, without
from taskspec.report.text import Paint, columns, one_line, plural
from taskspec.taskapi.records import ENDED, TaskRecord

_LESS: Final = (cut("TITLE"), *map(without, ("TITLE", "AGENT", "TEXT", "STATUS")), cut("ADDRESS"))
"""What `orphans` shows less of where a terminal is narrow, the least important first; a run is to be copied whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    """A run that bears a marker of the project's state, and that no record has."""

    run: TaskRecord
    marker: Marker
    address: Address | None
    """None where the marker's hash is of no address that is declared, or was ever recorded."""
    text: str
    """`declared`, `recorded` or `other`: which text its marker says; empty where nobody can tell."""
    duplicate_of: str | None = None
    """The recorded run that bears the same marker."""

    @property
    def may_be_at_work(self) -> bool:
        """Tell whether it has not ended, as far as one knows."""
        return self.run.status not in ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphans:
    """What a search for orphans found."""

    found: tuple[Orphan, ...]
    foreign: int = 0
    """How many runs bear markers of other projects or states; they are nobody's business here."""
    past: int = 0
    """How many more bear markers of this state, have ended, and were recorded once."""
    unlisted: Mapping[str, str] = field(default_factory=dict)
    """The agents whose runs could not be listed, and why."""

    @property
    def exit_code(self) -> ExitCode:
        """Return ERROR where an agent could not be listed, UNKNOWN where a run is at work, or there twice."""
        codes = [ExitCode.ERROR] if self.unlisted else []
        codes += [ExitCode.UNKNOWN for one in self.found if one.may_be_at_work or one.duplicate_of]
        return foremost(codes)


def orphan_lines(orphans: Orphans, paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of `orphans`, and what else is to be said."""
    if orphans.found:
        header = ("RUN", "STATUS", "ADDRESS", "TEXT", "AGENT", "TITLE")
        first, *lines = columns(fitted([header, *map(_row, orphans.found)], width, *_LESS))
        yield paint(first, "dim")
        yield from lines
        yield ""
        adoptable = next((one for one in orphans.found if one.address and one.duplicate_of is None), None)
        if adoptable is not None and adoptable.address is not None:
            run = operand(one_line(adoptable.run.id))
            yield f"`taskspec adopt {quote(adoptable.address)} {run}` records one as the run of its task."
        if any(one.may_be_at_work for one in orphans.found):
            yield "`taskspec tasks stop RUN` ends one."
    elif not orphans.unlisted:
        yield "Every run that bears a marker of this state is recorded."
    if orphans.past:
        have = "has" if orphans.past == 1 else "have"
        yield f"{plural(orphans.past, 'run')} more, of older generations or removed tasks, {have} ended."
    if orphans.foreign:
        bear = "bears a marker" if orphans.foreign == 1 else "bear markers"
        yield f"{plural(orphans.foreign, 'run')} {bear} of other projects, or of another state of this one."
    for agent, why in orphans.unlisted.items():
        yield f"{paint('error', 'error')}: the runs of {one_line(agent)} cannot be listed: {one_line(why)}"


def orphans_json(orphans: Orphans) -> dict[str, Any]:
    """Return what was found as plain JSON values."""
    return {
        "orphans": [
            {
                "address": one.address,
                "agent": one.run.agent_id,
                "run": one.run.id,
                "status": one.run.status,
                "title": one.run.title,
                "createdAt": one.run.created_at,
                "generation": one.marker.generation,
                "text": one.text or None,
                "duplicateOf": one.duplicate_of,
            }
            for one in orphans.found
        ],
        "past": orphans.past,
        "foreign": orphans.foreign,
        "unlisted": dict(orphans.unlisted),
    }


def _row(one: Orphan) -> tuple[str, ...]:
    address = one.address or "-"
    if one.duplicate_of:
        address = f"{address} (duplicate of {one_line(one.duplicate_of)})"
    return (
        one_line(one.run.id),
        one_line(one.run.status, 40),
        address,
        one.text or "-",
        one_line(one.run.agent_id),
        one_line(one.run.title or "", 60),
    )
