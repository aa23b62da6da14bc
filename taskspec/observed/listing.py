"""Listing: the runs of agents by lists, each whole or not at all. Reads no single run, and decides nothing.

A key that is refused (401, 403) is raised: it stops everything. Any other trouble is of the agent that it concerns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from taskspec.errors import AuthenticationError, RateLimitedError, RefusedError, RemoteError
from taskspec.taskapi.endpoints import list_tasks
from taskspec.taskapi.messages import Call
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import Traits

T = TypeVar("T")
K = TypeVar("K")

PAGE = 1000
WIDTH = 16
"""How many requests are out at once."""


class Remote(Protocol):
    """What a refresh needs of a connection."""

    @property
    def traits(self) -> Traits:
        """In what the remote differs."""
        ...

    async def run(self, call: Call[T]) -> T:
        """Carry out a call."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Unlisted:
    """The runs of an agent could not be listed; `refused`: the remote will not list them as such."""

    reason: str
    refused: bool = False


Listed = list[TaskRecord] | Unlisted
Lists = Mapping[str, Listed]
"""What was listed, by agent."""


async def survey(connection: Remote, agents: Iterable[str]) -> dict[str, Listed]:
    """List all runs of each agent, each agent once."""

    async def look(agent: str) -> Listed:
        return await listed(connection, agent)

    return await each(dict.fromkeys(agents), look)


async def listed(connection: Remote, agent: str, status: Status | None = None) -> Listed:
    """List the runs of an agent, in one status or in any."""
    per_page = PAGE if connection.traits.pages_lists else None
    try:
        return await connection.run(list_tasks(agent, status=status, per_page=per_page))
    except AuthenticationError:
        raise
    except RateLimitedError as error:
        return Unlisted(reason=error.message)
    except RefusedError as error:
        return Unlisted(reason=error.message, refused=True)
    except RemoteError as error:
        return Unlisted(reason=error.message)


async def each(keys: Iterable[K], look: Callable[[K], Awaitable[T]]) -> dict[K, T]:
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
