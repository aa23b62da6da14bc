"""The objects within a task that readers read strictly: who asks for what, plans, servers. Performs no I/O.

Facts: the published SDK's models. One task that it cannot read would cost its user a whole list of them.
"""

from collections.abc import Mapping
from typing import Any

from taskspec.engine.kinds import Form, Kind, check_form, check_keys, invalid

_USER: Mapping[str, Form] = {
    **dict.fromkeys(("id", "email", "first_name", "last_name", "timezone", "display_name"), Kind.TEXT),
    "additional_attributes": Kind.OBJECT,
}
_PRINCIPAL: Mapping[str, Form] = {
    "kind": ("user", "slack", "api_key", "system", "anonymous"),
    **dict.fromkeys(("id", "email", "display_name"), Kind.TEXT),
}
_ATTACHMENT: Mapping[str, Form] = {
    **dict.fromkeys(("url", "name", "mime", "sha256", "expires_at", "source", "transcript"), Kind.TEXT),
    "size": Kind.WHOLE,
    "kind": ("image", "pdf", "document", "text", "audio", "video", "archive", "unknown"),
}
_PLAN: Mapping[str, Form] = {
    **dict.fromkeys(("enabled", "enforce", "started", "question_raised"), Kind.FLAG),
    "tasks": Kind.OBJECTS,
}
_STEP: Mapping[str, Form] = {"id": Kind.TEXT, "title": Kind.TEXT, "completed": Kind.FLAG}
_SERVER: Mapping[str, Form] = {
    "type": ("local", "remote"),
    "transport": ("stdio", "sse", "streamable-http"),
    "auth_type": ("api_key", "oauth2", "custom_headers", "sso_user", "none"),
    "sso_token": ("access", "id", "exchange"),
    **dict.fromkeys(
        ("id", "name", "command", "url", "api_key", "client_id", "client_secret", "sso_audience"), Kind.TEXT
    ),
    **dict.fromkeys(("use_secrets_manager", "share_user_token_across_other_agents"), Kind.FLAG),
    **dict.fromkeys(("headers", "env_vars"), Kind.OBJECT),
    **dict.fromkeys(("allowed_tools", "additional_scopes"), Kind.TEXTS),
}


def accepted_input(value: Any) -> dict[str, Any]:
    """Return the input of a new task with every key, or refuse it."""
    check_form("input", value, Kind.OBJECT)
    check_keys("input", value, {"text": Kind.TEXT, "files": Kind.TEXTS})
    return {
        "text": value.get("text") or "",
        "files": value.get("files") or [],
        "attachments": _attachments(value.get("attachments") or []),
        "user": _user(value.get("user")),
        "principal": _principal(value.get("principal")),
    }


def check_plan(plan: Mapping[str, Any]) -> None:
    """Refuse a plan that is none."""
    check_keys("deep_planning", plan, _PLAN)
    for number, step in enumerate(plan.get("tasks") or []):
        _check_with("deep_planning.tasks", number, step, _STEP, ("id", "title"))


def check_servers(servers: list[dict[str, Any]]) -> None:
    """Refuse MCP servers of which one is none."""
    for number, server in enumerate(servers):
        check_keys(f"mcp_servers[{number}]", server, _SERVER)


def _user(value: Any) -> dict[str, Any] | None:
    """Return a user; one without an email, whom no reader could read, is left out."""
    if value is None:
        return None
    check_form("input.user", value, Kind.OBJECT)
    check_keys("input.user", value, _USER)
    return dict(value) if value.get("email") is not None else None


def _principal(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    check_form("input.principal", value, Kind.OBJECT)
    _check_required("input.principal", value, ("kind", "id"))
    check_keys("input.principal", value, _PRINCIPAL)
    name = value["id"]
    if not name or ":" in name or any(character.isspace() for character in name):
        raise invalid("input.principal.id", "input.principal.id must have no `:` and no white space, and not be empty")
    return dict(value)


def _attachments(value: Any) -> list[dict[str, Any]]:
    check_form("input.attachments", value, Kind.OBJECTS)
    for number, attachment in enumerate(value):
        _check_with("input.attachments", number, attachment, _ATTACHMENT, ("url",))
    return list(value)


def _check_with(
    where: str, number: int, value: Mapping[str, Any], forms: Mapping[str, Form], required: tuple[str, ...]
) -> None:
    _check_required(f"{where}[{number}]", value, required)
    check_keys(f"{where}[{number}]", value, forms)


def _check_required(where: str, value: Mapping[str, Any], required: tuple[str, ...]) -> None:
    for key in required:
        if value.get(key) is None:
            raise invalid(where, f"{where}.{key} is missing")
