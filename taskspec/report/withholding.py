"""Which lines of a manifest are not to be quoted, since a secret may be written out in them. Reads no file.

A line is judged by the words before its colons and those of the lines around it: a manifest that is wrong may be no
YAML at all.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_FIELDS: Final = ("usertoken", "useroidc", "oidctoken", "apikey", "clientsecret")
_SERVERS: Final = "mcpserver"
_PLAIN_OF_SERVER: Final = frozenset(
    {"id", "name", "type", "transport", "url", "authtype", "allowedtools", "spec", "kind", "metadata"}
)
_NAMES: Final = re.compile(r"(?<!max)token|secret|passw|credential|privatekey|authoriz|apikey|accesskey")
_KINDS: Final = frozenset({"basic", "bearer", "token", "true", "false", "null"})
_KEY: Final = re.compile(r"(?<![\w-])([\w-]++)['\"]?+\s*+[:=](?!//)")
_TAG: Final = re.compile(r"\{\{[^'\"{}]*\}\}|\{%[^'\"{}]*%\}")
_SENSITIVE: Final = re.compile(r"\bsens\w*['\"]?\s*:")
_WORD: Final = re.compile(r"\w+")
_INDENT: Final = re.compile(r"\s*(-\s)?")


def may_show_a_secret(lines: Sequence[str], number: int) -> bool:
    """Tell whether a secret may be written out in a line, counted from 1."""
    line = lines[number - 1]
    if not _has_literal(line):
        return False
    own = [*_keys(line)]
    around = [key for above in _above(lines, number - 1) for key in _keys(above)]
    chain = [*own, *around]
    if any(key.startswith(_FIELDS) for key in chain) or any(map(_NAMES.search, own)):
        return True
    if any(key.startswith(_SERVERS) for key in chain):
        return any(not key.startswith(_SERVERS) and key not in _PLAIN_OF_SERVER for key in chain)
    if "variables" not in chain or not any(map(_SENSITIVE.search, lines)):
        return False
    return not {"default", "enum", "environments"}.isdisjoint(chain)


def _has_literal(line: str) -> bool:
    """Tell whether a line holds more than names of fields and plain templates."""
    words = _WORD.findall(_KEY.sub(" ", _TAG.sub(" ", line)))
    return not {word.casefold() for word in words} <= _KINDS


def _keys(line: str) -> Iterator[str]:
    for key in _KEY.findall(line):
        yield key.replace("_", "").replace("-", "").casefold()


def _above(lines: Sequence[str], index: int) -> Iterator[str]:
    """Yield the lines that a line stands under, by their indentation."""
    within = _depth(lines[index])
    for line in reversed(lines[:index]):
        if line.startswith("---"):
            return
        depth = _depth(line)
        if line.strip() and depth < within:
            within = depth
            yield line


def _depth(line: str) -> float:
    """Return how deep a line is indented; an item of a list may stand as deep as the name of the list."""
    found = _INDENT.match(line)
    assert found is not None
    dash = found[1] is not None
    return len(found[0]) - 2 + 0.5 if dash else len(found[0])
