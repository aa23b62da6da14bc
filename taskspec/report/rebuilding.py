"""A state that was rebuilt from the remote, in words and for machines: what was found, and what nobody can know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.address import Address
from taskspec.moments import utc
from taskspec.observed.model import Sighting
from taskspec.plan.rebuilding import Lineage, Rebuilt
from taskspec.report.exiting import ExitCode, foremost
from taskspec.report.text import Paint, columns, in_line, one_line, plural, some
from taskspec.taskapi.records import ENDED

LOST: Final = (
    "the history before, plans and who asked; results of older generations; what was accepted or decided by hand",
    "requests that were on their way when it was lost: `taskspec plan --refresh=full` finds a run that comes late",
    "runs that the remote no longer has, does not list, or shows without their title",
)
"""What is never known after a rebuilding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuild:
    """What the remote's markers tell of a state that was lost."""

    lineages: tuple[Lineage, ...]
    chosen: str | None = None
    """The lineage of the new state; None where several may be meant."""
    serial: int = 0
    records: tuple[Rebuilt, ...] = ()
    without_run: tuple[Address, ...] = ()
    """Declared tasks of which the remote has no run: the next apply starts them."""
    others: tuple[Sighting, ...] = ()
    """Runs of the lineage that are those of no declared task."""
    again: tuple[tuple[Sighting, ...], ...] = ()
    """Runs that bear one marker."""
    unmarked: int = 0
    """How many runs of the agents bear no marker at all."""
    unlisted: Mapping[str, str] = field(default_factory=dict)
    """Agents that nothing declares, whose runs could not be listed, and why."""

    @property
    def exit_code(self) -> ExitCode:
        """Return USAGE where a lineage has to be chosen, UNKNOWN where what is not recorded may be at work."""
        if self.chosen is None:
            return ExitCode.USAGE
        at_work = any(one.run.status not in ENDED for one in self.others)
        return foremost([ExitCode.UNKNOWN] if at_work or self.again or self.unlisted else [])


def rebuild_lines(rebuild: Rebuild, paint: Paint) -> Iterator[str]:
    """Yield what was found, and what is not known."""
    if rebuild.chosen is None:
        yield from _choice(rebuild.lineages, paint)
        return
    known = in_line(rebuild.chosen[:8])  # what a marker has of it; the rest may be made up
    yield f"Of the lineage {known}… the remote has runs of {plural(len(rebuild.records), 'task')}:"
    yield ""
    header = ("ADDRESS", "GENERATION", "ATTEMPTS", "STATUS", "VERDICT", "TEXT", "RUN")
    first, *lines = columns([header, *(_row(one) for one in rebuild.records)])
    yield paint(first, "dim")
    yield from lines
    yield ""
    for one in rebuild.records:
        for doubt in one.doubts:
            yield f"  {paint('?', 'warning')} {one.record.address}: {one_line(doubt, 400)}"
    yield from _left(rebuild, paint)
    yield "What nobody can know any more:"
    for lost in LOST:
        yield f"  {paint('?', 'dim')} {lost}"


def rebuild_json(rebuild: Rebuild, *, done: bool) -> dict[str, Any]:
    """Return what was found, for machines."""
    return {
        "rebuilt": done,
        "lineage": rebuild.chosen,
        "serial": rebuild.serial,
        "records": [
            {
                "address": one.record.address,
                "generation": one.record.generation.number,
                "attempts": len(one.record.generation.attempts),
                "run": last.run if (last := one.record.generation.last) else None,
                "status": last.status if last else None,
                "verdict": last.verdict if last else None,
                "accepted": one.record.accepted.generation if one.record.accepted else None,
                "text": one.text,
                "doubts": list(one.doubts),
            }
            for one in rebuild.records
        ],
        "withoutRun": list(rebuild.without_run),
        "others": [_run(one) for one in rebuild.others],
        "duplicates": [[_run(one) for one in group] for group in rebuild.again],
        "lineages": [
            {
                "lineage": one.name,
                "runs": one.runs,
                "addresses": list(one.addresses),
                "newest": one.newest,
                "usedBy": one.used_by,
            }
            for one in rebuild.lineages
        ],
        "unmarked": rebuild.unmarked,
        "unlisted": dict(rebuild.unlisted),
        "lost": list(LOST),
    }


def _choice(lineages: Sequence[Lineage], paint: Paint) -> Iterator[str]:
    yield "The remote has runs of these tasks from several states:"
    yield ""
    header = ("LINEAGE", "RUNS", "NEWEST", "TASKS")
    first, *lines = columns([header, *(_of_lineage(one) for one in lineages if one.addresses)])
    yield paint(first, "dim")
    yield from lines
    yield ""
    yield "Say with `--lineage LINEAGE` which of them was lost. Nothing was changed."


def _of_lineage(one: Lineage) -> tuple[str, ...]:
    newest = utc(one.newest) if one.newest is not None else "-"
    used = f" (environment `{one.used_by}` has it)" if one.used_by else ""
    return one.name, str(one.runs), newest, f"{some(one.addresses)}{used}"


def _row(one: Rebuilt) -> tuple[str, ...]:
    generation, last = one.record.generation, one.record.generation.last
    verdict = last.verdict if last and last.verdict else "-"
    if one.record.accepted is not None and one.record.accepted.generation != generation.number:
        verdict = f"{verdict} (g{one.record.accepted.generation} accepted)"
    return (
        one.record.address,
        f"g{generation.number}",
        str(len(generation.attempts)),
        one_line(last.status or "-", 40) if last else "-",
        verdict,
        one.text,
        one_line(last.run or "-") if last else "-",
    )


def _left(rebuild: Rebuild, paint: Paint) -> Iterator[str]:
    """Yield what was found beside the records."""
    sign = paint("!", "warning")
    if rebuild.without_run:
        text = f"of {some(rebuild.without_run)} the remote has no run: the next apply starts one, which is paid for"
        yield f"  {sign} {text}"
    for one in rebuild.others:
        text = f"run {one_line(one.run.id)} ({one_line(one.run.status, 40)}) is that of no declared task"
        yield f"  {sign} {text}: {one_line(one.run.title or '', 80)}"
    for group in rebuild.again:
        runs = ", ".join(one_line(one.run.id) for one in group)
        yield f"  {sign} one create is there as {len(group)} runs ({runs}): the first is recorded"
    foreign = [one for one in rebuild.lineages if one.name != rebuild.chosen[:8]] if rebuild.chosen else []
    if foreign:
        count = sum(one.runs for one in foreign)
        yield f"  {sign} {plural(count, 'run')} of other projects or states: nothing touches them"
    if rebuild.unmarked:
        yield f"  {sign} {plural(rebuild.unmarked, 'run')} without a marker: whose they are is not known"
    for agent, why in rebuild.unlisted.items():
        yield f"  {sign} the runs of {one_line(agent)}, which nothing declares, cannot be listed: {one_line(why)}"


def _run(one: Sighting) -> dict[str, Any]:
    return {
        "run": one.run.id,
        "agent": one.run.agent_id,
        "status": one.run.status,
        "title": one.run.title,
        "createdAt": one.run.created_at,
        "generation": one.marker.generation,
    }
