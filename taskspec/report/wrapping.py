"""Wrapping: lines that are longer than a terminal is wide, broken between words and indented. Knows no terminal."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

NARROWEST: Final = 40
"""A terminal of fewer characters breaks lines as it likes."""
_HANGING: Final = 4
"""So many characters more than its first line the rest of a line is indented."""
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
_PART: Final = re.compile(r"[^\S\n]+|\S+")
_PLAIN: Final = "\x1b[0m"


def wrapped(lines: Iterable[str], width: int | None) -> Iterator[str]:
    """Yield lines of no more than so many characters, where their words allow it; None: as they are."""
    for line in lines:
        if width is None or width < NARROWEST or len(without_styles(line)) <= width:
            yield line
        else:
            yield from _broken(line, width)


def without_styles(line: str) -> str:
    """Return a line without its colours."""
    return _STYLE.sub("", line)


def _broken(line: str, width: int) -> Iterator[str]:
    """Yield a line in rows: they are broken as those of the plain line, and then get its styles back."""
    plain, styles, style = without_styles(line), _styles(line), ""
    indent = " " * min(len(plain) - len(plain.lstrip(" ")) + _HANGING, width // 2)
    for start, end in _rows(plain, width, len(indent)):
        while styles and styles[0][0] < start:
            _, style = styles.popleft()
        row, place = (indent if start else "") + style, start
        while styles and styles[0][0] <= end:
            until, style = styles.popleft()
            row, place = row + plain[place:until] + (style or _PLAIN), until
        yield row + plain[place:end] + (_PLAIN if style else "")


def _rows(plain: str, width: int, indent: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where each row of a line goes; all but the first are indented."""
    start = end = 0
    for part in _PART.finditer(plain):
        if (indent if start else 0) + part.end() - start > width and end > start:
            yield start, end
            start = end = part.end() if part[0].isspace() else part.start()
        if not part[0].isspace():
            end = part.end()
    if end > start:
        yield start, end


def _styles(line: str) -> deque[tuple[int, str]]:
    """Return the styles of a line, each with its place in the plain line; none is the end of one."""
    found, before = deque[tuple[int, str]](), 0
    for style in _STYLE.finditer(line):
        found.append((style.start() - before, "" if style[0] == _PLAIN else style[0]))
        before += len(style[0])
    return found
