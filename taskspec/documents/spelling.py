"""A JSON value → YAML that reads back as the same value, on one line. Reads nothing."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_PLAIN: Final = re.compile(r"(?:[A-Za-z_/]|-(?=[A-Za-z]))[\w./@+=-]*(?: [\w./@+=-]+)*", re.ASCII)
_DURATION: Final = re.compile(r"[0-9]+(?:ms|[smhd])")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def spelled(value: Any) -> str:
    """Return a value in flow style: `{maxAttempts: 3, statuses: [error, failed]}`."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {spelled(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(spelled(item) for item in value) + "]"
    return json.dumps(value)


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    if plain or _DURATION.fullmatch(text):
        return text
    return '"' + "".join(_ESCAPED.get(character) or _shown(character) for character in text) + '"'


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
