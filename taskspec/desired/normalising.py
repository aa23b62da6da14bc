"""Rendered fields → their one normal form, in which absent equals default, and without secrets. Renders nothing."""

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any, Final

from taskspec.desired.scope import placeholder

RUN_RELEVANT: Final = (
    "agent",
    "agentVersion",
    "prompt",
    "files",
    "outputFormat",
    "outputSchema",
    "additionalContext",
    "expectedOutput",
    "instructionsOverride",
    "payloadExtension",
    "user",
    "thinkMode",
    "toolCallLimit",
    "mcpServers",
    "disableAttachmentInjection",
    "harness",
    "llm",
    "userTokens",
    "userOidcToken",
)
"""The fields that the fingerprint covers."""
SENT_ONLY: Final = ("title", "source", "eventsStreaming")
"""The fields that are sent and change nothing about what is asked for."""
SENT: Final = RUN_RELEVANT + SENT_ONLY

_DEFAULTS: Final[Mapping[str, Any]] = {
    "thinkMode": "default",
    "disableAttachmentInjection": False,
    "eventsStreaming": False,
}
_SECTIONS: Final = frozenset({"user", "harness", "llm"})
_SECRET_PARTS: Final = frozenset(
    {"headers", "env", "env_vars", "envVars", "api_key", "apiKey", "client_secret", "clientSecret"}
)
"""What is secret of an MCP server, in each spelling that is met."""
_EXACT: Final = 2**53


def normalised(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with defaults left out, numbers and prompt in their one form.

    Texts are interned: what is recorded of a task holds the same ones.
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        kept = _normal(name, value)
        if kept is None or kept == {} or kept == [] or (name in _DEFAULTS and kept == _DEFAULTS[name]):
            continue
        found[name] = kept
    if "outputSchema" in found and "outputFormat" not in found:
        found["outputFormat"] = "json"
    return found


def without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return normalised fields with a placeholder for every value that is sensitive by schema."""
    found = dict(fields)
    if "userOidcToken" in found:
        found["userOidcToken"] = placeholder("userOidcToken")
    if "userTokens" in found:
        found["userTokens"] = _hidden(found["userTokens"], "userTokens")
    if "mcpServers" in found:
        found["mcpServers"] = [_server(server, f"mcpServers[{i}]") for i, server in enumerate(found["mcpServers"])]
    return found


def secret_parts(fields: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield path and value of everything in a spec that is sensitive by schema."""
    for name in ("userTokens", "userOidcToken"):
        if name in fields:
            yield (name,), fields[name]
    servers = fields.get("mcpServers")
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        for key, value in server.items() if isinstance(server, Mapping) else ():
            if key in _SECRET_PARTS:
                yield ("mcpServers", index, key), value


def is_secret_place(path: tuple[str | int, ...]) -> bool:
    """Tell whether what a template at a path of a spec gives is sensitive by schema, or holds what is."""
    if path[0] == "mcpServers":
        return len(path) <= 2 or path[2] in _SECRET_PARTS
    return path[0] in {"userTokens", "userOidcToken"}


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return intern(value.replace("\r\n", "\n").rstrip() if name == "prompt" else value)
    if name in _SECTIONS and isinstance(value, Mapping):
        return {key: _number(item) for key, item in value.items() if item is not None}
    return _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, Mapping):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_number(item) for item in value]
    return value


def _hidden(value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        return placeholder(path)
    return {key: placeholder(f"{path}.{key}") for key in value}


def _server(server: Any, path: str) -> Any:
    if not isinstance(server, Mapping):
        return server
    return {key: _hidden(value, f"{path}.{key}") if key in _SECRET_PARTS else value for key, value in server.items()}
