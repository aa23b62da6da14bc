"""Watching: looks at all followed runs together and wakes whoever waits for one. Judges nothing, stops nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from taskspec.observed.model import Observation, Present, Unreadable
from taskspec.observed.refreshing import requests_of

Look = Callable[[Mapping[str, str]], Awaitable[Mapping[str, Observation]]]
"""Observes runs, given as run id → agent id."""

PATIENCE = 8
"""How many looks in a row may fail before a run counts as unreadable."""
SLOWEST = 12
"""The longest pause between two looks, as a multiple of the shortest for one request (5 s to 60 s where hosted)."""


@dataclass(slots=True)
class _Watched:
    agent: str
    seen: str | None
    found: asyncio.Future[Observation]
    failures: int = field(default=0)


class Watcher:
    """One loop that observes every watched run, as often as the remote allows, and slower while nothing happens.

    A remote limits requests, not looks: the pause grows with the requests that a look takes.
    """

    def __init__(self, look: Look, shortest_pause: float) -> None:
        self._look = look
        self._shortest = shortest_pause
        self._watched: dict[str, _Watched] = {}
        self._loop: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    async def change(self, run: str, agent: str, *, seen: str | None) -> Observation:
        """Return the next observation in which the run shows another status than `seen`."""
        found: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()
        self._watched[run] = _Watched(agent, seen, found)
        self._woken.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._watch())
        try:
            return await found
        finally:
            self._watched.pop(run, None)

    async def close(self) -> None:
        """Stop looking."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _watch(self) -> None:
        pause = self._shortest
        while self._watched:
            self._woken.clear()
            asked = {run: watched.agent for run, watched in self._watched.items()}
            shortest = self._shortest * requests_of(asked)
            try:
                observations = await self._look(asked)
            except Exception as error:  # noqa: BLE001  # whoever waits must hear of it, whatever it is
                self._fail(asked, error)
                continue
            moved = sum(self._tell(run, observation) for run, observation in observations.items()) > 0
            longest = max(shortest, self._shortest * SLOWEST)
            pause = shortest if moved else min(max(shortest, pause * 1.3), longest)
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                continue
            pause = shortest
            await asyncio.sleep(pause)

    def _tell(self, run: str, observation: Observation) -> bool:
        watched = self._watched.get(run)
        if watched is None or watched.found.done():
            return False
        match observation:
            case Unreadable():
                watched.failures += 1
                if watched.failures < PATIENCE:
                    return False
            case Present(record=record) if record.status == watched.seen:
                watched.failures = 0
                return False
            case _:
                pass
        watched.found.set_result(observation)
        return True

    def _fail(self, asked: Mapping[str, str], error: Exception) -> None:
        for run in asked:
            watched = self._watched.pop(run, None)
            if watched is not None and not watched.found.done():
                watched.found.set_exception(error)
