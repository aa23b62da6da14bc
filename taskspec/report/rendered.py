"""Rendered tasks in words: what would be sent, as YAML, secrets masked. Renders no template."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.report.text import Paint, visible

_STEP: Final = "  "
_PLAIN_KEY: Final = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_KEY: Final = 500
"""YAML allows 1024 characters for a key that stands before its colon in one line."""


def task_lines(task: DesiredTask | DeferredTask, paint: Paint) -> Iterator[str]:
    """Yield a task as a YAML document, under a comment with its address and its place."""
    place = visible(str(task.source.document.position())).replace("\n", " ")
    yield paint(f"# {visible(task.address)}  {place}", "dim")
    if task.upstream:
        words = "known after" if isinstance(task, DeferredTask) else "waits for"
        yield paint(f"# {words} {visible(', '.join(task.upstream))}", "dim")
    fields: dict[str, Any] = {"title": task.title, **task.spec}
    if task.labels:
        fields = {"labels": task.labels, **fields}
    yield from _mapping(fields, "", paint)


def task_json(task: DesiredTask | DeferredTask) -> dict[str, Any]:
    """Return a task as JSON; one that is deferred has no fingerprint yet."""
    return {
        "address": task.address,
        "at": task.source.document.position().as_json,
        "agent": task.agent,
        "title": task.title,
        "labels": dict(task.labels),
        "after": list(task.upstream),
        "deferred": isinstance(task, DeferredTask),
        "fingerprint": None if isinstance(task, DeferredTask) else task.fingerprint,
        "spec": dict(task.spec),
    }


def _mapping(fields: Mapping[str, Any], margin: str, paint: Paint) -> Iterator[str]:
    for name, value in fields.items():
        written = name if _PLAIN_KEY.fullmatch(name) else _quoted(name)
        key = f"{margin}{paint(written, 'accent')}:"
        if len(written) > _LONGEST_KEY:
            yield f"{margin}? {paint(written, 'accent')}"
            key = f"{margin}:"
        yield from _value(key, value, margin + _STEP, paint)


def _value(key: str, value: Any, margin: str, paint: Paint) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield key
        yield from _mapping(value, margin, paint)
    elif isinstance(value, list) and value:
        yield key
        for item in value:
            if isinstance(item, Mapping | list) and item:
                yield f"{margin}-"
                yield from _item(item, margin + _STEP, paint)
            else:
                yield f"{margin}- {_quoted(item)}"
    elif isinstance(value, str) and _fits_block(value):
        text = value.removesuffix("\n")
        yield f"{key} {'|' if value.endswith(chr(10)) else '|-'}"
        for line in text.split("\n"):
            yield margin + line if line else ""
    else:
        yield f"{key} {_quoted(value)}"


def _item(item: Any, margin: str, paint: Paint) -> Iterator[str]:
    if isinstance(item, Mapping):
        yield from _mapping(item, margin, paint)
    else:
        for inner in item:
            yield f"{margin}- {_quoted(inner)}"


def _fits_block(text: str) -> bool:
    """Tell whether a text of several lines can stand in a block, harmless and unchanged."""
    body = text.removesuffix("\n")
    return "\n" in text and body[:1] not in {"", " ", "\t", "\n"} and body[-1] != "\n" and _escaped(text) == text


def _quoted(value: Any) -> str:
    """Return a value as JSON, which is YAML too; what could steer a terminal is escaped."""
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """Return a text with escapes for what could steer a terminal, and for what cannot stand in YAML."""
    return visible(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
