"""A state in memory: what is durable, which outlives a kill, and the store of one process over it. Decides nothing."""

from dataclasses import dataclass, field

from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError, UnknownCommitError
from taskspec.state.chaining import linked, root
from taskspec.state.model import DropRecord, HistoryEntry, Note, PutRecord, PutResult, Snapshot
from taskspec.state.store import Capabilities, Fencing, Lease


@dataclass(slots=True)
class Durable:
    """What is on the disk."""

    lineage: str = ""
    serial: int = 0
    epoch: int = 0
    records: dict = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    history: list = field(default_factory=list)
    holder: object = None
    """The store that has the lock; the system takes it from a process that is gone."""


class MemoryState:
    """A `StateStore`; `process` is told each step, and may die in it."""

    capabilities = Capabilities(place="memory", shared=False, ttl=None, fencing=Fencing.EPOCH)

    def __init__(self, durable: Durable, process, lineage: str) -> None:
        self._durable = durable
        self._process = process
        self._lineage = lineage
        self._lease = None

    def read(self, only=None) -> Snapshot:
        self._process.alive()
        disk = self._durable
        records = {address: record for address, record in disk.records.items() if only is None or address in only}
        return Snapshot(lineage=disk.lineage, serial=disk.serial, records=records)

    def result(self, ref) -> str:
        self._process.alive()
        try:
            return self._durable.results[ref.digest]
        except KeyError:
            raise StateError(f"the result {ref.digest} is missing") from None

    def history(self, address=None, *, limit=None):
        entries = [entry for entry in reversed(self._durable.history) if address in (None, entry.note.address)]
        return iter(entries[:limit])

    def digest(self) -> tuple[int, str]:
        self._process.alive()
        return self._durable.serial, f"{self._durable.lineage}-{self._durable.serial}"

    def head(self) -> str:
        self._process.alive()
        return self._durable.history[-1].hash if self._durable.history else root(self._durable.lineage)

    def holding(self):
        return None

    def renew(self, lease) -> None:
        self._process.alive()

    def acquire(self, holder) -> Lease:
        self._process.step("acquire")
        disk = self._durable
        if disk.holder is not None:
            raise LockHeldError("The state is locked by another command.")
        disk.lineage = disk.lineage or self._lineage
        disk.epoch += 1
        disk.holder = self
        self._lease = Lease(epoch=disk.epoch)
        self._process.step("acquired")
        return self._lease

    def commit(self, lease, serial, changes) -> int:
        what = ",".join(change.note_text for change in map(_Told, changes) if change.note_text)
        self._process.step("commit", what)
        disk = self._durable
        if lease != self._lease or lease.epoch != disk.epoch or disk.holder is not self:
            raise LostLeaseError("The lock was lost.")
        if serial != disk.serial:
            raise StaleError("The state moved on.")
        fate = self._process.commit_fate()
        if fate == "failed":
            raise StateError("the disk is full")
        if fate != "unknown-lost":
            disk.serial += 1
            for change in changes:
                self._put(change)
            self._process.committed(changes)
        self._process.step("committed", what)
        if fate != "done":
            raise UnknownCommitError("Nobody can tell whether the last change of the state is kept.")
        return disk.serial

    def release(self, lease) -> None:
        self._process.step("release")
        self._let_go()

    def close(self) -> None:
        self._process.alive()
        self._let_go()

    def _let_go(self):
        if self._durable.holder is self:
            self._durable.holder = None
        self._lease = None

    def _put(self, change):
        disk = self._durable
        match change:
            case PutRecord(record=record):
                disk.records[record.address] = record
            case DropRecord(address=address):
                disk.records.pop(address, None)
            case PutResult(ref=ref, content=content):
                disk.results[ref.digest] = content
            case Note():
                before = disk.history[-1].hash if disk.history else root(disk.lineage)
                digest = linked(before, disk.serial, change)
                disk.history.append(HistoryEntry(serial=disk.serial, note=change, hash=digest))


class _Told:
    """A change as one word of a trace."""

    def __init__(self, change):
        self.note_text = f"{change.what} {change.address}" if isinstance(change, Note) else ""
