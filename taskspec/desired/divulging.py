"""What templates of secrets would say of them by themselves, in a plan that is saved. Renders nothing."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from taskspec.desired.dotted import is_template
from taskspec.desired.model import Cell
from taskspec.desired.normalising import secret_parts
from taskspec.desired.withholding import SUMMARY
from taskspec.diagnostics import Diagnostic, path_text

_KINDS: Final = frozenset(
    {"access", "api", "apikey", "auth", "basic", "bearer", "digest", "jwt", "key", "oauth", "oauth2", "token", "x"}
)
"""The words that say of what kind a secret is."""
_STRING: Final = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_MARKUP: Final = re.compile(rf"\{{\{{(?:{_STRING}|(?!\}}\}}).)*\}}\}}|\{{%(?:{_STRING}|(?!%\}}).)*%\}}", re.DOTALL)
_CONSTANT: Final = re.compile(_STRING, re.DOTALL)
_INDEX: Final = re.compile(rf"\[\s*(?:{_STRING})\s*\]", re.DOTALL)
_NUMBER: Final = re.compile(r"(?<![\w.])\d{3,}")
_FILES: Final = re.compile(r"\bfile\s*\(|\{%[-+]?\s*(?:include|import|from)\b")
_WORD: Final = re.compile(r"\w+")
_SIGNS: Final = 8
"""So many characters that are no letters and no digits may stand beside a secret."""


def written_out(cell: Cell, shown: Collection[str]) -> Iterator[Diagnostic]:
    """Find secrets that stand in a manifest or in a file of the project, where nothing could stand for them."""
    for path, value in (*secret_parts(cell.task.spec), *_whole_servers(cell.task.spec)):
        for inner, said in _said(value, (), cell, shown):
            place = (*path, *inner)
            yield Diagnostic(
                summary=SUMMARY,
                detail=f"`{path_text(place)}` of `{cell.address}` {said}, and a plan that is saved holds no secret.",
                hint="Put all of it into a sensitive variable: it is asked for when the plan is applied.",
                position=cell.task.source.position(place),
                quotable=False,
            )


def _said(
    value: Any, path: tuple[str | int, ...], cell: Cell, shown: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _said(item, (*path, key), cell, shown)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _said(item, (*path, index), cell, shown)
    elif value in (None, ""):
        return
    elif not isinstance(value, str) or not is_template(value):
        yield path, "is written out"
    elif words := _beside(value) or _of_a_row(value, cell, shown):
        yield path, words


def _whole_servers(spec: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the MCP servers that a template gives as a whole."""
    servers = spec.get("mcpServers")
    if isinstance(servers, str):
        yield ("mcpServers",), servers
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        if isinstance(server, str):
            yield ("mcpServers", index), server


def _beside(text: str) -> str:
    """Return what a template holds beside names and the kind of the secret; nothing where that is all."""
    tags = _MARKUP.findall(text)
    expressions = _INDEX.sub("", " ".join(tags))
    if _FILES.search(expressions):
        return "takes a file of the project"
    constants = [constant[1:-1] for constant in _CONSTANT.findall(expressions)]
    if _NUMBER.search(_CONSTANT.sub("", expressions)) or not all(map(_is_kind, [_MARKUP.sub("", text), *constants])):
        return "holds more than a template and a word such as `Bearer`"
    return ""


def _is_kind(words: str) -> bool:
    found = _WORD.findall(words)
    return {word.casefold() for word in found} <= _KINDS and len(words) - sum(map(len, found)) <= _SIGNS


def _of_a_row(text: str, cell: Cell, shown: Collection[str]) -> str:
    """Return that a template takes something of an item of `forEach` which is shown nowhere."""
    row = cell.names.get("each", {}).get("value")
    used = set(_WORD.findall(" ".join(_MARKUP.findall(text))))
    if not isinstance(row, Mapping) or "each" not in used:
        return ""
    taken = used & row.keys() or row.keys()
    return "" if all(name in shown for name in taken) else "takes a value of an item of `forEach` that is shown nowhere"
