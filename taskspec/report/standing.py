"""How things stand, in words: the tables of `status`, `results` and `agents list`. Asks nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from taskspec.address import Address
from taskspec.health import Health
from taskspec.report.text import Paint, columns, duration, in_line, one_line
from taskspec.state.model import Accepted
from taskspec.taskapi.records import AgentRecord

_STYLES = {
    Health.HEALTHY: "good",
    Health.UNHEALTHY: "error",
    Health.NEEDS_INPUT: "warning",
    Health.UNKNOWN: "error",
}


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
        verdict="not applied",
        generation=0,
        attempt=0,
        run=None,
        status=None,
        began=None,
        ended=None,
        detail="",
        accepted=None,
    )


def status_lines(standings: Sequence[Standing], now: float, paint: Paint) -> Iterator[str]:
    """Yield the table of `status`."""
    if not standings:
        yield "Nothing is recorded yet: `taskspec apply` starts the first runs."
        return
    header: tuple[str, ...] = ("ADDRESS", "VERDICT", "RUN", "TIME", "AGENT", "RESULT", "")
    first, *lines = columns([header, *(_row(standing, now) for standing in standings)])
    yield paint(first, "dim")
    for line, standing in zip(lines, standings, strict=True):
        yield _colored(line, standing, paint)


def agent_lines(agents: Sequence[AgentRecord], paint: Paint) -> Iterator[str]:
    """Yield the table of `agents list`."""
    if not agents:
        yield "The remote has no agents."
        return
    rows = [("ID", "NAME", "STATUS", "DESCRIPTION")]
    rows += [(in_line(a.id), in_line(a.name), in_line(a.status), one_line(a.description, 80)) for a in agents]
    for number, line in enumerate(columns(rows)):
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
        one_line(standing.detail, 60),
    )


def _colored(line: str, standing: Standing, paint: Paint) -> str:
    style = _STYLES[standing.health] if standing.health else "dim"
    return line.replace(f"  {standing.verdict}  ", f"  {paint(standing.verdict, style)}  ", 1)
