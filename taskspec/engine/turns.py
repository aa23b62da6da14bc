"""What was said in the turns of a run, of which a continued one has several. Decides nothing."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskspec.engine.keys import Asked
from taskspec.engine.model import Status
from taskspec.engine.wire import encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One turn: what was asked, by whom and when, and what came of it; `result` is None where nothing did (yet)."""

    asked_at: str
    text: str
    files: tuple[str, ...]
    user: Mapping[str, Any] | None
    result: str | None
    status: str
    finished_at: str | None


def note_turn(connection: sqlite3.Connection, before: Mapping[str, Any], asked_at: str, asked: Asked | None) -> None:
    """Store that a run goes on with a later turn; `before` is its task as the turn before has left it."""
    said = {key: before[key] for key in ("result", "status", "finished_at")}
    said |= {key: before["input"][key] for key in ("text", "files", "user")}
    key, body_hash = (asked.key, asked.body_hash) if asked else (None, None)
    connection.execute(
        "INSERT INTO turns (run, asked_at, idempotency_key, body_hash, before) VALUES (?, ?, ?, ?, ?)",
        (before["id"], asked_at, key, body_hash, encoded(said)),
    )


def exchanges(connection: sqlite3.Connection, task: Mapping[str, Any]) -> tuple[Exchange, ...]:
    """Return the turns of a task, the present one last."""
    statement = "SELECT asked_at, before FROM turns WHERE run = ? ORDER BY seq"
    asked_at, found = task["created_at"], []
    for row in connection.execute(statement, (task["id"],)):
        found.append(_exchange(asked_at, json.loads(row["before"])))
        asked_at = row["asked_at"]
    return (*found, _exchange(asked_at, {**task["input"], **task}))


def messages(earlier: Sequence[Exchange]) -> list[dict[str, str]]:
    """Return earlier turns as an agent is told them; what a failed one printed was no answer."""
    told = []
    for each in earlier:
        told.append({"role": "user", "text": each.text})
        if each.result is not None and each.status == Status.COMPLETED:
            told.append({"role": "agent", "text": each.result})
    return told


def _exchange(asked_at: str, said: Mapping[str, Any]) -> Exchange:
    kept = {key: said[key] for key in ("text", "user", "result", "status", "finished_at")}
    return Exchange(asked_at=asked_at, files=tuple(said["files"]), **kept)
