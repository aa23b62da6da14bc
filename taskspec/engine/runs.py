"""The store of runs: what was asked for and what became of it, durable before it is told. Decides nothing."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from taskspec.engine.changing import Run
from taskspec.engine.database import Database
from taskspec.engine.model import RefusalError, Turn
from taskspec.engine.wire import encoded, list_row

PAGE_BYTES = 4_000_000
FILTERS = ("status", "user_id", "parent_task_id", "triggering_agent_id", "internal_status")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The idempotency key of a create call, and the digest of what it asked for."""

    key: str
    body_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which runs a list shows: exact matches by column, and optionally one page of them."""

    matches: Mapping[str, str] = field(default_factory=dict)
    per_page: int | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows of a list as JSON texts, newest first; `next_before` leads on where there are more."""

    rows: list[str]
    next_before: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldProcess:
    """A run that an engine held, and the process that ran it where it was recorded."""

    run: str
    pid: int | None
    started: float | None


def utc_now() -> str:
    """Return the time as the wire writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class RunStore:
    """Reads and writes runs through the engine's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.instance = database.instance

    async def create(self, run: Run, asked: Asked | None = None) -> tuple[dict[str, Any], bool]:
        """Store a new run, or find the one that the same key made; tell which of both it was."""

        def job(connection: sqlite3.Connection) -> tuple[dict[str, Any], bool]:
            first = _first_of_key(connection, asked)
            if first is not None:
                return first, True
            _insert(connection, run, asked)
            return run.task, False

        return await self._database.run(job)

    async def get(self, run: str) -> dict[str, Any]:
        """Return a task, or refuse with 404."""
        return (await self._database.run(lambda connection: _read(connection, run))).task

    async def change(self, run: str, decide: Callable[[Run], Run | None]) -> Run | None:
        """Store what `decide` makes of a run; None leaves it as it is, and is returned."""

        def job(connection: sqlite3.Connection) -> Run | None:
            before = _read(connection, run)
            after = decide(before)
            if after is not None and after != before:
                _update(connection, after)
            return after

        return await self._database.run(job)

    async def upsert(self, fresh: Run, decide: Callable[[Run], Run]) -> Run:
        """Store what `decide` makes of the run of this id, or of the fresh one where there is none."""

        def job(connection: sqlite3.Connection) -> Run:
            found = _find(connection, fresh.task["id"])
            after = decide(found or fresh)
            if found is None:
                _insert(connection, after, None)
            else:
                _update(connection, after)
            return after

        return await self._database.run(job)

    async def note_process(self, run: str, pid: int, started: float | None) -> None:
        """Record the process that executes a run."""
        statement = "UPDATE runs SET pid = ?, pid_started = ? WHERE id = ?"
        await self._database.run(lambda connection: connection.execute(statement, (pid, started, run)).rowcount)

    async def history(self, query: Query) -> Page:
        """Return the rows of a list."""
        return await self._database.run(lambda connection: _history(connection, query))

    async def waiting(self) -> list[str]:
        """Return the runs that were never started, oldest first."""
        statement = "SELECT id FROM runs WHERE turn = 'waiting' ORDER BY seq"
        return await self._database.run(lambda connection: [row["id"] for row in connection.execute(statement)])

    async def held(self) -> list[HeldProcess]:
        """Return the runs that an engine holds or, before recovery, held when it died."""
        statement = "SELECT id, pid, pid_started FROM runs WHERE turn = 'held' ORDER BY seq"
        return await self._database.run(
            lambda connection: [
                HeldProcess(run=row["id"], pid=row["pid"], started=row["pid_started"])
                for row in connection.execute(statement)
            ]
        )

    async def active(self) -> int:
        """Return how many runs the engine still has to end: waiting to be started, or held."""
        statement = "SELECT count(*) FROM runs WHERE turn <> 'over'"
        return int(await self._database.run(lambda connection: connection.execute(statement).fetchone()[0]))


def _first_of_key(connection: sqlite3.Connection, asked: Asked | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    statement = "SELECT body_hash, task FROM runs WHERE idempotency_key = ?"
    first = connection.execute(statement, (asked.key,)).fetchone()
    if first is None:
        return None
    if first["body_hash"] != asked.body_hash:
        raise RefusalError(409, "this Idempotency-Key was used for another request")
    return dict(json.loads(first["task"]))


def _find(connection: sqlite3.Connection, run: str) -> Run | None:
    row = connection.execute("SELECT turn, task FROM runs WHERE id = ?", (run,)).fetchone()
    return None if row is None else Run(task=json.loads(row["task"]), turn=Turn(row["turn"]))


def _read(connection: sqlite3.Connection, run: str) -> Run:
    found = _find(connection, run)
    if found is None:
        raise RefusalError(404, "Task not found")
    return found


def _columns(run: Run) -> dict[str, Any]:
    row = list_row(run.task, utc_now())
    shared = ("id", "agent_id", "status", "user_id", "parent_task_id", "triggering_agent_id")
    return {
        **{name: row[name] for name in shared},
        "internal_status": run.task["internal_status"],
        "turn": run.turn.value,
        "row": encoded(row),
        "task": encoded(run.task),
    }


_COLUMNS = (*("id", "agent_id", "turn", "row", "task"), *FILTERS)
_INSERT = (
    f"INSERT INTO runs ({', '.join(_COLUMNS)}, idempotency_key, body_hash) "  # noqa: S608 - fixed column names
    f"VALUES ({', '.join(':' + name for name in _COLUMNS)}, :idempotency_key, :body_hash)"
)
_UPDATE = f"UPDATE runs SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)} WHERE id = :id"  # noqa: S608 - fixed column names


def _insert(connection: sqlite3.Connection, run: Run, asked: Asked | None) -> None:
    key, body_hash = (asked.key, asked.body_hash) if asked else (None, None)
    connection.execute(_INSERT, {**_columns(run), "idempotency_key": key, "body_hash": body_hash})


def _update(connection: sqlite3.Connection, run: Run) -> None:
    connection.execute(_UPDATE, _columns(run))


def _history(connection: sqlite3.Connection, query: Query) -> Page:
    conditions = [f"{name} = :{name}" for name in query.matches]
    if query.before is not None:
        conditions.append("seq < :before")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = f"SELECT seq, row FROM runs {where} ORDER BY seq DESC"  # noqa: S608 - column names come from FILTERS
    found = connection.execute(statement, {**query.matches, "before": query.before})
    if query.per_page is None:
        return Page(rows=[row["row"] for row in found])
    rows: list[str] = []
    size, last = 0, 0
    for row in found:
        if len(rows) == query.per_page or (rows and size + len(row["row"]) > PAGE_BYTES):
            found.close()
            return Page(rows=rows, next_before=last)
        rows.append(row["row"])
        size, last = size + len(row["row"]), row["seq"]
    return Page(rows=rows)
