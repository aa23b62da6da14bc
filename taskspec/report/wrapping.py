"""Wrapping: lines that are longer than a terminal is wide, broken between words and indented. Knows no terminal."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

NARROWEST: Final = 40
"""A terminal of fewer characters breaks lines as it likes."""
_HANGING: Final = 4
"""So many characters more than its first line the rest of a line is indented."""
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
_PART: Final = re.compile(r"\x1b\[[0-9;]*m|[^\S\n]+|[^\s\x1b]+|\x1b")
_PLAIN: Final = "\x1b[0m"


def wrapped(lines: Iterable[str], width: int | None) -> Iterator[str]:
    """Yield lines of no more than so many characters, where their words allow it; None: as they are."""
    for line in lines:
        if width is None or width < NARROWEST or len(line) <= width:
            yield line
        else:
            yield from _broken(line, width)


def without_styles(line: str) -> str:
    """Return a line without its colours."""
    return _STYLE.sub("", line)


def _broken(line: str, width: int) -> Iterator[str]:
    indent = " " * min(len(line) - len(line.lstrip(" ")) + _HANGING, width // 2)
    row, length, style, is_blank = "", 0, "", True
    for part in _PART.findall(line):
        if _STYLE.fullmatch(part):
            row, style = row + part, "" if part == _PLAIN else part
            continue
        if length + len(part) > width and not is_blank:
            yield (row + _PLAIN if style else row).rstrip(" ")
            row, length, is_blank = indent + style, len(indent), True
            if part.isspace():
                continue
        row, length, is_blank = row + part, length + len(part), is_blank and part.isspace()
    if not is_blank:
        yield row
