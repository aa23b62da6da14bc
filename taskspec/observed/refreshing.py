"""The refresh: asking the remote about runs with as few calls as the truth allows. Decides and changes nothing.

An absence from a list proves nothing: lists lag and are cut. Only two single reads that answer 404 do.
A key that is refused (401, 403) is raised: it stops everything. Any other trouble is of the runs that it concerns.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from taskspec.errors import AuthenticationError, NotFoundError, RemoteError
from taskspec.observed.listing import Listed, Lists, Remote, Unlisted, each, listed, survey
from taskspec.observed.model import Absent, Observation, Present, Unreadable
from taskspec.taskapi.decoding import UNKNOWN
from taskspec.taskapi.endpoints import get_task
from taskspec.taskapi.messages import Call, Pause
from taskspec.taskapi.records import AgentExecutionStatus as Status

FEW = 2
"""So many runs of an agent are read one by one: two lists would not be cheaper."""
SECOND_LOOK = 0.5
"""Seconds between the two reads that prove an absence."""
LISTED = (Status.Executing, Status.Pending)
"""Paused runs are read one by one: a list does not say what they wait for."""
_NOT_TOLD: Final = frozenset({UNKNOWN, Status.Paused})


async def observe(connection: Remote, runs: Mapping[str, str]) -> dict[str, Observation]:
    """Look at runs (run id → agent id) that were active: the active by lists, the others by single reads.

    A list is asked for as long as more than a few of an agent's runs are left to find.
    """
    agents = _by_agent(runs)

    async def look(agent: str) -> dict[str, Observation]:
        seen: dict[str, Observation] = {}
        for status in LISTED:
            if len(agents[agent]) - len(seen) > FEW:
                _note(seen, agents[agent], await listed(connection, agent, status), {status})
        return seen

    looks = (await each(agents, look)).values()
    seen = {run: observation for found in looks for run, observation in found.items()}
    return seen | await read_singly(connection, [run for run in runs if run not in seen])


def requests_of(runs: Mapping[str, str]) -> int:
    """Return how many requests one look at active runs (run id → agent id) takes where nothing is cut into pages."""
    return sum(len(members) if len(members) <= FEW else len(LISTED) for members in _by_agent(runs).values())


async def observe_all(
    connection: Remote, runs: Mapping[str, str], lists: Lists | None = None
) -> dict[str, Observation]:
    """Look at runs (run id → agent id) in any status: one list per agent, single reads for what it does not show.

    `lists` are whole lists of their agents where these were made already. A run that is seen in a list has a row's
    fields only; one that is paused is read, as a row does not say what it waits for.
    """
    agents = _by_agent(runs)
    found = await survey(connection, agents) if lists is None else lists
    seen: dict[str, Observation] = {}
    for agent, members in agents.items():
        _note(seen, members, found[agent])
    return seen | await read_singly(connection, [run for run in runs if run not in seen])


def _by_agent(runs: Mapping[str, str]) -> dict[str, set[str]]:
    agents: defaultdict[str, set[str]] = defaultdict(set)
    for run, agent in runs.items():
        agents[agent].add(run)
    return dict(agents)


def _note(seen: dict[str, Observation], members: set[str], found: Listed, only: Collection[str] = ()) -> None:
    """Note what a list shows of an agent's runs, in some statuses `only`, or in any that a row can tell.

    A list that could not be read makes unreadable what is not seen; where the remote refuses the list as such it shows
    none, so that each run is read singly.
    """
    if isinstance(found, Unlisted):
        for run in () if found.refused else members:
            seen.setdefault(run, Unreadable(reason=found.reason))
        return
    for row in found:
        if row.id in members and (row.status in only if only else row.status not in _NOT_TOLD):
            seen[row.id] = Present(record=row)


async def read_singly(connection: Remote, runs: Iterable[str]) -> dict[str, Observation]:
    """Look at runs one by one; one that is not there is looked for twice."""

    async def look(run: str) -> Observation:
        return await connection.run(_look(run))

    first = await each(runs, look)
    missing = [run for run, observation in first.items() if isinstance(observation, Absent)]
    if not missing:
        return first
    await connection.run(_wait(SECOND_LOOK))
    return first | await each(missing, look)


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
