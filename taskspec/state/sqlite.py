"""The state in a folder of this machine: a SQLite file, large results beside it, and a lock. Decides nothing.

Rollback journal, never WAL: SQLite before 3.51.3 can lose what a WAL holds. One writer, by the lock; every commit is
conditional on the writer's epoch and on the serial that it has read.
"""

import sqlite3
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from taskspec.address import Address
from taskspec.errors import LostLeaseError, StateError
from taskspec.state import entries
from taskspec.state.chaining import linked
from taskspec.state.database import Database, advance, create, exists, transaction, upgrade
from taskspec.state.document import StateDocument
from taskspec.state.folders import make_folder, write_file
from taskspec.state.holders import decode_holder, encode_holder
from taskspec.state.holding import cut_off, held, lost, moved_on
from taskspec.state.lockfile import LockFile
from taskspec.state.model import HistoryEntry, Holder, Holding, Note, ResultRef, Snapshot, StateChange
from taskspec.state.reading import digest_of_all, read_snapshot, read_some
from taskspec.state.results import Blobs, dropped, missing
from taskspec.state.statements import Statement, chained, clearing, put_all, statement
from taskspec.state.store import Capabilities, Fencing, Lease
from taskspec.state.trouble import in_words

PAGE: Final = 500
"""How many entries of the history are read at a time, so that a slow reader keeps no writer waiting."""

_FAULTS: Final = 3
"""How many faults of a file are looked for."""
_NEXT_RESULT: Final = "SELECT digest, size, content FROM results WHERE digest > ? ORDER BY digest LIMIT 1"


class SqliteState:
    """A `StateStore` in `<folder>/<environment>`; nothing is made on disk before the first `acquire`."""

    def __init__(self, folder: Path, project: str, environment: str, *, read_only: bool) -> None:
        self._folder = folder
        self._home = folder / environment
        self._path = self._home / "state.db"
        self._blobs = Blobs(self._home / "blobs")
        self._project = project
        self._environment = environment
        self._read_only = read_only
        self._database = Database(self._path, read_only=read_only)
        self._lock = LockFile(self._home / "lock")
        self._lease: tuple[Lease, str] | None = None  # with its lineage
        self._guard = threading.Lock()  # a connection serves one thread at a time

    @property
    def capabilities(self) -> Capabilities:
        """Return what the store is like."""
        files = (self._home, self._path, self._lock.path)
        return Capabilities(place=str(self._path), shared=False, ttl=None, fencing=Fencing.EPOCH, files=files)

    def read(self, only: Collection[Address] | None = None) -> Snapshot:
        """Return every record at one serial, or those of some addresses."""
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            if connection is None:
                return Snapshot(lineage="", serial=0, records={})
            return read_snapshot(connection, self._path) if only is None else read_some(connection, self._path, only)

    def digest(self) -> tuple[int, str]:
        """Return the serial, and a digest that only equal records of one lineage at one serial have."""
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            return (0, "") if connection is None else digest_of_all(connection)

    def result(self, ref: ResultRef) -> str:
        """Return a kept result; raise StateError where it is missing or does not match its digest."""
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            question = "SELECT content FROM results WHERE digest = ?"
            row = connection.execute(question, (ref.digest,)).fetchone() if connection else None
            if row is None:
                raise missing(ref, self._path)
            return self._blobs.recall(ref, row[0])

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield every kept result with its digest, in the order of the digests."""
        last = ""
        while (row := self._result_after(last)) is not None:
            last, size, inline = row
            yield last, self._blobs.recall(ResultRef(digest=last, size=size, format="text"), inline)

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, to one address or to all, newest first."""
        before, left = entries.NEWEST, entries.NEWEST if limit is None else limit
        while left > 0:
            rows = self._history_page(address, before, min(PAGE, left))
            for row in rows:
                yield entries.entry_of(row, self._path)
                before = row[0]
            left = left - len(rows) if len(rows) == PAGE else 0

    def head(self) -> str:
        """Return the hash of the newest entry of the history, or what the first one will follow from."""
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            return "" if connection is None else entries.head(connection)

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file, the first few things."""
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            if connection is None:
                return []
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_FAULTS})")]
            return [] if found == ["ok"] else found

    def holding(self) -> Holding | None:
        """Return how the lock is held at this moment; None where it is free."""
        with in_words(self._path):
            return self._lock.look()

    def acquire(self, holder: Holder) -> Lease:
        """Take the lock, and make the state where there is none."""
        if self._read_only:
            raise StateError("The state was opened for reading only.")
        with self._guard, in_words(self._path):
            make_folder(self._home)
            if not self._lock.take(holder):
                raise held(self._environment, self._lock.look())
            try:
                lease, lineage = self._begin(holder)
            except BaseException:
                self._lock.drop()
                raise
            self._lease = lease, lineage
            self._lock.say(holder, lease.epoch)
            return lease

    def renew(self, lease: Lease) -> None:
        """Say that the holder lives; raise LostLeaseError where the lease is not the newest any more."""
        with self._guard, in_words(self._path):
            if self._lease is None or self._lease[0] != lease or not self._lock.beat():
                raise self._lost()

    def commit(self, lease: Lease, serial: int, changes: Sequence[StateChange]) -> int:
        """Make all changes durable, in their order, or none; return the new serial."""
        with self._guard, in_words(self._path):
            statements = self._statements(changes, serial + 1)
            connection = self._database.opened()
            if connection is None:
                raise self._lost()
            with advance(connection, serial + 1):
                head = self._check(connection, lease, serial)
                for change, (sql, values) in zip(changes, statements, strict=True):
                    if isinstance(change, Note):
                        head = linked(head, serial + 1, change)
                        connection.execute(sql, (*values, head))
                    else:
                        connection.execute(sql, values)
                connection.execute("UPDATE meta SET head = ?", (head,))
            self._blobs.remove(dropped(changes))
            return serial + 1

    def replace(self, lease: Lease, serial: int, document: StateDocument) -> int:
        """Put a whole state in the place of the one that is at `serial`, or nothing of it; return its own serial."""
        with self._guard, in_words(self._path):
            statements = self._statements(put_all(document), document.serial)
            connection = self._database.opened()
            if connection is None:
                raise self._lost()
            with advance(connection, document.serial):
                self._check(connection, lease, serial)
                for sql, values in (*clearing(document), *statements, *chained(document)):
                    connection.execute(sql, values)
            self._lease = lease, document.lineage
            return document.serial

    def release(self, lease: Lease) -> None:
        """Give the lock back; a lease that is no longer held is no error."""
        with self._guard:
            if self._lease is not None and self._lease[0] == lease:
                self._lock.drop()
                self._lease = None

    def force_release(self, epoch: int, by: Holder) -> None:
        """Take the lock from the lease of that epoch for good: whatever is still written under it is refused."""
        with self._guard, in_words(self._path):
            try:
                self._displace(epoch, by)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                raise cut_off(self._environment, self._lock.look()) from error

    def close(self) -> None:
        """Let go of everything, a lease that is still held included."""
        with self._guard:
            self._lock.drop()
            self._lease = None
            self._database.close()

    def _history_page(self, address: Address | None, before: int, size: int) -> list[entries.Row]:
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            return [] if connection is None else entries.page(connection, address, before, size)

    def _result_after(self, last: str) -> tuple[str, int, bytes | None] | None:
        with self._guard, in_words(self._path):
            connection = self._database.opened()
            return connection.execute(_NEXT_RESULT, (last,)).fetchone() if connection else None

    def _begin(self, holder: Holder) -> tuple[Lease, str]:
        self._blobs.sweep()
        if not exists(self._path):
            ignore = self._folder / ".gitignore"
            if not ignore.exists():
                write_file(ignore, b"*\n")
            create(self._path, lineage=uuid.uuid4().hex, project=self._project)
        connection = self._database.opened()
        if connection is None:
            raise self._lost()
        with transaction(connection, "IMMEDIATE"):
            if not self._lock.beat():
                raise self._lost()
            upgrade(connection, self._path)
            epoch, lineage = connection.execute("SELECT epoch + 1, lineage FROM meta").fetchone()
            values = (epoch, self._project, encode_holder(holder))
            connection.execute("UPDATE meta SET epoch = ?, project = ?, holder = ?", values)
        return Lease(epoch=epoch), lineage

    def _displace(self, epoch: int, by: Holder) -> None:
        connection = self._database.opened()
        if connection is None:
            raise held(self._environment, self._lock.look())
        # Nobody else begins meanwhile, so that it is this lease's file that goes.
        with transaction(connection, "IMMEDIATE"):
            (newest,) = connection.execute("SELECT epoch FROM meta").fetchone()
            if newest != epoch:
                raise held(self._environment, self._lock.look())
            connection.execute("UPDATE meta SET epoch = epoch + 1, holder = ?", (encode_holder(by),))
            self._lock.remove()

    def _check(self, connection: sqlite3.Connection, lease: Lease, serial: int) -> str:
        """Return the head of the history where the lease may write at this serial."""
        question = "SELECT epoch, lineage, serial, head FROM meta"
        epoch, lineage, recorded, head = connection.execute(question).fetchone()
        if self._lease != (lease, lineage) or lease.epoch != epoch:
            raise self._lost()
        if recorded != serial:
            raise moved_on(self._environment, recorded, serial)
        return str(head)

    def _lost(self) -> LostLeaseError:
        by: Holder | None = None
        with suppress(sqlite3.Error, StateError, ValueError):  # it may be gone, or another's
            connection = self._database.opened()
            epoch, text = connection.execute("SELECT epoch, holder FROM meta").fetchone() if connection else (0, "")
            if self._lease is not None and self._lease[0].epoch < epoch:
                by = decode_holder(text)
        return lost(self._environment, by, f"{self._path} was taken over, moved or deleted")

    def _statements(self, changes: Sequence[StateChange], serial: int) -> list[Statement]:
        """Return what a transaction has to do; large results are durable as files when this returns."""
        try:
            return [statement(change, serial, self._blobs) for change in changes]
        except (TypeError, ValueError) as error:
            raise StateError(f"A change cannot be kept: {error}.", hint="This is a bug; please report it.") from error
