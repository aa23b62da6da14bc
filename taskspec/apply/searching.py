"""Searching: looks for the marked runs of all open intents together. Binds none, and judges no absence."""

import asyncio
from dataclasses import dataclass

from taskspec.markers import bears
from taskspec.observed.finding import find_marked
from taskspec.observed.listing import Remote
from taskspec.observed.model import Marked


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    agent: str
    marker: str
    found: asyncio.Future[Marked | None]


class Search:
    """One look lists each agent once, for everybody who asked before it began; looks keep the remote's pause.

    It also holds what an apply learns by the way: for which agents the remote keeps the marker of a title, and to which
    of them creates were sent.
    """

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._open = 0
        self._looking: asyncio.Task[None] | None = None
        self._next = 0.0
        self._keeping: set[str] = set()
        self.suspected: set[str] = set()
        """The agents that may have one create more than once."""

    def note(self, agent: str, title: str | None, marker: str) -> None:
        """Take down that a run's title, as the remote shows it, still ends with its marker."""
        if bears(title, marker):
            self._keeping.add(agent)

    def keeps(self, agent: str) -> bool:
        """Tell whether a run of the agent was seen with its marker: only then does a list without one say anything."""
        return agent in self._keeping

    async def marked(self, remote: Remote, nonce: str, agent: str, marker: str) -> Marked | None:
        """Return what the next look shows of an intent; None where its agent's runs could not be listed in full."""
        found: asyncio.Future[Marked | None] = asyncio.get_running_loop().create_future()
        self._asked[nonce] = _Asked(agent=agent, marker=marker, found=found)
        self._open += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(remote))
        try:
            return await found
        finally:
            self._asked.pop(nonce, None)
            self._open -= 1
            if not self._open and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _look(self, remote: Remote) -> None:
        loop = asyncio.get_running_loop()
        while self._asked:
            await asyncio.sleep(max(0.0, self._next - loop.time()))
            asked, self._asked = self._asked, {}
            try:
                seen = await find_marked(remote, {nonce: (one.agent, one.marker) for nonce, one in asked.items()})
            except Exception as error:  # noqa: BLE001  # whoever waits must hear of it, whatever it is
                _refuse(asked, error)
                continue
            agents = {one.agent for one in asked.values()}
            self._next = loop.time() + remote.traits.poll_interval * len(agents)
            self._keeping |= {one.agent for nonce, one in asked.items() if nonce in seen and seen[nonce].keeps_markers}
            for nonce, one in asked.items():
                if not one.found.done():
                    one.found.set_result(seen.get(nonce))


def _refuse(asked: dict[str, _Asked], error: Exception) -> None:
    for one in asked.values():
        if not one.found.done():
            one.found.set_exception(error)
