"""JSON texts with one member a line, token by token: nothing of what they say changes. Reads no value."""

import re
from typing import Final

from taskspec.jsontext import NotJsonError, parse

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
LONGEST: Final = 1_000_000
"""Longer texts stay as they are."""


def indented_json(text: str) -> str:
    """Return a JSON text, set out; every other text as it is."""
    if len(text) > LONGEST:
        return text
    try:
        parse(text)
    except NotJsonError:
        return text
    parts: list[str] = []
    depth, is_open = 0, False
    for piece in _TOKEN.findall(text):
        if piece in "}]":
            depth -= 1
            parts.append(piece if is_open else f"{_break(depth)}{piece}")
        else:
            parts.append(f"{_break(depth) if is_open else ''}{piece}")
        is_open = piece in "{["
        if is_open:
            depth += 1
        elif piece == ",":
            parts.append(_break(depth))
        elif piece == ":":
            parts.append(" ")
    return "".join(parts)


def _break(depth: int) -> str:
    return "\n" + "  " * depth
