"""The fields of a change that differ, before and after, in words: within lines, the words. Compares nothing itself."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from taskspec.address import task_name
from taskspec.diagnostics import path_text
from taskspec.plan.diffing import LineKind, changed_lines
from taskspec.plan.model import Change, FieldDiff, Missing
from taskspec.plan.wording import Word, Worded, worded, words
from taskspec.report.text import Paint, one_line, some, visible

_NAMED: Final = 3
CONTEXT: Final = 60
"""How many characters of what is the same are shown on each side of a changed word of one long line."""
_LONG: Final = 40
"""A text of one line that is as long as this is shown as one, with its changed words."""
_STYLES: Final = {LineKind.ADDED: "add", LineKind.REMOVED: "remove", LineKind.SAME: "dim", LineKind.GAP: "dim"}
_WORD_STYLES: Final = {LineKind.ADDED: "added word", LineKind.REMOVED: "removed word", LineKind.SAME: "dim"}
_MARKS: Final = {LineKind.ADDED: ("{+", "+}"), LineKind.REMOVED: ("[-", "-]")}


def differing_lines(change: Change, paint: Paint) -> Iterator[str]:
    """Yield the fields in which a change differs; where it waits for answers, in what it differs apart from these."""
    if change.own_diffs is None:
        for diff in change.diffs:
            yield from difference_lines(diff, paint)
        return
    own, waiting = {diff.path: diff for diff in change.own_diffs}, {diff.path for diff in change.diffs}
    answers = f"what {answering(change)}"
    for path in sorted({*own, *waiting}, key=path_text):
        if path not in own:
            yield f"        {paint(visible(path_text(path)), 'accent')}: as before, but for {answers}"
        else:
            yield from difference_lines(own[path], paint, f", apart from {answers}" if path in waiting else "")


def answering(change: Change) -> str:
    """Return which tasks a change waits for, the cells of one together, with the verb: "`extract` answers"."""
    cells: dict[str, list[str]] = {}
    for address in change.after:
        cells.setdefault(task_name(address), []).append(address)
    listed = some([f"`{name}[*]`" if len(found) > 1 else f"`{found[0]}`" for name, found in cells.items()], _NAMED)
    return f"{listed} {'answers' if len(change.after) == 1 else 'answer'}"


def difference_lines(diff: FieldDiff, paint: Paint, apart: str = "") -> Iterator[str]:
    """Yield one field that differs: its name, and both sides of it; `apart` says from what that is told apart."""
    name = paint(visible(path_text(diff.path)), "accent") + apart
    whole = any(isinstance(side, str) and "\n" in side for side in (diff.before, diff.after))
    before, after = text_of(diff.before, quoted=not whole), text_of(diff.after, quoted=not whole)
    if whole:
        yield f"        {name}:"
        yield from text_lines(before, after, paint, indent=10)
        return
    if isinstance(diff.before, str) and isinstance(diff.after, str) and min(len(before), len(after)) >= _LONG:
        found = words(before, after)
        if found is not None:
            yield f"        {name}: {_words([*_folded(found)], paint)}"
            return
    sides = [paint(one_line(text), style) for text, style in ((before, "remove"), (after, "add")) if text]
    yield f"        {name}: {' → '.join(sides)}" + ("" if after else " → (absent)")


def text_lines(before: str, after: str, paint: Paint, *, indent: int, limit: int = 200) -> Iterator[str]:
    """Yield the lines in which two texts differ, and of lines of which one took the other's place, the words."""
    blanks = " " * indent
    for row in worded(changed_lines(before, after, limit=limit)):
        if isinstance(row, Worded):
            yield f"{blanks}{paint('~', 'change')} {_words(row.words, paint)}"
        else:
            yield f"{blanks}{paint(f'{row.kind} {visible(row.text)}', _STYLES[row.kind])}"


def _words(found: Sequence[Word], paint: Paint) -> str:
    return "".join(_word(one, paint) for one in found)


def _word(one: Word, paint: Paint) -> str:
    """Return a word in its colour; a changed one stands in brackets, as git shows it: a copy has no colours."""
    begin, end = _MARKS.get(one.kind, ("", ""))
    return paint(f"{begin}{visible(one.text)}{end}".replace("\n", " "), _WORD_STYLES[one.kind])


def _folded(found: Sequence[Word]) -> Iterator[Word]:
    """Yield the words of a long line, without most of what is the same."""
    for index, one in enumerate(found):
        if one.kind is not LineKind.SAME or len(one.text) <= 2 * CONTEXT:
            yield one
            continue
        begin = one.text[:CONTEXT] if index else ""
        end = one.text[-CONTEXT:] if index < len(found) - 1 else ""
        yield one._replace(text=f"{begin} … {end}".strip(" ") if begin and end else f"{begin}…{end}")


def text_of(value: Any, *, quoted: bool) -> str:
    """Return a side of a difference as text; the empty text for one that has no value."""
    if isinstance(value, Missing):
        return ""
    if isinstance(value, str) and not quoted:
        return value
    return json.dumps(value, ensure_ascii=False)
