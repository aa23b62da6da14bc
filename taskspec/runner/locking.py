"""Locking: the lock of a state is waited for, held, and said to be alive. Knows nothing of what is done under it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from taskspec.documents.model import Project
from taskspec.documents.places import Place
from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.runner.model import Ports
from taskspec.state.migrating import require_here
from taskspec.state.model import BEATS, TTL
from taskspec.state.store import Lease, StateStore

PAUSE = 0.1
"""Seconds between two tries to take a lock that is waited for, at first."""
LONGEST_PAUSE = 5.0
"""The longest pause: each try at a store that is shared is a request, which somebody pays or counts."""


@asynccontextmanager
async def locked(
    project: Project, ports: Ports, patience: float = 0.0, *, at: Place | None = None, though_moved: bool = False
) -> AsyncIterator[tuple[StateStore, Lease]]:
    """Hold the lock of the project's state; raise LockHeldError where another command has it for `patience` seconds.

    Raises StaleError for a state that was carried elsewhere, unless it is meant `though_moved`. `at`: another place.
    """
    store = ports.open_state(project, read_only=False, at=at)
    try:
        lease = await _taken(store, ports, patience)
        try:
            with beating(store, lease, (store.capabilities.ttl or TTL) / BEATS):
                if not though_moved:
                    require_here(store)
                yield store, lease
        finally:
            store.release(lease)
    finally:
        store.close()


@contextmanager
def beating(store: StateStore, lease: Lease, every: float) -> Iterator[None]:
    """Renew a lease every so many seconds: in a thread, since a person who thinks at a prompt blocks the loop.

    That it cannot be renewed ends nothing here: where the lease is lost, the next commit says so.
    """
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(every):
            try:
                store.renew(lease)
            except LostLeaseError:
                return
            except StateError:
                continue  # a disk may be full only for a while

    thread = threading.Thread(target=beat, name="taskspec-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def _taken(store: StateStore, ports: Ports, patience: float) -> Lease:
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    told, pause = False, PAUSE
    while True:
        try:
            return store.acquire(ports.holder())
        except LockHeldError as error:
            left = end - loop.time()
            if left <= 0:
                raise
            if not told:
                ports.waiting(error, patience)
                told = True
        await asyncio.sleep(min(pause, left))
        if store.capabilities.shared:
            pause = min(pause * 1.5, LONGEST_PAUSE)
