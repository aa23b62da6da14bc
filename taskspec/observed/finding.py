"""Finding: runs by the markers in their titles, in whole lists of agents. Knows no record, and judges no absence."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from taskspec.markers import bears, marker_in, short_lineage
from taskspec.observed.listing import Lists, Remote, Unlisted, survey
from taskspec.observed.model import Marked, Sighting
from taskspec.taskapi.records import TaskRecord


async def find_marked(connection: Remote, markers: Mapping[str, tuple[str, str]]) -> dict[str, Marked]:
    """Find the runs whose title ends with a marker (nonce → agent id and marker), listing each agent once."""
    return found_in(await survey(connection, [agent for agent, _ in markers.values()]), markers)


def found_in(lists: Lists, markers: Mapping[str, tuple[str, str]]) -> dict[str, Marked]:
    """Return, by nonce, the runs of some lists whose title ends with a marker (nonce → agent id and marker).

    A nonce that is missing from the answer was not looked for: its agent could not be listed in full. It proves
    nothing. Without runs, a whole list was read and does not have it.
    """
    wanted: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for nonce, (agent, marker) in markers.items():
        wanted[agent][marker] = nonce
    found: dict[str, Marked] = {}
    for agent, by_marker in wanted.items():
        rows = lists.get(agent)
        if rows is not None and not isinstance(rows, Unlisted) and all(row.id for row in rows):
            found |= _found_among(rows, by_marker)
    return found


def sightings(lists: Lists, lineage: str) -> tuple[Sighting, ...]:
    """Return the runs of some lists that bear a marker of a lineage, the earliest first."""
    found = {one.run.id: one for one in marked(lists) if lineage and one.marker.lineage == short_lineage(lineage)}
    return tuple(sorted(found.values(), key=lambda one: age(one.run)))


def marked(lists: Lists) -> Iterator[Sighting]:
    """Yield the runs of some lists that bear a marker, of whichever lineage."""
    for rows in lists.values():
        for row in () if isinstance(rows, Unlisted) else rows:
            marker = marker_in(row.title) if row.id else None
            if marker is not None:
                yield Sighting(marker=marker, run=row)


def foreign(lists: Lists, lineage: str) -> int:
    """Return how many runs bear a marker of another lineage."""
    return len({one.run.id for one in marked(lists) if one.marker.lineage != short_lineage(lineage)})


def twins(found: tuple[Sighting, ...]) -> tuple[tuple[Sighting, ...], ...]:
    """Return the runs that bear one marker, for each marker that more than one bears; the earliest first."""
    groups: defaultdict[str, list[Sighting]] = defaultdict(list)
    for one in found:
        groups[one.marker.text].append(one)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def age(run: TaskRecord) -> tuple[float, str]:
    """Return what orders runs by age; one whose beginning the remote does not tell counts as the newest."""
    return (float("inf") if run.created_at is None else run.created_at, run.id)


def _found_among(rows: list[TaskRecord], wanted: Mapping[str, str]) -> dict[str, Marked]:
    """Return, by nonce, the runs that bear a marker (marker → nonce)."""
    lineages = {known.lineage for text in wanted if (known := marker_in(text)) is not None}
    runs: dict[str, list[TaskRecord]] = {nonce: [] for nonce in wanted.values()}
    keeps = False
    for row in rows:
        borne = marker_in(row.title)
        keeps = keeps or (borne is not None and borne.lineage in lineages)
        if borne is not None and borne.text in wanted and bears(row.title, borne.text):
            runs[wanted[borne.text]].append(row)
    return {nonce: Marked(runs=tuple(those), keeps_markers=keeps) for nonce, those in runs.items()}
