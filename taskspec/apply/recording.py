"""Recording: makes changes of the state durable, many in one commit. Decides nothing, sends nothing."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from taskspec.address import Address
from taskspec.errors import LostLeaseError, StateError, UnknownCommitError
from taskspec.state.model import DropRecord, Note, PutRecord, Record, ResultRef, Snapshot, StateChange
from taskspec.state.store import Lease, StateStore


class Recorder:
    """The one writer of an apply: whoever awaits `record` goes on when its changes are durable.

    What is asked for while a commit is under way goes into the next one together (group commit). After a failed commit
    nothing is accepted any more, so that no effect can follow an intent that was not kept.
    """

    def __init__(self, store: StateStore, lease: Lease, snapshot: Snapshot) -> None:
        self._store = store
        self._lease = lease
        self._serial = snapshot.serial
        self.lineage = snapshot.lineage
        self.records = dict(snapshot.records)
        self._waiting: list[tuple[Sequence[StateChange], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._thread = ThreadPoolExecutor(1, "taskspec-state")

    async def record(self, *changes: StateChange) -> None:
        """Return when the changes are durable; raise the StateError that kept them from it."""
        if self._failure is not None:
            raise self._failure
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((changes, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    def record_of(self, address: Address) -> Record | None:
        """Return what is recorded of an address now."""
        return self.records.get(address)

    @property
    def has_lost_its_lease(self) -> bool:
        """Tell whether somebody else holds the lock now, and goes on with what was begun."""
        return isinstance(self._failure, LostLeaseError)

    async def result(self, ref: ResultRef) -> str:
        """Return a kept result; raise StateError where it is missing or does not match its digest."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.result, ref)

    async def history(self, address: Address) -> list[Note]:
        """Return what has happened to an address, newest first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: [entry.note for entry in self._store.history(address)])

    def close(self) -> None:
        """End the writing thread, when nothing is under way any more."""
        self._thread.shutdown(wait=True)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            changes = [change for group, _ in batch for change in group]
            try:
                self._serial = await loop.run_in_executor(self._thread, self._commit, changes)
            except Exception as error:  # noqa: BLE001  # whoever waits for a commit must hear of its end, whatever it is
                self._failure = error
                for _, done in [*batch, *self._waiting]:
                    if not done.cancelled():
                        done.set_exception(error)
                self._waiting = []
                return
            self._remember(changes)
            for _, done in batch:
                if not done.cancelled():
                    done.set_result(None)

    def _commit(self, changes: Sequence[StateChange]) -> int:
        try:
            return self._store.commit(self._lease, self._serial, changes)
        except UnknownCommitError:
            if not self._is_kept():
                raise
            return self._serial + 1

    def _is_kept(self) -> bool:
        """Read back by serial whether a commit happened; where that cannot be read either, nobody knows.

        The lease is asked for afterwards: under another one the serial could be that of somebody else's commit.
        """
        try:
            serial = self._store.read(only=()).serial
            self._store.renew(self._lease)
        except LostLeaseError:
            raise
        except StateError:
            return False
        return serial == self._serial + 1

    def _remember(self, changes: Sequence[StateChange]) -> None:
        for change in changes:
            match change:
                case PutRecord(record=record):
                    self.records[record.address] = record
                case DropRecord(address=address):
                    self.records.pop(address, None)
                case _:
                    pass
