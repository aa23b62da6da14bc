"""The SQLite file of a state: making it, opening it, its transactions. Judges no record."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from taskspec.errors import StateError, UnknownCommitError
from taskspec.state.chaining import root
from taskspec.state.encoding import FORMAT, decode_record, encode_record
from taskspec.state.entries import SCHEMA, TABLE, chain, check_schema
from taskspec.state.folders import sync_folder
from taskspec.state.trouble import PATIENCE, RESTORE, damaged

_TABLES: Final = """
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  format INTEGER NOT NULL,
  lineage TEXT NOT NULL,
  project TEXT NOT NULL,
  serial INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,
  head TEXT NOT NULL
);
CREATE TABLE records (address TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE results (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, content BLOB);
"""


def sqlite_version() -> str:
    """Return the version of SQLite that Python is linked with."""
    return sqlite3.sqlite_version


class Database:
    """A connection to whatever file is at a path now, opened when it is needed."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = path
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._file: os.stat_result | None = None

    def opened(self) -> sqlite3.Connection | None:
        """Return the connection, or None where there is no state; raise StateError for a format that is too new."""
        if not exists(self._path):
            self.close()
            return None
        file = self._path.stat()
        if self._file is None or not os.path.samestat(file, self._file):
            self.close()
        if self._connection is None:
            self._connection = _connected(self._path, read_only=self._read_only)
            self._file = file
        return self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._file = None


def create(path: Path, *, lineage: str, project: str) -> None:
    """Make an empty state at a path where there is none. The caller holds the lock."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL; BEGIN; {_TABLES}{TABLE}")
        connection.execute(
            "INSERT INTO meta VALUES (1, ?, ?, ?, 0, 0, '', ?)", (FORMAT, lineage, project, root(lineage))
        )
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    finally:
        connection.close()
    draft.rename(path)
    sync_folder(path.parent)


def exists(path: Path) -> bool:
    """Tell whether there is a state at a path; raise StateError for the remains of one."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists() and journal.stat().st_size:
            raise StateError(f"The state file {path} is gone, but its journal is still there.", hint=RESTORE) from None
        return False
    if not size:
        raise StateError(f"The state file {path} is damaged: it is empty.", hint=RESTORE)
    return True


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring everything to today's format, within the writer's transaction; raise StateError for what is none."""
    chain(connection, path)
    (form,) = connection.execute("SELECT format FROM meta").fetchone()
    if form == FORMAT:
        return
    for address, text in connection.execute("SELECT address, record FROM records").fetchall():
        try:
            record = encode_record(decode_record(text, form))
        except (ValueError, RecursionError) as error:
            raise damaged(path, f"the record of {address} is not readable ({error})") from error
        connection.execute("UPDATE records SET record = ? WHERE address = ?", (record, address))
    connection.execute("UPDATE meta SET format = ?", (FORMAT,))


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    """Do everything in the block or nothing; `kind` is DEFERRED to read, IMMEDIATE to write."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


@contextmanager
def advance(connection: sqlite3.Connection, serial: int) -> Iterator[None]:
    """Do everything in the block and set the serial, or nothing of it; raise UnknownCommitError where nobody knows."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("UPDATE meta SET serial = ?", (serial,))
        expected = connection.execute("SELECT lineage, epoch, serial FROM meta").fetchone()
    except BaseException:
        _roll_back(connection)
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if not _is_kept(connection, expected, error):
            raise


def _is_kept(connection: sqlite3.Connection, expected: tuple[str, int, int], failure: sqlite3.Error) -> bool:
    """Read back whether a commit that failed has happened all the same."""
    try:
        _roll_back(connection)
        recorded = connection.execute("SELECT lineage, epoch, serial FROM meta").fetchone()
    except sqlite3.Error:
        raise UnknownCommitError(
            f"Nobody can tell whether the last change of the state is kept ({failure}).",
            hint="Check the disk (space, quota, health), then run the command again.",
        ) from failure
    return bool(recorded == expected)


def _connected(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # Opened for writing even by readers: whoever comes first after a kill has to roll the journal back.
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        # A truncated journal is synced, a deleted one is not: a power cut could bring it back and undo a commit.
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        _check_format(connection, path)
        check_schema(connection, path)
        _check_length(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    try:
        row = connection.execute("SELECT format, lineage, serial, epoch FROM meta").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise StateError(f"The file {path} is not a state of taskspec.", hint=RESTORE) from error
    if row is None or not isinstance(row[0], int) or row[0] < 1:
        raise damaged(path, "it names no format")
    for name, value in zip(("lineage", "serial", "epoch"), row[1:], strict=True):
        if not isinstance(value, str if name == "lineage" else int) or value in {"", b""}:
            raise damaged(path, f"its {name} is none")
    if row[0] > FORMAT:
        raise StateError(
            f"The state file {path} was made by a newer taskspec (format {row[0]}; this one knows up to {FORMAT}).",
            hint="Upgrade taskspec.",
        )


def _check_length(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StateError for a file whose last page was cut, which SQLite takes to be full of zeros."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:
        raise damaged(path, "it was cut short")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
