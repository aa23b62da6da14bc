"""Listening: what the runs that somebody wants to hear say, told as events. Decides nothing, and holds up nobody.

Runs are followed without it (`apply.following`): what fails here is told, and concerns no run.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Final

from taskspec.address import Address
from taskspec.apply import requesting
from taskspec.apply.model import Emit
from taskspec.apply.uttering import Utterances
from taskspec.desired.model import DesiredTask
from taskspec.errors import TaskspecError
from taskspec.events import ListeningEnded, RunSaid
from taskspec.plan.model import Change
from taskspec.taskapi.records import TaskEvent

Events = Callable[[str], AsyncGenerator[TaskEvent, None]]
"""Opens the stream of a run."""

MOST: Final = 32
"""So many runs are listened to at once; a further one is heard when one of them has ended."""
LINGER: Final = 1.0
"""Seconds for which the last words of runs that have ended are waited for."""


class Listener:
    """Listens to the runs of some addresses (None: of all), each in a task of its own."""

    def __init__(self, events: Events, emit: Emit, addresses: Collection[Address] | None) -> None:
        self._events = events
        self._emit = emit
        self._addresses = addresses
        self._places = asyncio.Semaphore(MOST)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def listen(self, change: Change, run: str) -> None:
        """Begin to listen to a run, where somebody wants to hear it; once for each run."""
        wanted = self._addresses is None or change.address in self._addresses
        if wanted and run not in self._tasks:
            self._tasks[run] = asyncio.create_task(self._hear(change.address, run, _secrets(change)))

    async def linger(self) -> None:
        """Wait a moment for the last words of runs that have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=LINGER)

    async def close(self) -> None:
        """Listen no longer."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _hear(self, address: Address, run: str, secrets: Collection[str]) -> None:
        utterances = Utterances(secrets)
        try:
            async with self._places, aclosing(self._events(run)) as events:
                async for event in events:
                    for kind, text in utterances.of(event):
                        self._emit(RunSaid(address=address, run=run, kind=kind, text=text))
            for kind, text in utterances.rest():
                self._emit(RunSaid(address=address, run=run, kind=kind, text=text))
        except Exception as error:  # noqa: BLE001  # whatever it is, the apply goes on
            detail = error.message if isinstance(error, TaskspecError) else type(error).__name__
            self._emit(ListeningEnded(address=address, run=run, detail=detail))


def _secrets(change: Change) -> Collection[str]:
    """Return what the run was given in secret: it may say it."""
    task = change.task
    if not isinstance(task, DesiredTask):
        return ()
    try:
        return requesting.new_task(task, "").secrets
    except ValueError:  # a saved plan knows no request of what it does not start
        return task.secrets
