"""Wording: two lines → the words that differ. Both sides come masked. Looks at a bounded number of words."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from taskspec.plan.diffing import Line, LineKind, matcher

MOST_WORDS: Final = 400
"""Lines of more words than this are shown one after the other: comparing them would take too long."""
MOST_PAIRS: Final = 50
"""So many pairs of lines of one text are compared word by word."""
_ALIKE: Final = 0.4
"""So much of two lines has to be the same, else nobody could read them as one."""
_WORD: Final = re.compile(r"\(sensitive: [^()]*\)|\{\{[^{}]*\}\}|\w+(?:\.\w+)*|\s+|[^\w\s]")
"""A placeholder of a secret is one word, and so are `vars.region`, `{{ vars.region }}` and `1.19`."""


class Word(NamedTuple):
    """A part of a line: `SAME`, `REMOVED` or `ADDED`."""

    kind: LineKind
    text: str


class Worded(NamedTuple):
    """A line of which some words differ."""

    words: tuple[Word, ...]


def worded(lines: tuple[Line, ...]) -> Iterator[Line | Worded]:
    """Yield the lines of a difference, and one row of words for each two lines of which one took the other's place."""
    left, index = MOST_PAIRS, 0
    while index < len(lines):
        removed = _run(lines, index, LineKind.REMOVED)
        added = _run(lines, index + len(removed), LineKind.ADDED)
        if not removed and not added:
            yield lines[index]
            index += 1
            continue
        index += len(removed) + len(added)
        pairs = [words(old.text, new.text) for old, new in zip(removed, added, strict=False)][:left]
        left -= len(pairs)
        yield from _paired(removed, added, pairs)


def words(before: str, after: str) -> tuple[Word, ...] | None:
    """Return what became of the words of a line; None where it is too long, or hardly a word is the same."""
    if max(len(before), len(after)) > MOST_WORDS * 20:
        return None
    old, new = _WORD.findall(before), _WORD.findall(after)
    if not old or not new or max(len(old), len(new)) > MOST_WORDS:
        return None
    opcodes = matcher(old, new).get_opcodes()
    same = sum(len("".join(old[i:j]).strip()) for tag, i, j, _, _ in opcodes if tag == "equal")
    if same < _ALIKE * max(len(before.strip()), len(after.strip())):
        return None
    found: list[Word] = []
    for tag, begin, end, new_begin, new_end in opcodes:
        if tag == "equal":
            found.append(Word(LineKind.SAME, "".join(old[begin:end])))
            continue
        if begin < end:
            found.append(Word(LineKind.REMOVED, "".join(old[begin:end])))
        if new_begin < new_end:
            found.append(Word(LineKind.ADDED, "".join(new[new_begin:new_end])))
    return tuple(found)


def _run(lines: tuple[Line, ...], begin: int, kind: LineKind) -> tuple[Line, ...]:
    end = begin
    while end < len(lines) and lines[end].kind is kind:
        end += 1
    return lines[begin:end]


def _paired(
    removed: tuple[Line, ...], added: tuple[Line, ...], pairs: list[tuple[Word, ...] | None]
) -> Iterator[Line | Worded]:
    """Yield lines in the order in which they are read: those without a partner as they are."""
    waiting: list[Line] = []
    for index, pair in enumerate(pairs):
        if pair is None:
            yield removed[index]
            waiting.append(added[index])
            continue
        yield from waiting
        waiting = []
        yield Worded(pair)
    yield from removed[len(pairs) :]
    yield from waiting
    yield from added[len(pairs) :]
