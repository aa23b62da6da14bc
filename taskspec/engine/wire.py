"""The shape of a task on the wire: its keys, their kinds and their defaults. Performs no I/O.

Facts: the published SDK's Task, list item and user models; see docs/protocol.md.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from taskspec.engine.inputs import check_plan, check_servers
from taskspec.engine.kinds import Kind, check_form, invalid, is_of_kind
from taskspec.engine.model import ORGANIZATION, Status

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
_CREATE_IGNORES = frozenset(
    {"result", "tokens", "duration", "used_tools", "internal_status", "hitl_request", "execution_attempts"}
)
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
_TASK_MARKS = frozenset({*_SECRET_KEYS, "mcp_servers", "configuration"})
"""The keys of a task, as clients send one, that hold secrets; a configuration holds the client's own key."""
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
    check_form(key, value, SETTABLE[key])
    if key in _CHOICES:
        check_form(key, value, _CHOICES[key])
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
    if key == "mcp_servers":
        check_servers(value)
    if key == "deep_planning":
        check_plan(value)
        return {**_default(key), **value}
    return value


def accepted_tokens(value: Any) -> dict[str, int] | None:
    """Return the four token counts of an object, or None where it holds none."""
    if not isinstance(value, dict):
        return None
    counts = {key: value[key] for key in _TOKEN_KEYS if is_of_kind(Kind.WHOLE, value.get(key)) and value[key] >= 0}
    return {key: counts.get(key, 0) for key in _TOKEN_KEYS} if counts else None


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


def asked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a body asks for without its secrets, so that its digest, which is kept, tells nothing of them."""
    hidden = {**body, **{key: None for key in _SECRET_KEYS if key in body}}
    servers = body.get("mcp_servers")
    if isinstance(servers, list):
        hidden["mcp_servers"] = [_plain_server(server) if isinstance(server, dict) else server for server in servers]
    return hidden


def told(value: Any) -> Any:
    """Return what a client tells in an event as it may be kept: tasks within it are told without their secrets."""
    if isinstance(value, list):
        return [told(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: told(entry) for key, entry in value.items() if key not in _TASK_MARKS}
    kept |= {key: None for key in _SECRET_KEYS if key in value}
    if isinstance(value.get("mcp_servers"), list):
        kept["mcp_servers"] = [_plain_server(server) for server in value["mcp_servers"] if isinstance(server, dict)]
    return kept


def _plain_server(server: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: server[key] for key in _PLAIN_OF_SERVER if key in server}
    url = plain.get("url")
    if isinstance(url, str) and ("@" in url or "?" in url):
        scheme, _, rest = url.partition("://")
        plain["url"] = f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
    return plain
