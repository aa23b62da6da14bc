"""Wire JSON → records, tolerantly: what cannot be read is marked as unknown, never guessed. Asks nobody."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from taskspec.taskapi.records import AgentRecord, TaskEvent, TaskRecord, Tokens

UNKNOWN = "unknown"
"""Stands for a status that the remote did not tell."""


def task_record(wire: Any, agent_id: str = "") -> TaskRecord:
    """Return the record of a task or of a list's row; without a readable id it has an empty one."""
    if not isinstance(wire, Mapping):
        return TaskRecord(id="", agent_id=agent_id, status=UNKNOWN, raw={"row": wire})
    task_id = _text(wire.get("id")) or ""
    return TaskRecord(
        id=task_id,
        agent_id=_text(wire.get("agent_id")) or agent_id,
        status=(_text(wire.get("status")) if task_id else None) or UNKNOWN,
        title=_text(wire.get("title")),
        result=_result(wire.get("result")),
        created_at=moment(wire.get("created_at")),
        started_at=moment(wire.get("started_at")),
        finished_at=moment(wire.get("finished_at")),
        is_manually_stopped=_flag(wire.get("is_manually_stopped")),
        tokens=_tokens(wire.get("tokens")),
        events_streaming=_flag(wire.get("events_streaming")),
        waits_for=_waits_for(wire),
        raw=wire,
    )


def agent_record(wire: Mapping[str, Any]) -> AgentRecord:
    """Return the record of an agent."""
    agent_id = _text(wire.get("id")) or ""
    return AgentRecord(
        id=agent_id,
        name=_text(wire.get("name")) or agent_id,
        status=_text(wire.get("status")) or "",
        description=_text(wire.get("description")) or "",
        version=_version(wire.get("version")),
        raw=wire,
    )


def task_event(text: str, task_id: str) -> TaskEvent | None:
    """Return the event in one message of a task's stream, or None where it is none."""
    try:
        wire = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kind = _text(wire.get("type")) if isinstance(wire, Mapping) else None
    if kind is None:
        return None
    return TaskEvent(
        type=kind,
        task_id=_text(wire.get("task_id")) or task_id,
        time=moment(wire.get("time")),
        data=wire.get("data"),
    )


def moment(value: Any) -> float | None:
    """Return the seconds since the epoch of an ISO time (UTC where it has no zone) or of an epoch number."""
    if isinstance(value, int | float):
        return finite(value)
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def finite(value: Any) -> float | None:
    """Return a number as a float, or None where it is none, or larger than one can be."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _version(value: Any) -> str | None:
    """Return an agent's version, which is a number or its digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _result(value: Any) -> str | None:
    """Keep a result that is not text as its JSON: a person can read it, and a contract can judge it."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return None


def _tokens(value: Any) -> Tokens | None:
    if not isinstance(value, Mapping):
        return None
    return Tokens(prompt=_count(value.get("prompt_tokens")), completion=_count(value.get("completion_tokens")))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _waits_for(wire: Mapping[str, Any]) -> str | None:
    authorization, person = wire.get("pending_eca_request"), wire.get("hitl_request")
    if isinstance(authorization, Mapping):
        return _text(authorization.get("auth_url")) or "an authorization"
    if isinstance(person, Mapping):
        return _text(person.get("content")) or "a person's answer"
    return None
