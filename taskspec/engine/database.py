"""The engine's database: one file, one thread, one commit for everything that waits. Knows nothing of runs."""

import asyncio
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from taskspec.errors import EngineError

FORMAT = 2
FILE_NAME = "engine.db"
UNBORN = "new"
"""The instance of a data folder in which no engine has lived yet."""
_BATCH = 256
_BUSY_SECONDS = 30.0
_TURNS = (
    """CREATE TABLE turns (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, asked_at TEXT NOT NULL,
        idempotency_key TEXT UNIQUE, body_hash TEXT, before TEXT NOT NULL)""",
    "CREATE INDEX turns_by_run ON turns (run, seq)",
)
"""The later turns of continued runs: by which request each was asked for, and what was said in the turn before it."""
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE runs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, agent_id TEXT NOT NULL,
        status TEXT NOT NULL, turn TEXT NOT NULL,
        user_id TEXT, parent_task_id TEXT, triggering_agent_id TEXT, internal_status TEXT,
        idempotency_key TEXT UNIQUE, body_hash TEXT, pid INTEGER, pid_started REAL,
        row TEXT NOT NULL, task TEXT NOT NULL)""",
    "CREATE INDEX runs_by_agent ON runs (agent_id, seq)",
    "CREATE INDEX runs_by_user ON runs (user_id, seq) WHERE user_id IS NOT NULL",
    "CREATE INDEX runs_unsettled ON runs (turn, seq) WHERE turn <> 'over'",
    *_TURNS,
)

_FOREIGN = (
    "Check that the folder can be written and that the file is the engine's own; move it away to begin with an empty "
    "engine."
)
_DENIED = "Check that the folder and the file can be written, and by whom."
_WAYS = {
    sqlite3.SQLITE_FULL: "Free some space, and run the command again: nothing that was recorded is lost.",
    sqlite3.SQLITE_IOERR: "Check the disk (space, quota, health), and run the command again.",
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_BUSY: "Another process has it in use. Wait until that goes on or ends, and run the command again.",
}

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


class Database:
    """Runs jobs one after another in its thread; what waits at the same moment shares one durable commit.

    A job may be done twice, where another that shares its commit fails: it only reads and writes its connection.
    """

    def __init__(self, connection: sqlite3.Connection, instance: str) -> None:
        self.instance = instance
        self._connection = connection
        self._jobs: SimpleQueue[tuple[Job[Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="taskspec-engine-database", daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> Future[T]:
        """Queue a job; its future is done when everything that it wrote is durable."""
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    async def run(self, job: Job[T]) -> T:
        """Await a job from an event loop."""
        return await asyncio.wrap_future(self.submit(job))

    def close(self) -> None:
        """Finish what is queued and close the file."""
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            open_for_more = True
            for entry in self._waiting():
                if entry is None:
                    open_for_more = False
                    break
                batch.append(entry)
            self._commit(batch)
            if not open_for_more:
                return

    def _waiting(self) -> Iterator[tuple[Job[Any], Future[Any]] | None]:
        for _ in range(_BATCH):
            try:
                yield self._jobs.get_nowait()
            except Empty:
                return

    def _commit(self, batch: list[tuple[Job[Any], Future[Any]]]) -> None:
        wanted = [(job, future) for job, future in batch if future.set_running_or_notify_cancel()]
        try:
            done = self._together(wanted)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            for _, future in wanted:
                if not future.done():
                    future.set_exception(error)
            return
        for future, value in done:
            future.set_result(value)

    def _together(self, wanted: list[tuple[Job[Any], Future[Any]]]) -> list[tuple[Future[Any], Any]]:
        """Do jobs in one transaction; where one of them fails, begin again and let it fail alone."""
        self._connection.execute("BEGIN")
        try:
            return [(future, job(self._connection)) for job, future in wanted]
        except Exception:  # noqa: BLE001 - it is raised again, to whoever asked for the job
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN")
        done: list[tuple[Future[Any], Any]] = []
        for job, future in wanted:
            self._attempt(job, future, done)
        return done

    def _attempt(self, job: Job[Any], future: Future[Any], done: list[tuple[Future[Any], Any]]) -> None:
        self._connection.execute("SAVEPOINT job")
        try:
            done.append((future, job(self._connection)))
        except Exception as error:
            future.set_exception(error)
            if not self._connection.in_transaction:  # on a full disk SQLite takes back everything by itself
                raise
            self._connection.execute("ROLLBACK TO job")
        self._connection.execute("RELEASE job")


def open_database(folder: Path) -> Database:
    """Open the database of a data folder for its holder; make it where there is none."""
    path = folder / FILE_NAME
    try:
        connection = _connected(f"{path.absolute().as_uri()}?mode=rwc")
        connection.execute("PRAGMA journal_mode=TRUNCATE")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA fullfsync=ON")
        found = _found_format(connection, path)
        if found is None:
            _make(connection)
        elif found < FORMAT:
            _upgrade_from_1(connection)
        return Database(connection, _instance(connection))
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error


def open_stored(folder: Path) -> Database:
    """Open what is stored for reading only; where nothing is, an empty store in memory."""
    path = folder / FILE_NAME
    if not path.exists():
        return _empty()
    try:
        return _opened_for_reading(path)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error


def _opened_for_reading(path: Path) -> Database:
    uri = path.absolute().as_uri()
    connection = _connected(f"{uri}?mode=ro")
    try:
        found = _found_format(connection, path)
    except sqlite3.OperationalError:
        # A holder that was killed within a commit left a journal; only a writer may take the half commit back.
        connection.close()
        connection = _connected(f"{uri}?mode=rw")
        found = _found_format(connection, path)
        connection.execute("PRAGMA query_only=ON")
    if found is None:
        connection.close()
        return _empty()
    if found < FORMAT:
        _read_as_upgraded(connection)
    return Database(connection, _instance(connection))


def _connected(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    connection.row_factory = sqlite3.Row
    return connection


def _empty() -> Database:
    connection = _connected("file::memory:")
    _make(connection, instance=UNBORN)
    connection.execute("PRAGMA query_only=ON")
    return Database(connection, UNBORN)


def _make(connection: sqlite3.Connection, instance: str | None = None) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        connection.execute(statement)
    values = [("format", str(FORMAT)), ("instance", instance or str(uuid.uuid4()))]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", values)
    connection.execute("COMMIT")


def _upgrade_from_1(connection: sqlite3.Connection) -> None:
    """Let runs have later turns."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TURNS:
        connection.execute(statement)
    connection.execute("UPDATE meta SET value = '2' WHERE name = 'format'")
    connection.execute("COMMIT")


def _read_as_upgraded(connection: sqlite3.Connection) -> None:
    """Let a file of format 1, which only its holder may upgrade, be read like a newer one: no run has later turns."""
    connection.execute("PRAGMA query_only=OFF")
    connection.execute(_TURNS[0].replace("CREATE TABLE", "CREATE TEMP TABLE"))
    connection.execute("PRAGMA query_only=ON")


def _found_format(connection: sqlite3.Connection, path: Path) -> int | None:
    with closing(connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'")) as found:
        if found.fetchone() is None:
            return None
    number = int(connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()[0])
    if not 1 <= number <= FORMAT:
        connection.close()
        raise EngineError(
            f"{path} has format {number}; this version of taskspec reads formats up to {FORMAT}",
            hint="Use the version of taskspec that wrote it, or move the file away to begin with an empty engine.",
        )
    return number


def _instance(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()[0])


def _unreadable(path: Path, error: sqlite3.Error) -> EngineError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return EngineError(f"{path} cannot be opened: {error}", hint=_WAYS.get(code, _FOREIGN))
