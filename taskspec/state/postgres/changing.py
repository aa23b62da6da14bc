"""Changes of a state → the rows that they leave behind, in pieces of a bounded size. Sends nothing.

One statement may not touch a row twice: so the last change of an address, or of a result, counts, and the others are
left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from taskspec.state.chaining import linked
from taskspec.state.document import StateDocument
from taskspec.state.encoding import encode_note, encode_record
from taskspec.state.model import DropRecord, DropResult, Note, PutRecord, PutResult, ResultRef, StateChange
from taskspec.state.results import checked

MOST: Final = 1000
"""How many rows a statement writes at most."""
LARGEST: Final = 8_000_000
"""After how many bytes a statement takes no further row: the protocol ends at a gigabyte."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An entry of the history, as a row."""

    serial: int
    address: str
    note: str = field(repr=False)
    hash: str


@dataclass(kw_only=True, slots=True)
class Piece:
    """Rows that one statement writes, and their size in bytes."""

    dropped: list[str] = field(default_factory=list)
    records: dict[str, str] = field(default_factory=dict)
    results: dict[str, bytes] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def values(self) -> dict[str, Any]:
        """Return the rows as the values of a statement: a list for each column."""
        return {
            "dropped": self.dropped,
            "addresses": list(self.records),
            "records": list(self.records.values()),
            "digests": list(self.results),
            "sizes": [len(content) for content in self.results.values()],
            "contents": list(self.results.values()),
            "removed": self.removed,
            "serials": [entry.serial for entry in self.told],
            "about": [entry.address for entry in self.told],
            "notes": [entry.note for entry in self.told],
            "hashes": [entry.hash for entry in self.told],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """All rows that a commit leaves behind. `head` is the hash of the newest entry of the history then."""

    pieces: Sequence[Piece] = field(repr=False)
    head: str
    entries: int
    """How many entries of the history are new."""
    last: Told | None
    """The newest of them."""


def written(changes: Sequence[StateChange], serial: int, head: str) -> Writing:
    """Return what changes come to at a serial, after the entry that has the hash `head`.

    Raises ValueError and TypeError for what cannot be kept.
    """
    records: dict[str, str | None] = {}
    results: dict[str, bytes | None] = {}
    told: list[Told] = []
    for change in changes:
        match change:
            case PutRecord(record=record):
                records[_kept(record.address)] = encode_record(record)
            case DropRecord(address=address):
                records[_kept(address)] = None
            case PutResult(ref=ref):
                results[ref.digest] = checked(change)
            case DropResult(digest=digest):
                results[digest] = None
            case Note(address=address):
                head = linked(head, serial, change)
                told.append(Told(serial=serial, address=_kept(address), note=encode_note(change), hash=head))
            case _:
                assert_never(change)
    return _in_pieces(records, results, told, head)


def written_whole(document: StateDocument) -> Writing:
    """Return what a whole state comes to, in the place of another."""
    contents = [PutResult(ref=ResultRef.of(one, None), content=one) for one in (document.results or {}).values()]
    results: dict[str, bytes | None] = {one.ref.digest: checked(one) for one in contents}
    records: dict[str, str | None] = {
        _kept(address): encode_record(record) for address, record in document.records.items()
    }
    told = [
        Told(serial=one.serial, address=_kept(one.note.address), note=encode_note(one.note), hash=one.hash)
        for one in reversed(document.history)
    ]
    return _in_pieces(records, results, told, document.head)


def _in_pieces(
    records: dict[str, str | None], results: dict[str, bytes | None], told: list[Told], head: str
) -> Writing:
    pieces = [Piece()]
    for address, record in records.items():
        piece = _room(pieces, len(address) + len(record or ""))
        if record is None:
            piece.dropped.append(address)
        else:
            piece.records[address] = record
    for digest, content in results.items():
        if content is None:
            _room(pieces, len(digest)).removed.append(digest)
        else:
            _room(pieces, len(content)).results[digest] = content
    for entry in told:
        _room(pieces, len(entry.note)).told.append(entry)
    return Writing(pieces=pieces, head=head, entries=len(told), last=told[-1] if told else None)


def _room(pieces: list[Piece], size: int) -> Piece:
    """Return the last piece, or a new one, with room for one more row."""
    if pieces[-1].rows == MOST or (pieces[-1].rows and pieces[-1].size + size > LARGEST):
        pieces.append(Piece())
    pieces[-1].rows += 1
    pieces[-1].size += size
    return pieces[-1]


def _kept(address: str) -> str:
    """Return an address that a column of text can hold; raise ValueError for another one."""
    address.encode()
    if "\0" in address:
        raise ValueError(f"the address {address!r} holds a NUL")
    return address
