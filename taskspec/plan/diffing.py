"""Diffing: two specs → the fields that differ; two texts → the lines that differ. Both sides come masked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from taskspec.plan.model import FieldDiff, Missing

if TYPE_CHECKING:
    from difflib import SequenceMatcher

MOST_COMPARED = 1_000
"""Texts that differ over more lines than this are shown as wholly replaced: comparing them would take too long."""
_MOST_LOOKS = 3_000_000
"""So often, in about, two items are held against each other: most of it goes to what is everywhere, as empty lines."""


class LineKind(StrEnum):
    """What became of a line."""

    SAME = " "
    REMOVED = "-"
    ADDED = "+"
    GAP = "…"


class Line(NamedTuple):
    """One line of a difference; the text of a gap says how many lines are not shown."""

    kind: LineKind
    text: str


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDiff, ...]:
    """Return the smallest parts that differ, ordered by path; lists are compared by index."""
    return tuple(_compare((), before, after))


def changed_lines(before: str, after: str, *, context: int = 2, limit: int = 200) -> tuple[Line, ...]:
    """Return the lines that differ with `context` lines around each, at most `limit` of them and then a gap."""
    lines = tuple(_hunks(before.splitlines(), after.splitlines(), context))
    if len(lines) <= limit:
        return lines
    return (*lines[:limit], Line(LineKind.GAP, "and more"))


class Edit(NamedTuple):
    """A place where two texts differ: where it is in the second one, what stands there, and what stood there before."""

    offset: int
    lines: tuple[str, ...]
    removed: tuple[str, ...]


def edits(before: str, after: str) -> tuple[Edit, ...]:
    """Return the places where two texts differ, line by line, in order."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in new:
        starts.append(starts[-1] + len(line))
    found: list[Edit] = []
    for tag, begin, end, new_begin, new_end in _opcodes(old, new):
        if tag != "equal":
            lines, removed = tuple(new[new_begin:new_end]), tuple(old[begin:end])
            within = _common(removed[0], lines[0]) if removed and lines else 0
            found.append(Edit(starts[new_begin] + within, lines, removed))
    return tuple(found)


def matcher(old: Sequence[str], new: Sequence[str]) -> "SequenceMatcher[str]":
    """Return what compares two lists in bounded time: items that are everywhere count beside others that are the same.

    difflib takes the cube of their number for items that stand between others which all differ.
    """
    from collections import Counter
    from difflib import SequenceMatcher

    ours, theirs = Counter(old), Counter(new)
    pairs = {item: count * theirs[item] for item, count in ours.items() if count * theirs[item] > 1}
    left, frequent = _MOST_LOOKS // max(1, min(len(old), len(new))), set[str]()
    for item, count in sorted(pairs.items(), key=lambda found: found[1]):
        left -= count
        if left < 0:
            frequent.add(item)
    return SequenceMatcher(frequent.__contains__ if frequent else None, old, new, autojunk=False)


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Return what difflib makes of two lists, of which only what lies between their equal ends is compared."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    if not ours and not theirs:
        return []
    if max(len(ours), len(theirs)) > MOST_COMPARED:
        return [("replace", head, head + len(ours), head, head + len(theirs))]
    found = matcher(ours, theirs).get_opcodes()
    return [(tag, i + head, j + head, k + head, m + head) for tag, i, j, k, m in found]


def _compare(path: tuple[str | int, ...], before: Any, after: Any) -> Iterator[FieldDiff]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _compare((*path, key), before.get(key, Missing.MISSING), after.get(key, Missing.MISSING))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        for index in range(max(len(before), len(after))):
            yield from _compare((*path, index), _item(before, index), _item(after, index))
    elif isinstance(before, bool) is not isinstance(after, bool) or before != after:
        yield FieldDiff(path=path, before=before, after=after)


def _item(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else Missing.MISSING


def _hunks(before: list[str], after: list[str], context: int) -> Iterator[Line]:
    """Compare only what lies between the common head and the common tail: the equal ends cost difflib the most."""
    if before == after:
        return
    head = max(0, _common(before, after) - context)
    tail = max(0, _common(before[head:][::-1], after[head:][::-1]) - context)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    shown = -head
    groups: Iterable[Sequence[tuple[str, int, int, int, int]]]
    if max(len(old), len(new)) > MOST_COMPARED:
        groups = ([("replace", 0, len(old), 0, len(new))],)
    else:
        groups = matcher(old, new).get_grouped_opcodes(context)
    for group in groups:
        yield from _gap(group[0][1] - shown)
        for tag, start, end, new_start, new_end in group:
            yield from _lines(LineKind.SAME if tag == "equal" else LineKind.REMOVED, old[start:end])
            yield from _lines(LineKind.ADDED, [] if tag == "equal" else new[new_start:new_end])
        shown = group[-1][2]
    yield from _gap(len(old) + tail - shown)


def _lines(kind: LineKind, texts: list[str]) -> Iterator[Line]:
    for text in texts:
        yield Line(kind, text)


def _gap(count: int) -> Iterator[Line]:
    if count:
        yield Line(LineKind.GAP, "1 line" if count == 1 else f"{count} lines")


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items both have in common at their beginning."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
