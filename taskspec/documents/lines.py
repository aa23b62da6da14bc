"""The lines of a formatted text, and the columns of the comments beside them. Knows no YAML but `#`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class Line:
    """A line on its way: `code` with its indentation, or none; then its comment, or none.

    `was` is the column at which the comment stood, `gap` the width between it and the code before it; of a comment
    alone, `column` is where it belongs, and `firm` says that nothing beside it can move it from there.
    """

    code: str = ""
    comment: str = ""
    was: int = -1
    gap: int = 1
    column: int = 0
    firm: bool = False
    blank: bool = False
    """There is nothing in it, and nothing is meant by it."""


def join(lines: Sequence[Line], *, ended: bool) -> str:
    """Return the text: comments that stood in one column beside adjacent lines stay in one."""
    _align(lines)
    text = "\n".join(_written(line) for line in lines)
    return text + "\n" if ended and text else text


def _written(line: Line) -> str:
    if not line.comment:
        return line.code
    if not line.code:
        return " " * line.column + line.comment
    return line.code + " " * line.gap + line.comment


def _align(lines: Sequence[Line]) -> None:
    for group in _groups(lines):
        beside = [line for line in group if line.code]
        column = max(len(line.code) for line in beside) + min(line.gap for line in beside)
        for line in group:
            line.column = column
            line.gap = column - len(line.code)


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield adjacent lines whose comments stood in one column; the first of them has code."""
    group: list[Line] = []
    for line in lines:
        if group and line.comment and line.was == group[0].was and not line.firm:
            group.append(line)
            continue
        if group:
            yield group
        group = [line] if line.code and line.comment else []
    if group:
        yield group
