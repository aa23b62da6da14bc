"""The shape of a task on the wire: its keys, their kinds and their defaults. Performs no I/O.

Facts: the published SDK's Task, list item and user models; see docs/protocol.md.
"""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from taskspec.engine.model import ORGANIZATION, RefusalError, Status


class Kind(Enum):
    """What JSON a key holds."""

    TEXT = "a string"
    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    OBJECT = "an object"
    TEXTS = "a list of strings"
    OBJECTS = "a list of objects"


_KEYS_OF_KIND: Mapping[Kind, str] = {
    Kind.TEXT: (
        "internal_status last_executed_node_id agent_version result parent_execution conversation_id conversation_kind "
        "execution_kind source voice_id output_format additional_context instructions_override expected_output "
        "test_run_node_id user_oidc_token triggering_agent_id title think_mode llm_model_provider llm_model_name "
        "llm_reasoning_effort harness_cli permission_mode"
    ),
    Kind.FLAG: (
        "should_update_parent events_streaming is_orchestration is_gateway is_app background_auth_eligible "
        "disable_attachment_injection must_deep_plan return_metrics"
    ),
    Kind.WHOLE: "tool_call_limit execution_attempts",
    Kind.NUMBER: "duration",
    Kind.OBJECT: "payload_extension hitl_request pending_eca_request output_schema user_tokens deep_planning tokens",
    Kind.TEXTS: "sub_executions used_tools",
    Kind.OBJECTS: "mcp_servers",
}
SETTABLE: Mapping[str, Kind] = {key: kind for kind, keys in _KEYS_OF_KIND.items() for key in keys.split()}
"""What a client may set; every other key of a task is the engine's."""
_CREATE_IGNORES = frozenset({"result", "tokens", "duration", "used_tools", "internal_status", "hitl_request"})
CREATABLE = {key: kind for key, kind in SETTABLE.items() if key not in _CREATE_IGNORES}


def _no_plan() -> dict[str, Any]:
    return {"enabled": False, "enforce": False, "started": False, "question_raised": False, "tasks": []}


_EMPTY: Mapping[str, Callable[[], Any]] = {
    **{key: list for key, kind in SETTABLE.items() if kind in {Kind.TEXTS, Kind.OBJECTS}},
    "deep_planning": _no_plan,
}
"""How to make the default of a key that holds a list or an object of its own."""
_PLAIN: Mapping[str, Any] = {
    **{key: False if kind is Kind.FLAG else None for key, kind in SETTABLE.items() if key not in _EMPTY},
    "source": "sdk",
    "think_mode": "default",
    "execution_attempts": 1,
    "duration": 0,
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "output_format": ("text", "markdown", "json", "voice"),
    "think_mode": ("default", "harder"),
    "llm_reasoning_effort": ("low", "medium", "high", "xhigh"),
    "conversation_kind": ("direct", "gateway"),
}
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_TOKEN_KEYS = ("completion_tokens", "prompt_tokens", "cache_read_tokens", "cache_write_tokens")
_MAX_INTERNAL_STATUS = 255
_SECRET_KEYS = ("user_tokens", "user_oidc_token")
_PLAIN_OF_SERVER = ("id", "name", "type", "transport", "url", "auth_type", "allowed_tools")
"""What of an MCP server is no secret; its headers, keys and command may hold some, and so may a URL's query."""


def blank_task(run: str, agent: str, now: str) -> dict[str, Any]:
    """Return a pending task with every key that the wire knows."""
    return {
        "id": run,
        "agent_id": agent,
        "organization_id": ORGANIZATION,
        "status": Status.PENDING.value,
        "input": {"text": "", "files": [], "attachments": [], "user": None, "principal": None},
        "created_at": now,
        "started_at": None,
        "paused_at": None,
        "finished_at": None,
        "is_manually_stopped": False,
        **_PLAIN,
        **{key: empty() for key, empty in _EMPTY.items()},
    }


def _default(key: str) -> Any:
    """Return the default of a key as a value of one's own."""
    return _EMPTY[key]() if key in _EMPTY else _PLAIN[key]


def accepted_value(key: str, value: Any) -> Any:
    """Return the value that is stored for a key; null and the known wrong defaults of old clients are its default."""
    if value is None or value in ([None], [[]]):
        return _default(key)
    if not _is_of_kind(SETTABLE[key], value):
        raise invalid(key, f"{key} must be {SETTABLE[key].value}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise invalid(key, f"{key} must be one of {', '.join(_CHOICES[key])}")
    if key == "internal_status" and len(value) > _MAX_INTERNAL_STATUS:
        raise invalid(key, f"internal_status has more than {_MAX_INTERNAL_STATUS} characters")
    return _reshaped(key, value)


def _reshaped(key: str, value: Any) -> Any:
    if key == "hitl_request":
        node = value.get("wait_node_id")
        return {"wait_node_id": node} if isinstance(node, str) else None
    if key == "pending_eca_request":
        return value if all(isinstance(value.get(k), str) for k in ("connector_name", "auth_url")) else None
    if key == "tokens":
        return accepted_tokens(value)
    if key == "deep_planning":
        return {**_default(key), **value}
    return value


def accepted_tokens(value: Any) -> dict[str, int] | None:
    """Return the four token counts of an object, or None where it holds none."""
    if not isinstance(value, dict):
        return None
    counts = {key: value[key] for key in _TOKEN_KEYS if _is_of_kind(Kind.WHOLE, value.get(key)) and value[key] >= 0}
    return {key: counts.get(key, 0) for key in _TOKEN_KEYS} if counts else None


def accepted_input(value: Any) -> dict[str, Any]:
    """Return the input of a new task with every key, or refuse it."""
    if not isinstance(value, dict):
        raise invalid("input", "input must be an object")
    text, files = value.get("text"), value.get("files")
    if text is not None and not isinstance(text, str):
        raise invalid("input", "input.text must be a string")
    if files is not None and not _is_of_kind(Kind.TEXTS, files):
        raise invalid("input", "input.files must be a list of strings")
    user, attachments = value.get("user"), value.get("attachments")
    return {
        "text": text or "",
        "files": files or [],
        "attachments": attachments if _is_of_kind(Kind.OBJECTS, attachments) else [],
        "user": user if isinstance(user, dict) and isinstance(user.get("email"), str) else None,
        "principal": value["principal"] if isinstance(value.get("principal"), dict) else None,
    }


def list_row(task: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return what a list shows of a task."""
    return {
        "id": task["id"],
        "agent_id": task["agent_id"],
        "organization_id": task["organization_id"],
        "status": task["status"],
        "user_id": (task["input"]["user"] or {}).get("id"),
        "parent_task_id": task["parent_execution"],
        "triggering_agent_id": task["triggering_agent_id"],
        "created_at": task["created_at"],
        "updated_at": now,
        "source_node_type": task["source"],
        "result": task["result"],
        "title": task["title"],
        "execution_kind": task["execution_kind"],
        "process": None,
        "conversation_kind": task["conversation_kind"],
    }


def encoded(value: Any) -> str:
    """Return JSON in one line of ASCII, so that no reader can see a line end within it."""
    return _ENCODER.encode(value)


def without_secrets(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as it may be kept when it is over, and sent to a stream."""
    servers = [_plain_server(server) for server in task["mcp_servers"] or []]
    return {**task, **dict.fromkeys(_SECRET_KEYS), "mcp_servers": servers}


def _plain_server(server: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: server[key] for key in _PLAIN_OF_SERVER if key in server}
    url = plain.get("url")
    if isinstance(url, str) and ("@" in url or "?" in url):
        scheme, _, rest = url.partition("://")
        plain["url"] = f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
    return plain


def invalid(key: str, message: str) -> RefusalError:
    """Return the refusal of one key of a body, in the API's own form."""
    return RefusalError(422, [{"loc": ["body", key], "msg": message, "type": "value_error"}])


def _is_of_kind(kind: Kind, value: Any) -> bool:
    if kind in {Kind.TEXTS, Kind.OBJECTS}:
        item = str if kind is Kind.TEXTS else dict
        return isinstance(value, list) and all(isinstance(entry, item) for entry in value)
    if isinstance(value, bool):
        return kind is Kind.FLAG
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.WHOLE:
            return isinstance(value, int)
        case Kind.NUMBER:
            return isinstance(value, int | float)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.FLAG:
            return False
