"""The store of runs: what was asked for and what became of it, durable before it is told. Decides nothing."""

import json
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from taskspec.engine.changing import Run
from taskspec.engine.database import Database
from taskspec.engine.keys import Asked, first_of_key
from taskspec.engine.listing import FILTERS, Page, Query, history
from taskspec.engine.model import RefusalError, Turn
from taskspec.engine.turns import Exchange, exchanges, note_turn
from taskspec.engine.wire import encoded, list_row


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
            if _insert(connection, run, asked):
                return run.task, False
            first = first_of_key(connection, asked)
            assert first is not None
            return first, True

        return await self._database.run(job)

    async def continue_(
        self, run: str, decide: Callable[[Run], Run], now: str, asked: Asked | None = None
    ) -> tuple[dict[str, Any], bool]:
        """Store the later turn that `decide` makes of a run, or find the one that the same key made; tell which."""

        def job(connection: sqlite3.Connection) -> tuple[dict[str, Any], bool]:
            first = first_of_key(connection, asked)
            if first is not None:
                return first, True
            before = _read(connection, run)
            after = decide(before)
            note_turn(connection, before.task, now, asked)
            connection.execute("UPDATE runs SET pid = NULL, pid_started = NULL WHERE id = ?", (run,))
            _update(connection, after)
            return after.task, False

        return await self._database.run(job)

    async def conversation(self, run: str) -> tuple[dict[str, Any], tuple[Exchange, ...]]:
        """Return a task, or refuse with 404, and its turns, the present one last."""

        def job(connection: sqlite3.Connection) -> tuple[dict[str, Any], tuple[Exchange, ...]]:
            task = _read(connection, run).task
            return task, exchanges(connection, task)

        return await self._database.run(job)

    async def earlier(self, run: str) -> tuple[Exchange, ...]:
        """Return the turns of a run before its present one."""
        _, turns = await self.conversation(run)
        return turns[:-1]

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

    async def upsert(self, fresh: Run, decide: Callable[[Run], Run]) -> tuple[Run, bool]:
        """Store what `decide` makes of the run of this id, or else of the fresh one; tell whether it is new."""

        def job(connection: sqlite3.Connection) -> tuple[Run, bool]:
            found = _find(connection, fresh.task["id"])
            after = decide(found or fresh)
            if found is None:
                _insert(connection, after, None)
            else:
                _update(connection, after)
            return after, found is None

        return await self._database.run(job)

    async def note_process(self, run: str, pid: int, started: float | None) -> None:
        """Record the process that executes a run."""
        statement = "UPDATE runs SET pid = ?, pid_started = ? WHERE id = ?"
        await self._database.run(lambda connection: connection.execute(statement, (pid, started, run)).rowcount)

    async def history(self, query: Query) -> Page:
        """Return the rows of a list."""
        return await self._database.run(lambda connection: history(connection, query))

    async def waiting(self) -> list[tuple[str, str]]:
        """Return the agents and the ids of the runs that wait to be started, oldest first."""
        statement = "SELECT agent_id, id FROM runs WHERE turn = 'waiting' ORDER BY seq"
        return await self._database.run(
            lambda connection: [(row["agent_id"], row["id"]) for row in connection.execute(statement)]
        )

    async def never_begun(self, limit: int) -> list[dict[str, Any]]:
        """Return some of the tasks that wait to be started, oldest first."""
        statement = "SELECT task FROM runs WHERE turn = 'waiting' ORDER BY seq LIMIT ?"
        return await self._database.run(
            lambda connection: [json.loads(row["task"]) for row in connection.execute(statement, (limit,))]
        )

    async def lent(self) -> list[dict[str, Any]]:
        """Return the tasks that workers have."""
        statement = "SELECT task FROM runs WHERE turn = 'lent' ORDER BY seq"
        return await self._database.run(
            lambda connection: [json.loads(row["task"]) for row in connection.execute(statement)]
        )

    async def held(self) -> list[HeldProcess]:
        """Return the runs that an engine holds or, before recovery, held when it died."""
        statement = "SELECT id, pid, pid_started FROM runs WHERE turn = 'held' ORDER BY seq"
        return await self._database.run(
            lambda connection: [
                HeldProcess(run=row["id"], pid=row["pid"], started=row["pid_started"])
                for row in connection.execute(statement)
            ]
        )

    async def active(self, without: Collection[str] = ()) -> int:
        """Return how many runs the engine still has to end, but for those of some agents."""
        others = f"AND agent_id NOT IN ({', '.join('?' * len(without))})" if without else ""
        statement = f"SELECT count(*) FROM runs WHERE turn <> 'over' AND turn <> 'cut' {others}"  # noqa: S608 - marks only

        def job(connection: sqlite3.Connection) -> int:
            return int(connection.execute(statement, tuple(without)).fetchone()[0])

        return await self._database.run(job)


_FIND = """
    SELECT turn, task, (SELECT asked_at FROM turns WHERE run = runs.id ORDER BY seq DESC LIMIT 1) AS continued_at
    FROM runs WHERE id = ?
"""


def _find(connection: sqlite3.Connection, run: str) -> Run | None:
    row = connection.execute(_FIND, (run,)).fetchone()
    if row is None:
        return None
    return Run(task=json.loads(row["task"]), turn=Turn(row["turn"]), continued_at=row["continued_at"])


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
_INSERT = f"""
    INSERT INTO runs ({", ".join(_COLUMNS)}, idempotency_key, body_hash)
    SELECT {", ".join(":" + name for name in _COLUMNS)}, :idempotency_key, :body_hash
    WHERE NOT EXISTS (SELECT 1 FROM turns WHERE idempotency_key = :idempotency_key)
    ON CONFLICT (idempotency_key) DO NOTHING
"""  # noqa: S608 - fixed column names
_UPDATE = f"UPDATE runs SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)} WHERE id = :id"  # noqa: S608 - fixed column names


def _insert(connection: sqlite3.Connection, run: Run, asked: Asked | None) -> bool:
    """Store a new run, and tell so, unless its key was used before."""
    key, body_hash = (asked.key, asked.body_hash) if asked else (None, None)
    return connection.execute(_INSERT, {**_columns(run), "idempotency_key": key, "body_hash": body_hash}).rowcount == 1


def _update(connection: sqlite3.Connection, run: Run) -> None:
    connection.execute(_UPDATE, _columns(run))
