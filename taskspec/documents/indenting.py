"""Scalars of several lines → the same scalars at another indentation. Changes no value, and re-wraps nothing."""

import re
from dataclasses import dataclass
from typing import Final

_BREAK: Final = re.compile("[\n\x85\u2028\u2029]")
_HEADER: Final = re.compile(r"[|>](?:([1-9])([-+])?|([-+])?([1-9])?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block scalar: its header (`|2-`), what follows the header in its line, its lines, and how it ends."""

    header: str
    remark: str
    lines: tuple[str, ...]
    blanks: int
    """How many blank lines after it are not part of its value."""
    open: bool
    """The text ends with it and without a line break, which would be part of its value."""


def reindent(text: str, old: int, new: int) -> Block:
    """Move a block scalar from within a block of column `old` to one of column `new`."""
    head, *rest = _BREAK.split(text, maxsplit=1)
    body = "".join(rest)
    found = _HEADER.match(head)
    header = found[0] if found else head
    digit = (found[1] or found[4]) if found else None
    chomping = (found[2] or found[3]) if found else None
    if digit is None:
        shift, step = _width(body), 2
    else:
        shift, step = max(old, 0) + int(digit), int(digit)
    margin = " " * (max(new, 0) + step)
    lines = _moved(body, shift, margin)
    kept = len(lines)
    if chomping != "+":
        while kept and not lines[kept - 1]:
            kept -= 1
    ends = not body or _BREAK.match(body[-1]) is not None
    return Block(
        header=header,
        remark=head[len(header) :],
        lines=tuple(lines[:kept]),
        blanks=len(lines) - kept,
        open=not ends and chomping != "-",
    )


def flow_lines(text: str, margin: str, style: str | None) -> list[str]:
    """Return the lines of a plain scalar or one in quotes; those after the first begin at `margin`."""
    first, *others = text.split("\n")
    moved = [first, *(margin + line if (line := other.lstrip(" \t")) else "" for other in others)]
    return moved if style else [line.rstrip(" \t") for line in moved]


def _width(body: str) -> int:
    """Return the indentation that the first line with text sets for a block scalar."""
    for line in _BREAK.split(body):
        text = line.lstrip(" ")
        if text:
            return len(line) - len(text)
    return len(body)


def _moved(body: str, shift: int, margin: str) -> list[str]:
    """Cut `shift` columns from each line and set the margin before it; breaks that are no `\\n` stay in their line."""
    lines: list[str] = []
    begin, line = 0, ""
    while begin < len(body):
        found = _BREAK.search(body, begin)
        end = found.start() if found else len(body)
        text = body[begin:end][shift:]
        line += margin + text if text else ""
        begin = found.end() if found else end
        if found is None or found[0] == "\n":
            lines.append(line)
            line = ""
        else:
            line += found[0]
    return lines if not line else [*lines, line]
