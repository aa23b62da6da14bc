"""The refresh: asking the remote about runs with as few calls as the truth allows. Decides and changes nothing.

An absence from a list proves nothing: lists lag and are cut. Only two single reads that answer 404 do.
A key that is refused (401, 403) is raised: it stops everything. Any other trouble is of the runs that it concerns.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from taskspec.errors import AuthenticationError, NotFoundError, RateLimitedError, RefusedError, RemoteError
from taskspec.observed.model import Absent, Marked, Observation, Present, Unreadable
from taskspec.taskapi.decoding import UNKNOWN
from taskspec.taskapi.endpoints import get_task, list_tasks
from taskspec.taskapi.messages import Call, Pause
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import Traits

T = TypeVar("T")
K = TypeVar("K")

FEW = 2
"""So many runs of an agent are read one by one: two lists would not be cheaper."""
PAGE = 1000
WIDTH = 16
SECOND_LOOK = 0.5
"""Seconds between the two reads that prove an absence."""
LISTED = (Status.Pending, Status.Executing)
"""Paused runs are read one by one: a list does not say what they wait for."""


class Remote(Protocol):
    """What a refresh needs of a connection."""

    @property
    def traits(self) -> Traits:
        """In what the remote differs."""
        ...

    async def run(self, call: Call[T]) -> T:
        """Carry out a call."""
        ...


async def observe(connection: Remote, runs: Mapping[str, str]) -> dict[str, Observation]:
    """Look at runs (run id → agent id) that were active: the active by lists, the others by single reads."""
    agents = _by_agent(runs)
    few = [run for members in agents.values() if len(members) <= FEW for run in members]
    lists = [(agent, status) for agent, members in agents.items() if len(members) > FEW for status in LISTED]

    async def look(key: tuple[str, Status]) -> list[TaskRecord] | Unreadable:
        agent, status = key
        return await _listed(connection, agent, status)

    seen: dict[str, Observation] = {}
    for (agent, status), found in (await _each(lists, look)).items():
        rows = found if isinstance(found, Unreadable) else [row for row in found if row.status == status]
        _note(seen, agents[agent], rows)
    rest = [run for run, agent in runs.items() if len(agents[agent]) > FEW and run not in seen]
    return seen | await _singly(connection, few + rest)


def requests_of(runs: Mapping[str, str]) -> int:
    """Return how many requests one look at active runs (run id → agent id) needs at least."""
    return sum(len(members) if len(members) <= FEW else len(LISTED) for members in _by_agent(runs).values())


async def observe_all(connection: Remote, runs: Mapping[str, str]) -> dict[str, Observation]:
    """Look at runs (run id → agent id) in any status: one list per agent, single reads for what it does not show.

    A run that is seen in a list has a row's fields only.
    """
    agents = _by_agent(runs)

    async def look(agent: str) -> list[TaskRecord] | Unreadable:
        return await _listed(connection, agent, None)

    seen: dict[str, Observation] = {}
    for agent, found in (await _each(agents, look)).items():
        rows = found if isinstance(found, Unreadable) else [row for row in found if row.status != UNKNOWN]
        _note(seen, agents[agent], rows)
    return seen | await _singly(connection, [run for run in runs if run not in seen])


async def find_marked(connection: Remote, markers: Mapping[str, tuple[str, str]]) -> dict[str, Marked]:
    """Find the runs whose title ends with a marker (nonce → agent id and marker), listing each agent once.

    A nonce that is missing from the answer was not looked for: its agent could not be listed in full. It proves
    nothing. Without runs, a whole list was read and does not have it.
    """
    nonces = {wanted: nonce for nonce, wanted in markers.items()}

    async def look(agent: str) -> list[TaskRecord] | None:
        try:
            rows = await _rows(connection, agent, None)
        except AuthenticationError:
            raise
        except RemoteError:
            return None
        return rows if all(row.id for row in rows) else None

    lists = await _each(dict.fromkeys(agent for agent, _ in markers.values()), look)
    whole = {agent: rows for agent, rows in lists.items() if rows is not None}
    found: dict[str, list[TaskRecord]] = {nonce: [] for nonce, (agent, _) in markers.items() if agent in whole}
    lineages = {_lineage_of(marker) for _, marker in markers.values()} - {""}
    keeping: set[str] = set()
    for agent, rows in whole.items():
        for row in rows:
            marker = _marker_of(row)
            if marker.endswith("]") and _lineage_of(marker) in lineages:
                keeping.add(agent)
            nonce = nonces.get((agent, marker))
            if nonce is not None:
                found[nonce].append(row)
    return {
        nonce: Marked(runs=tuple(records), keeps_markers=markers[nonce][0] in keeping)
        for nonce, records in found.items()
    }


def _marker_of(row: TaskRecord) -> str:
    title = (row.title or "").rstrip()
    start = title.rfind("[")
    return title[start:] if start >= 0 else ""


def _lineage_of(marker: str) -> str:
    """Return the beginning of a marker, up to the project's lineage: `[ts1.<lineage>`."""
    return marker[: marker.find(".", marker.find(".") + 1) + 1]


def _by_agent(runs: Mapping[str, str]) -> dict[str, set[str]]:
    agents: defaultdict[str, set[str]] = defaultdict(set)
    for run, agent in runs.items():
        agents[agent].add(run)
    return dict(agents)


def _note(seen: dict[str, Observation], members: set[str], rows: list[TaskRecord] | Unreadable) -> None:
    """Note what a list shows of an agent's runs; a list that could not be read makes unreadable what is not seen."""
    if isinstance(rows, Unreadable):
        for run in members:
            seen.setdefault(run, rows)
        return
    for row in rows:
        if row.id in members:
            seen[row.id] = Present(record=row)


async def _rows(connection: Remote, agent: str, status: Status | None) -> list[TaskRecord]:
    return await connection.run(
        list_tasks(agent, status=status, per_page=PAGE if connection.traits.pages_lists else None)
    )


async def _listed(connection: Remote, agent: str, status: Status | None) -> list[TaskRecord] | Unreadable:
    """List an agent's runs; where the remote refuses the list as such, show none, so that each is read singly."""
    try:
        return await _rows(connection, agent, status)
    except AuthenticationError:
        raise
    except RateLimitedError as error:
        return Unreadable(reason=error.message)
    except RefusedError:
        return []
    except RemoteError as error:
        return Unreadable(reason=error.message)


async def _singly(connection: Remote, runs: Iterable[str]) -> dict[str, Observation]:
    async def look(run: str) -> Observation:
        return await connection.run(_look(run))

    first = await _each(runs, look)
    missing = [run for run, observation in first.items() if isinstance(observation, Absent)]
    if not missing:
        return first
    await connection.run(_wait(SECOND_LOOK))
    return first | await _each(missing, look)


def _look(run: str) -> Call[Observation]:
    try:
        return Present(record=(yield from get_task(run)))
    except AuthenticationError:
        raise
    except NotFoundError:
        return Absent()
    except RemoteError as error:
        return Unreadable(reason=error.message)


def _wait(seconds: float) -> Call[None]:
    yield Pause(seconds=seconds)


async def _each(keys: Iterable[K], look: Callable[[K], Awaitable[T]]) -> dict[K, T]:
    """Look at each key, a few at a time; the first exception ends all and is raised as it is."""
    listed = list(keys)
    waiting = iter(listed)
    seen: dict[K, T] = {}

    async def work() -> None:
        for key in waiting:
            seen[key] = await look(key)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(listed))):
                group.create_task(work())
    except BaseExceptionGroup as trouble:
        raise trouble.exceptions[0] from None
    return seen
