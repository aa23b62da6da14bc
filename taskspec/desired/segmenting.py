"""A template → its parts, and the line of it that may have given a rendered one. Renders nothing."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from taskspec.desired.cutting import Piece, cut
from taskspec.desired.dotted import spans

_MARKUP: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
_MOST_LINES: Final = 20_000
_MOST_TRIED: Final = 20
"""How many lines of a file, and of what it gave, are held against each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A part of a rendered text: where it begins, and which names it used."""

    begin: int
    offset: int
    """Where in the template it is written."""
    length: int
    """How long it is there."""
    is_literal: bool
    names: frozenset[str] = frozenset()


def pieces_of(text: str) -> Iterator[tuple[str, bool, int]]:
    """Yield the pieces of a template, whether each is literal, and where it begins; one where it cannot be cut."""
    tags = spans(text)
    if tags is not None:
        at = 0
        for begin, end, _ in tags:
            if begin > at:
                yield text[at:begin], True, at
            yield text[begin:end], False, begin
            at = end
        if at < len(text):
            yield text[at:], True, at
        return
    at = 0
    for piece, is_markup in cut(text) or [Piece(text, is_markup=True)]:
        yield piece, not is_markup, at
        at += len(piece)


def line_of(text: str, lines: Iterable[str]) -> int | None:
    """Return the number of the line of a template that may have given one of some rendered lines; None for none.

    The literal parts of such a line stand in the rendered one in their order; the line with the most of them is meant.
    """
    known = [[part.strip() for part in _MARKUP.split(line)] for line in text.split("\n")[:_MOST_LINES]]
    for rendered in islice((line.strip() for line in lines), _MOST_TRIED):
        fitting = [(sum(map(len, parts)), -index) for index, parts in enumerate(known) if _fits(parts, rendered)]
        best, index = max(fitting, default=(0, 0))
        if best:
            return 1 - index
    return None


def _fits(parts: list[str], rendered: str) -> bool:
    """Tell whether a rendered line begins and ends with the ends of a line, and holds all between in its order."""
    if len(parts) == 1:
        return parts[0] == rendered
    if not rendered.startswith(parts[0]) or not rendered.endswith(parts[-1]):
        return False
    at = 0
    for part in parts:
        at = rendered.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
