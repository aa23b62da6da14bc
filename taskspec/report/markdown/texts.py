"""Texts and their differences in fences, cut to what fits, with a word of what is left out. Compares nothing itself."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from taskspec.jsontext import loaded
from taskspec.plan.diffing import Line, LineKind, changed_lines
from taskspec.report.markdown.detail import Detail
from taskspec.report.markdown.escaping import code, fence

MOST_COMPARED: Final = 400_000
"""Texts of more characters than this are not compared, nor set out."""
_MOST_SET_OUT: Final = 4 * MOST_COMPARED
"""JSON grows when it is set out line by line."""
LONG: Final = 160
"""Two texts are compared sentence by sentence where a line of either has more characters."""
WIDEST: Final = 400
"""So many characters are shown of one line of a difference."""
_LEAD: Final = 60
"""So many of what is the same are shown before the first character that differs."""
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+")


def block(text: str, detail: Detail, command: str, info: str = "") -> str:
    """Return a text in a fence; where it is cut, `command` shows all of it."""
    kept = text[: detail.text]
    if len(kept) == len(text):
        return fence(text, info)
    left = f"… and {len(text) - len(kept):,} more characters: {code(command)} shows them."
    return f"{fence(kept, info)}\n\n{left}"


def pretty(content: str, form: str, *, is_sorted: bool = False) -> str:
    """Return an answer as a person reads it: JSON line by line, if it is not too long; all else as it is."""
    if form != "json" or len(content) > MOST_COMPARED:
        return content
    try:
        return json.dumps(loaded(content), indent=2, ensure_ascii=False, sort_keys=is_sorted)
    except (ValueError, RecursionError):
        return content


def info_of(form: str) -> str:
    """Return what a fence says of an answer of a format."""
    return {"json": "json", "markdown": "markdown"}.get(form, "text")


def difference(before: str, after: str, detail: Detail) -> str:
    """Return the lines that differ in a fence; the empty text where none does, a word where nobody looked."""
    if max(len(before), len(after)) > _MOST_SET_OUT:
        return "They are too long to be compared here."
    if any(len(line) > LONG for text in (before, after) for line in text.splitlines()):
        before, after = _by_sentence(before), _by_sentence(after)
    lines = changed_lines(before, after, limit=detail.rows)
    return fence("\n".join(_rows(lines)), "diff") if lines else ""


def _by_sentence(text: str) -> str:
    """Return a text with its lines broken behind each sentence: then a change of one word is no new paragraph."""
    return "\n".join(row for line in text.splitlines() for row in _SENTENCE.split(line))


def _rows(lines: Sequence[Line]) -> Iterator[str]:
    for index, line in enumerate(lines):
        match line.kind:
            case LineKind.GAP:
                yield f"@@ {line.text} @@"
            case LineKind.SAME:
                yield f" {_cut(line.text, 0)}"
            case LineKind.REMOVED | LineKind.ADDED:
                yield f"{line.kind}{_cut(line.text, _same(lines, index))}"


def _same(lines: Sequence[Line], index: int) -> int:
    """Return how many characters a long line begins with that stand in its other half too."""
    line = lines[index]
    if len(line.text) <= WIDEST:
        return 0
    begin = index
    while begin and lines[begin - 1].kind in {LineKind.REMOVED, LineKind.ADDED}:
        begin -= 1
    end = index
    while end < len(lines) and lines[end].kind in {LineKind.REMOVED, LineKind.ADDED}:
        end += 1
    group = lines[begin:end]
    own = [one for one in group if one.kind is line.kind]
    others = [one for one in group if one.kind is not line.kind]
    place = index - begin - (group.index(own[0]))
    if place >= len(others):
        return 0
    other = others[place].text
    return next((at for at, (one, two) in enumerate(zip(line.text, other, strict=False)) if one != two), 0)


def _cut(text: str, same: int) -> str:
    """Return the part of a long line that matters, and how much is left out of it."""
    if len(text) <= WIDEST:
        return text
    begin = max(0, same - _LEAD) if same > WIDEST // 2 else 0
    end = begin + WIDEST
    after = f" … ({len(text) - end:,} more characters)" if end < len(text) else ""
    return f"{f'({begin:,} characters) … ' if begin else ''}{text[begin:end]}{after}"
