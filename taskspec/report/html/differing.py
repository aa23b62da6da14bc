"""What differs, for a page: fields, and texts line by line, and within lines word by word. Compares nothing itself."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from taskspec.diagnostics import path_text
from taskspec.plan.diffing import LineKind, changed_lines
from taskspec.plan.model import FieldDiff, Missing
from taskspec.plan.wording import Worded, worded, words
from taskspec.report.html.markup import Element, Node, el, escaped
from taskspec.report.html.showing import LONGEST, Purse, inline, marked, size_words

WIDEST: Final = 4_000
"""How many characters of one line are shown."""
MOST: Final = 60
"""How many fields are shown of one difference."""
_FRAME: Final = 80
"""What the markup of a line takes."""
_SIDE: Final = 60
"""A text that is as long as this stands on a line of its own."""
_TAGS: Final = {LineKind.ADDED: "ins", LineKind.REMOVED: "del", LineKind.SAME: "span", LineKind.GAP: "span"}
_CLASSES: Final = {LineKind.ADDED: "added", LineKind.REMOVED: "removed", LineKind.SAME: "same", LineKind.GAP: "gap"}
_SIGNS: Final = {LineKind.ADDED: "+", LineKind.REMOVED: "−", LineKind.SAME: "", LineKind.GAP: "⋯"}


def field_differences(diffs: Sequence[FieldDiff], purse: Purse) -> Iterator[Node]:
    """Yield the fields that differ, each with its name."""
    for diff in diffs[:MOST]:
        before, after = _side(diff.before), _side(diff.after)
        both = isinstance(diff.before, str) and isinstance(diff.after, str)
        yield el(
            "div",
            {"class": "difference"},
            el("h5", None, inline(path_text(diff.path), 200)),
            [*_field(before, after, purse, as_text=both)],
        )
    if len(diffs) > MOST:
        yield el("p", {"class": "left-out"}, f"{len(diffs) - MOST} more fields differ.")


def text_difference(before: str, after: str, purse: Purse) -> Iterator[Node]:
    """Yield the lines in which two texts differ; only a word on it where they are too long to be compared."""
    if before == after:
        yield el("p", {"class": "quiet"}, "The text is the same.")
        return
    lines = before.count("\n") + after.count("\n")
    if purse.is_empty or max(len(before), len(after)) > LONGEST or not purse.may_compare(lines):
        said = f"Too much to compare here: {size_words(len(before))} became {size_words(len(after))}."
        yield el("p", {"class": "left-out"}, said)
        return
    rows = [*_rows(before, after)]
    purse.pay(sum(written + _FRAME for _, written in rows))
    yield el("div", {"class": "diff", "dir": "auto"}, [row for row, _ in rows])


def _field(before: str | None, after: str | None, purse: Purse, *, as_text: bool) -> Iterator[Node]:
    if before is not None and after is not None:
        is_whole = "\n" in before + after or (as_text and max(len(before), len(after)) >= _SIDE)
        if is_whole:
            yield from text_difference(before, after, purse)
            return
    shown = [("del", before, LineKind.REMOVED), ("ins", after, LineKind.ADDED)]
    rows = [_row(kind, [marked(_short(text))]) for _, text, kind in shown if text is not None]
    purse.pay(sum(len(escaped(_short(text))) for _, text, _ in shown if text is not None))
    yield el("div", {"class": "diff", "dir": "auto"}, rows)


def _rows(before: str, after: str) -> Iterator[tuple[Node, int]]:
    """Yield the lines of a difference, each with how much it takes."""
    if "\n" not in before + after and (found := words(before, after)) is not None:
        yield _worded(Worded(found))
        return
    same_but_ends = changed_lines(before, after)
    if not same_but_ends:
        yield el("p", {"class": "quiet"}, "Only line ends differ."), 0
    for row in worded(same_but_ends):
        if isinstance(row, Worded):
            yield _worded(row)
        else:
            yield _row(row.kind, [marked(_short(row.text))]), len(escaped(_short(row.text)))


def _worded(row: Worded) -> tuple[Node, int]:
    parts = [
        el(_TAGS[word.kind], {"class": "word"} if word.kind is not LineKind.SAME else None, marked(_short(word.text)))
        for word in row.words
    ]
    return _line("changed", "±", "span", parts), sum(len(escaped(word.text)) for word in row.words)


def _row(kind: LineKind, parts: Iterable[Node]) -> Element:
    return _line(_CLASSES[kind], _SIGNS[kind], _TAGS[kind], parts)


def _line(classes: str, sign: str, tag: str, parts: Iterable[Node]) -> Element:
    return el(
        "div", {"class": f"line {classes}"}, el("span", {"class": "sign"}, sign), el(tag, {"class": "words"}, parts)
    )


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"


def _side(value: Any) -> str | None:
    """Return a side of a difference as text; None for one that has no value."""
    if isinstance(value, Missing):
        return None
    return value if isinstance(value, str) else json_words(value)


def json_words(value: Any) -> str:
    """Return a value as JSON, over several lines where it is long."""
    short = json.dumps(value, ensure_ascii=False, default=str)
    return short if len(short) <= _SIDE else json.dumps(value, ensure_ascii=False, default=str, indent=2)
