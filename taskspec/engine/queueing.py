"""The runs that wait to be started: each agent's in their order, and the oldest that can start first. Starts none."""

from collections import deque
from collections.abc import Callable, Iterable


class Queue:
    """Waiting runs by agent, so that those of an agent nobody serves now hold up no others."""

    def __init__(self) -> None:
        self._runs: dict[str, deque[tuple[int, str]]] = {}
        self._last = 0
        self._first = 0

    def add(self, agent: str, run: str) -> None:
        """Put a run behind the others."""
        self._last += 1
        self._runs.setdefault(agent, deque()).append((self._last, run))

    def add_first(self, agent: str, run: str) -> None:
        """Put a run before the others, because it has waited before."""
        self._first -= 1
        self._runs.setdefault(agent, deque()).appendleft((self._first, run))

    def take(self, can_start: Callable[[str], bool]) -> tuple[str, str] | None:
        """Remove and return the agent and the id of the oldest run whose agent can start one now."""
        ready = [agent for agent in self._runs if can_start(agent)]
        if not ready:
            return None
        agent = min(ready, key=lambda name: self._runs[name][0])
        _, run = self._runs[agent].popleft()
        if not self._runs[agent]:
            del self._runs[agent]
        return agent, run

    def extend(self, runs: Iterable[tuple[str, str]]) -> None:
        """Put runs, each with its agent, behind the others."""
        for agent, run in runs:
            self.add(agent, run)
