"""The history as a chain: each entry has a hash over the one before it and over itself. Keeps nothing, reads no store.

Every store chains in the same way. An entry is hashed as the one text of JSON that its values have, whatever text a
store keeps of it. Who holds a head, the hash of the newest entry, can tell whether anything before it was changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from taskspec.state.model import HistoryEntry, Note

_JSON: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"), sort_keys=True)
_LARGEST: Final = 2.0**53
"""Below it, every whole number is the same number to every reader of JSON, with a point or without."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """The first entry that does not follow from those before it. `position` counts from the oldest, which is 1."""

    position: int
    entry: HistoryEntry
    inserted: bool = False
    """Those around it follow from each other without it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """What was found of a history: how many entries it has, what is wrong first, and which heads were found in it."""

    length: int
    broken: Break | None
    head: str
    """The hash of its newest entry."""
    found: frozenset[str]
    """Those of the heads that were looked for that some entry has, or that the lineage begins with."""


def root(lineage: str) -> str:
    """Return what the first entry of a lineage follows from, and the head of a history without entries."""
    return hashlib.sha256(f"taskspec history 1\n{lineage}".encode()).hexdigest()


def linked(previous: str, serial: int, note: Note) -> str:
    """Return the hash of an entry after the one whose hash is given; raise ValueError for what is no JSON."""
    text = _JSON.encode({"address": note.address, "at": _plain(note.at), "data": _plain(note.data), "what": note.what})
    return hashlib.sha256(f"{previous}\n{serial}\n{text}".encode()).hexdigest()


def follow(entries: Iterable[HistoryEntry], lineage: str, heads: frozenset[str] = frozenset()) -> Chain:
    """Follow a history, given newest first, back to its beginning; `heads` are looked for in it.

    Holds two entries at a time, however long the history is.
    """
    beginning = root(lineage)
    walk = _Walk()
    head, found = None, {beginning} & heads
    for entry in entries:
        head = entry.hash if head is None else head
        if entry.hash in heads:
            found.add(entry.hash)
        walk.step(entry.hash)
        walk.take(entry)
    walk.step(beginning)
    return Chain(length=walk.length, broken=walk.counted, head=head or beginning, found=frozenset(found))


class _Walk:
    """A walk from the newest entry to the oldest, which knows the first break among those that it has passed."""

    def __init__(self) -> None:
        self.length = 0
        self._last: HistoryEntry | None = None
        self._unfit: HistoryEntry | None = None  # the entry after the last one, where it does not follow from that
        self._broken: Break | None = None  # its position counts from the newest

    def take(self, entry: HistoryEntry) -> None:
        """Come to an entry."""
        self._last = entry
        self.length += 1

    def step(self, previous: str) -> None:
        """Judge the last entry by the hash of the one before it."""
        last = self._last
        if last is None:
            return
        unfit = not _follows(last, previous)
        inserted = self._unfit is not None and _follows(self._unfit, previous)
        if unfit or inserted:
            self._broken = Break(position=self.length, entry=last, inserted=inserted)
        self._unfit = last if unfit else None

    @property
    def counted(self) -> Break | None:
        """Return the first break, with its position counted from the oldest entry."""
        found = self._broken
        return None if found is None else replace(found, position=self.length + 1 - found.position)


def _follows(entry: HistoryEntry, previous: str) -> bool:
    return linked(previous, entry.serial, entry.note) == entry.hash


def _plain(value: Any) -> Any:
    """Return a value with whole numbers written as such: some writers of JSON drop the `.0`, and some do not."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LARGEST else value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
