"""Digging: the changes of one file, as git lists them → which of them took a line out. Asks nobody.

A line that is gone is named by itself, by a key that stood in one (`name: sweep`, `llm:`), by an entry of a list or
another word (`- q2`), or by a row of a table (`fr,…`): never by a part of a word. Of several lines each is meant.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from taskspec.desired.rows import ANY

_KEY: Final = re.compile(r"([\w./-]+):(?: (\S.*))?")
_ENTRY: Final = re.compile(r"- (\S+)")
_COMMIT: Final = "\0"


@dataclass(kw_only=True, slots=True)
class Dug:
    """What one commit, or the working tree, did to a file: the lines that it took out, and those that it put in."""

    about: str = ""
    """What was asked of git about the commit."""
    out: list[str] = field(default_factory=list)
    put: list[str] = field(default_factory=list)

    def took(self, removed: str) -> bool:
        """Tell whether it took a line out, or moved it elsewhere."""
        return any(self._took(one) for one in removed.split("\n"))

    def gave(self, removed: str) -> bool:
        """Tell whether it put such a line in."""
        return any(_count(self.put, one) > _count(self.out, one) for one in removed.split("\n"))

    def _took(self, removed: str) -> bool:
        out = [line for line in self.out if holds(line, removed)]
        if not out:
            return False
        put = [line for line in self.put if holds(line, removed)]
        return len(out) > len(put) or not set(out).isdisjoint(put)


def taker(changes: Iterable[Dug], removed: str) -> tuple[Dug | None, bool]:
    """Return the change, of the newest first, that took a line out, and whether older ones can tell nothing else.

    Where two did and nothing put it in between, such a line stood in two places, and nobody knows which is meant: none
    is returned. A row has a name of its own, so that it stands in one.
    """
    found: Dug | None = None
    for change in changes:
        if change.took(removed):
            if found is not None or ANY in removed:
                return (change, True) if found is None else (None, True)
            found = change
        elif found is not None and change.gave(removed):
            return found, True
    return found, False


def dug(told: str) -> Iterator[Dug]:
    """Yield the changes in what git tells of a file: `log --patch`, each commit behind a NUL, or `diff`."""
    found, is_hunk = Dug(), False
    for line in told.split("\n"):
        if line.startswith(_COMMIT):
            if found.out or found.put:
                yield found
            found, is_hunk = Dug(about=line.removeprefix(_COMMIT)), False
        elif line.startswith("diff "):
            is_hunk = False
        elif line.startswith("@@"):
            is_hunk = True
        elif is_hunk and line[:1] in {"-", "+"}:
            (found.out if line[0] == "-" else found.put).append(line[1:].strip())
    if found.out or found.put:
        yield found


def holds(line: str, removed: str) -> bool:
    """Tell whether a line of a file is the one that is meant."""
    if line == removed:
        return True
    if ANY in removed:
        return _is_row(line, _cells(removed))
    sought = _sought(removed)
    return sought is not None and sought.search(line) is not None


def _count(lines: Iterable[str], removed: str) -> int:
    return sum(holds(line, removed) for line in lines)


def _is_row(line: str, wanted: tuple[str, ...]) -> bool:
    known = [(index, cell) for index, cell in enumerate(wanted) if cell != ANY]
    cells = _cells(line) if known and all(cell in line for _, cell in known) else ()
    return bool(cells) and all(index < len(cells) and cells[index] == cell for index, cell in known)


@lru_cache(maxsize=256)
def _cells(line: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line]), ()))
    except csv.Error:
        return ()


@lru_cache(maxsize=256)
def _sought(removed: str) -> re.Pattern[str] | None:
    """Return what finds a word, or a key, with its value where that is named too, in YAML or JSON; None for a text."""
    entry = _ENTRY.fullmatch(removed)
    if entry is not None:
        return re.compile(rf"(?<![\w.-]){re.escape(entry[1])}(?![\w-]|\.\w)")
    found = _KEY.fullmatch(removed)
    if found is None:
        return None
    key, value = found.groups()
    whole = rf"(?<![\w./-])[\"']?{re.escape(key)}[\"']?\s*:"
    if value is None:
        return re.compile(rf"{whole}(?:\s|$)")
    return re.compile(rf"{whole}\s*(?:&\S+\s+)?[\"']?{re.escape(value)}[\"']?(?=\s*(?:[,\]}}]|\s#|$))")
