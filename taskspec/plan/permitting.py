"""What the agent of a run may do beyond what it could before. Knows no plan, and compares masked specs alone."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from taskspec.plan.model import Declared, Risk, RiskCategory

_LONGEST: Final = 80
_WIDTH: Final = {"gated": 0, "full": 1}
"""The permission modes that are known, from the narrowest on."""


def widened(before: Mapping[str, Any], task: Declared) -> Iterator[Risk]:
    """Yield what a task may do beyond what was sent last; beyond the defaults, where nothing was."""
    after = task.spec
    for path, text in (
        *_servers(before, after),
        *_mode(before, after),
        *_calls(before, after),
        *_tokens(before, after),
    ):
        yield Risk(
            category=RiskCategory.PERMISSION_WIDENED, text=text, path=path, place=partial(task.source.position, path)
        )


def at(spec: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return what stands at a path of a spec; None where nothing does."""
    found: Any = spec
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def said(value: Any) -> str:
    """Return a value for a sentence."""
    if value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


_Found = Iterator[tuple[tuple[str | int, ...], str]]


def _servers(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Found:
    """Find MCP servers that are new, or have something that they had not."""
    servers = after.get("mcpServers") or ()
    if not isinstance(servers, list | tuple):
        if servers != before.get("mcpServers"):
            yield ("mcpServers",), "the MCP servers are not known yet"
        return
    listed = before.get("mcpServers") or ()
    known = list(listed) if isinstance(listed, list | tuple) else []
    for index, server in enumerate(servers):
        if server in known:
            continue
        name = server.get("name") if isinstance(server, Mapping) else None
        same = next((one for one in known if isinstance(one, Mapping) and name and one.get("name") == name), None)
        what = f"the MCP server {said(name)}" if name else f"MCP server {index + 1}"
        path: tuple[str | int, ...] = ("mcpServers", index)
        if same is None:
            yield path, f"{what} is new{_where(server)}"
        elif same.get("url") != server.get("url"):
            yield (*path, "url"), f"the URL of {what} was {said(same.get('url'))}, and is {said(server.get('url'))}"
        else:
            changed = sorted(key for key in server if server[key] != same.get(key)) or sorted(same.keys() - server)
            yield (*path, changed[0]), f"{what} was changed: {', '.join(f'`{key}`' for key in changed)}"


def _where(server: Any) -> str:
    url = server.get("url") if isinstance(server, Mapping) else None
    return f", at {said(url)}" if url else ""


def _mode(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Found:
    path = ("harness", "permissionMode")
    old, new = at(before, path), at(after, path)
    if old == new:
        return
    narrowest, known = _WIDTH["gated"], {str(old).lower(): old, str(new).lower(): new}
    was, now = (_WIDTH.get(name) for name in (str(old).lower(), str(new).lower()))
    if len(known) == 1 or now == narrowest or (was is not None and now is not None and now < was):
        return
    yield path, f"`harness.permissionMode` was {said(old)}, and is {said(new)}"


def _calls(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Found:
    old, new = before.get("toolCallLimit"), after.get("toolCallLimit")
    if old == new:
        return
    if new is None:
        yield ("toolCallLimit",), f"`toolCallLimit` was {said(old)}, and the agent's own limit holds now"
    elif old is None:
        yield ("toolCallLimit",), f"`toolCallLimit` is {said(new)}, in the place of the agent's own limit"
    elif not (isinstance(old, int) and isinstance(new, int) and new < old):
        yield ("toolCallLimit",), f"`toolCallLimit` was {said(old)}, and is {said(new)}"


def _tokens(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Found:
    """Find tokens of users that tools may use now and could not before."""
    old, new = before.get("userTokens") or {}, after.get("userTokens") or {}
    for name in new if isinstance(new, Mapping) else ():
        if not isinstance(old, Mapping) or name not in old:
            yield ("userTokens", name), f"tools may use the user's token {said(name)}"
    if isinstance(new, str) and new != old:
        yield ("userTokens",), "tools may use tokens of the user"
    if after.get("userOidcToken") and not before.get("userOidcToken"):
        yield ("userOidcToken",), "tools may use the user's OIDC token"
