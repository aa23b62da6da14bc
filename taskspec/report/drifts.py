"""What has drifted on the remote, in words and as JSON. Asks nobody and plans nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from taskspec.health import Health
from taskspec.observed.model import Duplicate
from taskspec.plan.drifting import Difference, Drift
from taskspec.plan.encoding import duplicate_json
from taskspec.plan.refusals import Refusal
from taskspec.report.exiting import ExitCode, foremost, of_health
from taskspec.report.plans import duplicated
from taskspec.report.refusing import refused, way_out
from taskspec.report.text import Paint, in_line, one_line, place_of, plural

FORMAT: Final = 1
_STYLES: Final = {
    Health.HEALTHY: "change",
    Health.UNHEALTHY: "error",
    Health.NEEDS_INPUT: "warning",
    Health.UNKNOWN: "error",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Drifts:
    """What a look at the remote showed of everything that is recorded and selected."""

    project: str
    environment: str
    lineage: str
    serial: int
    looked: int
    """At how many runs somebody looked."""
    found: tuple[Drift, ...]
    """One for each address."""
    duplicates: tuple[Duplicate, ...] = ()
    astray: int = 0
    """How many runs bear a marker of a recorded address, and no record has them."""
    refusals: tuple[Refusal, ...] = ()
    """So many runs are gone that this is not to be believed."""

    @property
    def drifted(self) -> tuple[Drift, ...]:
        """Return what the remote shows otherwise than it is recorded."""
        return tuple(drift for drift in self.found if drift.drifted)

    @property
    def acknowledgeable(self) -> tuple[Drift, ...]:
        """Return what nothing acts on, so that it is for a person to take notice of."""
        return () if self.refusals else tuple(drift for drift in self.found if drift.acknowledgeable)

    def exit_code(self, *, detailed: bool) -> ExitCode:
        """Return what stands for all of it; never 0 where something is unknown or could not be read."""
        codes = [of_health(drift.health) for drift in self.found]
        codes += [ExitCode.ERROR for drift in self.found if drift.in_error]
        codes += [ExitCode.UNKNOWN] if self.duplicates or self.astray else []
        codes += [ExitCode.REFUSED] if self.refusals else []
        codes += [ExitCode.CHANGES] if detailed and self.drifted else []
        return foremost(codes)


def drift_lines(drifts: Drifts, paint: Paint, *, proposes: bool = True) -> Iterator[str]:
    """Yield what has drifted, and what is not well, line by line; `proposes`: and what takes notice of it."""
    yield from _told(drifts, filter(lambda drift: drift.noteworthy, drifts.found), paint, proposes=proposes)
    for duplicate in drifts.duplicates:
        yield f"{paint('Duplicate', 'error')}: {duplicated(duplicate)}"
    if drifts.astray:
        are = "run is" if drifts.astray == 1 else "runs are"
        yield f"{drifts.astray} {are} not recorded: `taskspec orphans` lists them."
    for refusal in drifts.refusals:
        yield f"{paint('Doubtful', 'error')}: {refused(refusal)}"
        yield f"  {paint('→', 'accent')} {way_out(refusal)}"


def drifted_lines(drifts: Drifts, paint: Paint) -> Iterator[str]:
    """Yield what has drifted alone, line by line: a plan beside it tells what is not well."""
    yield from _told(drifts, drifts.drifted, paint, proposes=True)


def drift_notes(drifts: Drifts) -> Iterator[str]:
    """Yield a sentence of each task that has drifted, as a report notes it."""
    for drift in drifts.drifted:
        detail = f"; {in_line(drift.detail, 600)}" if drift.detail else ""
        yield f"Drift of `{drift.address}`: {_said(drift)}{detail}."


def drifts_json(drifts: Drifts) -> dict[str, Any]:
    """Return what was found as plain JSON values; what is as it is recorded, and well, is only counted."""
    return {
        "format": FORMAT,
        "project": drifts.project,
        "environment": drifts.environment,
        "lineage": drifts.lineage,
        "serial": drifts.serial,
        "recorded": len(drifts.found),
        "looked": drifts.looked,
        "drift": [_json(drift) for drift in drifts.found if drift.noteworthy],
        "duplicates": [duplicate_json(duplicate) for duplicate in drifts.duplicates],
        "unrecorded": drifts.astray,
        "missing": [address for refusal in drifts.refusals for address in refusal.addresses],
    }


def _json(drift: Drift) -> dict[str, Any]:
    return {
        "address": drift.address,
        "agent": drift.agent,
        "run": drift.run,
        "difference": drift.difference.value,
        "drifted": drift.drifted,
        "recorded": drift.recorded,
        "observed": drift.observed,
        "health": drift.health.value,
        "acknowledgeable": drift.acknowledgeable,
        "inError": drift.in_error,
        "detail": drift.detail,
    }


def _told(drifts: Drifts, shown: Iterable[Drift], paint: Paint, *, proposes: bool) -> Iterator[str]:
    count = len(drifts.drifted)
    yield paint(f"Drift: {plural(count, 'task')}." if count else "Nothing has drifted.", "strong")
    for drift in shown:
        yield ""
        yield from _lines(drift, paint)
    if proposes and (noted := drifts.acknowledgeable):
        what = f"the run of {noted[0].address} shows" if len(noted) == 1 else "the runs of accepted results show"
        way = f"`taskspec apply --refresh-only` takes notice of what {what}; it starts nothing."
        yield f"  {paint('→', 'accent')} {way}"
    yield ""
    where = place_of(drifts.project, drifts.environment)
    yield f"{where}: {plural(len(drifts.found), 'task')} recorded, {plural(drifts.looked, 'run')} looked at."


def _lines(drift: Drift, paint: Paint) -> Iterator[str]:
    style = _STYLES[drift.health]
    symbol = "~" if drift.drifted else "!"
    yield f"  {paint(symbol, style)} {paint(drift.address, 'strong')}  {paint(_said(drift), style)}"
    if drift.detail:
        yield f"      {in_line(drift.detail, 600)}"


def _said(drift: Drift) -> str:
    recorded = one_line(drift.recorded or "pending")
    match drift.difference:
        case Difference.STATUS | Difference.BACK:
            return f"{recorded} → {one_line(drift.observed or '')}"
        case Difference.GONE:
            return f"{recorded} → gone"
        case Difference.FOUND:
            return "its run was found"
        case Difference.UNSETTLED:
            return "outcome unknown"
        case Difference.UNREADABLE:
            return f"{recorded} → unreadable"
        case Difference.NONE:
            return recorded
