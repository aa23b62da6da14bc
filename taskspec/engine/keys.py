"""Idempotency keys: which request asked for what, so that the same one asks for it once. Stores nothing itself."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from taskspec.engine.model import RefusalError


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The idempotency key of a request, and the digest of what it asked for."""

    key: str
    body_hash: str


_FIRST = """
    SELECT body_hash, task FROM runs WHERE idempotency_key = :key
    UNION ALL
    SELECT turns.body_hash, runs.task FROM turns JOIN runs ON runs.id = turns.run WHERE turns.idempotency_key = :key
"""


def first_of_key(connection: sqlite3.Connection, asked: Asked | None) -> dict[str, Any] | None:
    """Return the task that a request with this key made or continued, or None; refuse another request of this key."""
    if asked is None:
        return None
    first = connection.execute(_FIRST, {"key": asked.key}).fetchone()
    if first is None:
        return None
    if first["body_hash"] != asked.body_hash:
        raise RefusalError(409, "this Idempotency-Key was used for another request")
    return dict(json.loads(first["task"]))
