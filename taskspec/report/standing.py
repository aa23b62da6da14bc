"""How things stand, in words: the tables of `status`, `results` and `agents list`. Asks nobody."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from taskspec.address import Address
from taskspec.health import Health
from taskspec.report.fitting import cut, first_word, fitted, run_beginning, shorter, width_of, without
from taskspec.report.summing import standings as counts
from taskspec.report.text import Paint, columns, duration, in_line, one_line
from taskspec.report.wrapping import NARROWEST
from taskspec.state.model import Accepted, Verdict
from taskspec.taskapi.records import AgentRecord

_STYLES = {
    Health.HEALTHY: "good",
    Health.UNHEALTHY: "error",
    Health.NEEDS_INPUT: "warning",
    Health.UNKNOWN: "error",
}
_NOT_APPLIED: Final = "not applied"
_MARGIN: Final = "      "
_LESS: Final = (
    shorter("RUN", run_beginning),
    without("AGENT"),
    without("TIME"),
    shorter("RUN", first_word),
    without("RESULT"),
    cut("ADDRESS"),
)
"""What `status` shows less of where a terminal is narrow, the least important first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One address: what is recorded of it, and what its run shows now. Times in seconds since the epoch."""

    address: Address
    agent: str
    health: Health | None
    """None where the address was never applied."""
    verdict: str
    generation: int
    attempt: int
    run: str | None
    status: str | None
    began: float | None
    ended: float | None
    detail: str
    accepted: Accepted | None


def not_applied(address: Address, agent: str) -> Standing:
    """Return the standing of a task that is declared, and of which nothing is recorded."""
    return Standing(
        address=address,
        agent=agent,
        health=None,
        verdict=_NOT_APPLIED,
        generation=0,
        attempt=0,
        run=None,
        status=None,
        began=None,
        ended=None,
        detail="",
        accepted=None,
    )


def status_lines(standings: Sequence[Standing], now: float, paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of `status`, and what it comes to; a reason that has no room in its row stands below it."""
    if not standings:
        yield "Nothing is recorded yet: `taskspec apply` starts the first runs."
        return
    header: tuple[str, ...] = ("ADDRESS", "VERDICT", "RUN", "TIME", "AGENT", "RESULT")
    table = fitted([header, *(_row(standing, now) for standing in standings)], width, *_LESS)
    reasons = [one_line(standing.detail) for standing in standings]
    beside = [(*row, reason) for row, reason in zip(table, ["", *reasons], strict=True)]
    room = None if width is None or width_of(beside) <= width else max(width, NARROWEST) - len(_MARGIN)
    first, *lines = columns(beside if room is None else table)
    yield paint(first, "dim")
    for line, reason, standing in zip(lines, reasons, standings, strict=True):
        yield _colored(line, standing, paint)
        if reason and room is not None:
            yield paint(f"{_MARGIN}{one_line(reason, room)}", "dim")
    if len(standings) > 1:
        yield ""
        yield f"{', '.join(_summed(standings, paint))}."


def agent_lines(agents: Sequence[AgentRecord], paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of `agents list`."""
    if not agents:
        yield "The remote has no agents."
        return
    rows = [("ID", "NAME", "STATUS", "DESCRIPTION")]
    rows += [(in_line(a.id), in_line(a.name), in_line(a.status), one_line(a.description, 80)) for a in agents]
    for number, line in enumerate(columns(fitted(rows, width, cut("DESCRIPTION")))):
        yield line if number else paint(line, "dim")


def _row(standing: Standing, now: float) -> tuple[str, ...]:
    took = ""
    if standing.began is not None:
        took = duration((standing.ended or now) - standing.began)
    accepted = standing.accepted
    attempt = f".{standing.attempt}" if standing.attempt > 1 else ""
    return (
        standing.address,
        in_line(standing.verdict),
        f"g{standing.generation}{attempt} {in_line(standing.run or '-')}" if standing.generation else "-",
        took,
        in_line(standing.agent),
        f"g{accepted.generation} {accepted.result.size} bytes" if accepted else "-",
    )


def _summed(standings: Sequence[Standing], paint: Paint) -> Iterator[str]:
    """Yield how many tasks stand how; of those that are on the way to a result, in the words of the remote."""
    healths = Counter(standing.health for standing in standings)
    words = Counter(in_line(standing.verdict) for standing in standings if standing.health is Health.HEALTHY)
    accepted = words.pop(Verdict.ACCEPTED, 0)
    unhealthy, needing, unknown = (healths[one] for one in (Health.UNHEALTHY, Health.NEEDS_INPUT, Health.UNKNOWN))
    yield from counts(accepted, unhealthy, needing, unknown, paint)
    yield from (f"{count} {word}" for word, count in words.items())
    if healths[None]:
        yield f"{healths[None]} {_NOT_APPLIED}"


def _colored(line: str, standing: Standing, paint: Paint) -> str:
    style = _STYLES[standing.health] if standing.health else "dim"
    verdict = in_line(standing.verdict)
    return line.replace(f"  {verdict}", f"  {paint(verdict, style)}", 1)
