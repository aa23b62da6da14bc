"""The fields of a task: their types, how each is read from the wire and written to it. Asks nobody.

Facts: the published SDK's Task; see docs/protocol.md.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi.decoding import UNKNOWN, finite
from taskspec.taskapi.records import AgentExecutionStatus
from taskspec.taskapi.tasks import checking
from taskspec.taskapi.tasks.values import (
    TaskInput,
    Tokens,
    read_input,
    read_object,
    read_objects,
    read_texts,
    read_time,
    read_tokens,
)


class TaskFields:
    """What a task is. Names are those of the wire; times are aware, durations in seconds."""

    id: str
    agent_id: str
    organization_id: str
    status: AgentExecutionStatus | str
    """A status that is not known is kept as its text."""
    internal_status: str | None
    input: TaskInput
    result: str | None
    """A result that is not text on the wire stands here as its JSON text."""
    title: str | None
    created_at: datetime | None
    started_at: datetime | None
    paused_at: datetime | None
    finished_at: datetime | None
    duration: float
    is_manually_stopped: bool
    events_streaming: bool
    source: str | None
    agent_version: str | None
    payload_extension: dict[str, Any] | None
    output_format: str | None
    output_schema: dict[str, Any] | None
    expected_output: str | None
    additional_context: str | None
    instructions_override: str | None
    think_mode: str | None
    tool_call_limit: int | None
    mcp_servers: list[dict[str, Any]]
    disable_attachment_injection: bool
    llm_model_provider: str | None
    llm_model_name: str | None
    llm_reasoning_effort: str | None
    harness_cli: str | None
    permission_mode: str | None
    tokens: Tokens | None
    used_tools: list[str]
    return_metrics: bool
    execution_attempts: int | None
    last_executed_node_id: str | None
    parent_execution: str | None
    sub_executions: list[str]
    should_update_parent: bool
    triggering_agent_id: str | None
    execution_kind: str | None
    conversation_id: str | None
    conversation_kind: str | None
    hitl_request: dict[str, Any] | None
    pending_eca_request: dict[str, Any] | None
    deep_planning: dict[str, Any] | None
    must_deep_plan: bool
    background_auth_eligible: bool
    is_orchestration: bool
    is_gateway: bool
    is_app: bool
    voice_id: str | None
    test_run_node_id: str | None
    user_tokens: dict[str, Any] | None
    user_oidc_token: str | None


READ_ONLY = frozenset(
    {
        "id",
        "agent_id",
        "organization_id",
        "created_at",
        "started_at",
        "paused_at",
        "finished_at",
        "is_manually_stopped",
    }
)
"""What only the remote sets."""
PLAN = "deep_planning"
"""The one field that a save leaves out unless it is asked for: agents write it while they work."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type stands on the wire: what is read (or its default), and what is written."""

    read: Callable[[Any], Any]
    write: Callable[[str, Any], Any]


def read_status(wire: Any) -> AgentExecutionStatus | str:
    """Return a known status, or the text of any other; one that was not told is `unknown`."""
    if not isinstance(wire, str) or not wire:
        return UNKNOWN
    return _STATUSES.get(wire, wire)


def read_result(wire: Any) -> str | None:
    """Return a result as text: of anything but text, its JSON."""
    if wire is None or isinstance(wire, str):
        return wire
    try:
        return json.dumps(wire, ensure_ascii=False)
    except RecursionError:
        return None


def status_wire(name: str, value: object) -> str:
    """Return the text of a status that a caller gives."""
    if not isinstance(value, str) or not value:
        raise checking.wrong(name, "a status", f"Statuses are {', '.join(AgentExecutionStatus)}.")
    return str(value)


def _tokens_wire(name: str, value: object) -> dict[str, int] | None:
    if value is None or isinstance(value, Tokens):
        return None if value is None else value.wire()
    raise checking.wrong(name, "Tokens or None", "from taskspec import Tokens")


def _input_wire(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, TaskInput):
        return value.wire()
    raise checking.wrong(name, "a TaskInput", "from taskspec import TaskInput")


def _time_wire(name: str, value: object) -> str | None:
    if value is None or isinstance(value, datetime):
        return None if value is None else value.isoformat()
    raise checking.wrong(name, "a datetime or None")


def _whole(wire: Any) -> int | None:
    return wire if isinstance(wire, int) and not isinstance(wire, bool) else None


_STATUSES: Mapping[str, AgentExecutionStatus] = {status.value: status for status in AgentExecutionStatus}
_KINDS: Mapping[object, _Kind] = {
    str: _Kind(lambda wire: wire if isinstance(wire, str) else "", checking.text),
    str | None: _Kind(lambda wire: wire if isinstance(wire, str) else None, checking.optional_text),
    AgentExecutionStatus | str: _Kind(read_status, status_wire),
    bool: _Kind(lambda wire: wire is True, checking.flag),
    int | None: _Kind(_whole, checking.count),
    float: _Kind(lambda wire: finite(wire) or 0.0, checking.number),
    datetime | None: _Kind(read_time, _time_wire),
    list[str]: _Kind(read_texts, lambda name, value: list(checking.texts(name, value))),
    list[dict[str, Any]]: _Kind(read_objects, lambda name, value: list(checking.json_objects(name, value))),
    dict[str, Any] | None: _Kind(read_object, checking.json_object),
    Tokens | None: _Kind(read_tokens, _tokens_wire),
    TaskInput: _Kind(read_input, _input_wire),
}
_READ_OTHERWISE: Mapping[str, Callable[[Any], Any]] = {"result": read_result}
_TYPES = inspect.get_annotations(TaskFields)
FIELDS = tuple(_TYPES)
_READ = {name: _KINDS[kind].read for name, kind in _TYPES.items()} | {"result": read_result}
_WRITE = {name: _KINDS[kind].write for name, kind in _TYPES.items()}
_FRESH = tuple((name, read) for name, read in _READ.items() if isinstance(read(None), list | TaskInput))
_EMPTY = {name: read(None) for name, read in _READ.items()} | {"think_mode": "default", "execution_attempts": 1}


def read_fields(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return every field of a task; null, or a value of the wrong kind, is as if it were not there."""
    found = dict(_EMPTY)
    for name, read in _FRESH:
        found[name] = read(None)
    for name, value in wire.items():
        if value is not None and name in _READ:
            found[name] = _READ[name](value)
    return found


def changes(task: TaskFields, wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a task's fields say other than the wire from which it was read, in wire form.

    Raises UsageError for a value of the wrong type, and for a field that only the remote sets.
    """
    before = read_fields(wire)
    changed = edited(task, wire)
    fixed = [f"`{name}`" for name in changed if name in READ_ONLY]
    if fixed:
        raise UsageError(
            f"Only the remote sets {', '.join(fixed)}.",
            hint="Load the task again (`reload`), and leave these fields as they are.",
        )
    written = {name: _WRITE[name](name, getattr(task, name)) for name in changed}
    return {name: value for name, value in written.items() if value != _WRITE[name](name, before[name])}


def edited(task: TaskFields, wire: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that are not what the wire said, right or wrong."""
    return [name for name, then in read_fields(wire).items() if _differs(getattr(task, name), then)]


def _differs(now: object, then: object) -> bool:
    return type(now) is not type(then) or now != then
