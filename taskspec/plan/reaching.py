"""The hosts that a run's files and MCP servers are on. Opens no connection."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from taskspec.plan.model import Declared, Risk, RiskCategory

_Path = tuple[str | int, ...]


def hosts(spec: Mapping[str, Any]) -> Iterator[tuple[str, _Path]]:
    """Yield each host that a spec names, and where; a URL that cannot be read stands for itself."""
    for index, entry in enumerate(_listed(spec.get("files"))):
        if isinstance(entry, str) and (host := _host(entry)):
            yield host, ("files", index)
    for index, server in enumerate(_listed(spec.get("mcpServers"))):
        url = server.get("url") if isinstance(server, Mapping) else None
        if isinstance(url, str) and url:
            yield _host(url) or url, ("mcpServers", index, "url")


def new_hosts(task: Declared, known: Collection[str]) -> Iterator[Risk]:
    """Yield each host that a task names and no recorded task has named; what is not known yet may name any."""
    if isinstance(task.spec.get("files"), str):
        yield Risk(
            category=RiskCategory.DATA_TO_NEW_HOST,
            text="`files` is not known yet, and may name any host",
            path=("files",),
            place=partial(task.source.position, ("files",)),
        )
    told: set[str] = set()
    for host, path in hosts(task.spec):
        if host not in known and host not in told:
            told.add(host)
            yield Risk(
                category=RiskCategory.DATA_TO_NEW_HOST,
                text=f"no task that was run so far has named the host `{host}`",
                path=path,
                place=partial(task.source.position, path),
            )


def _listed(value: Any) -> Collection[Any]:
    return value if isinstance(value, list | tuple) else ()


def _host(text: str) -> str:
    """Return the host of a URL; nothing for what is no URL."""
    scheme, mark, rest = text.partition("://")
    if not mark or not scheme.isalpha():
        return ""
    try:
        return urlsplit(text).netloc.rpartition("@")[2].lower() or rest
    except ValueError:
        return rest
