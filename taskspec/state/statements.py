"""Changes of the state as SQL, one statement each. Executes none, but makes large results durable as files."""

from collections.abc import Iterator
from typing import Any, assert_never

from taskspec.state.document import StateDocument
from taskspec.state.encoding import encode_note, encode_record
from taskspec.state.entries import APPEND
from taskspec.state.model import DropRecord, DropResult, Note, PutRecord, PutResult, ResultRef, StateChange
from taskspec.state.results import Blobs

Statement = tuple[str, tuple[Any, ...]]


def statement(change: StateChange, serial: int, blobs: Blobs) -> Statement:
    """Return what makes a change durable at a serial; that of a note still lacks its hash, the last of its values."""
    match change:
        case PutRecord(record=record):
            put = "INSERT INTO records VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET record = excluded.record"
            return put, (record.address, encode_record(record))
        case DropRecord(address=address):
            return "DELETE FROM records WHERE address = ?", (address,)
        case PutResult(ref=ref):
            return "INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (
                ref.digest,
                ref.size,
                blobs.keep(change),
            )
        case DropResult(digest=digest):
            return "DELETE FROM results WHERE digest = ?", (digest,)
        case Note():
            return APPEND, (serial, change.address, encode_note(change))
        case _:
            assert_never(change)


def clearing(document: StateDocument) -> Iterator[Statement]:
    """Yield what empties a state for the document that takes its place; what has no results leaves those there are."""
    yield "DELETE FROM records", ()
    yield "DELETE FROM history", ()
    if document.results is not None:
        yield "DELETE FROM results", ()


def put_all(document: StateDocument) -> list[StateChange]:
    """Return the changes that fill a state with the records and results of a document."""
    results = (document.results or {}).values()
    kept = [PutResult(ref=ResultRef.of(content, None), content=content) for content in results]
    return [*kept, *(PutRecord(record=record) for record in document.records.values())]


def chained(document: StateDocument) -> Iterator[Statement]:
    """Yield what gives a state the history of a document, oldest first, and the lineage that this follows from."""
    for entry in reversed(document.history):
        yield APPEND, (entry.serial, entry.note.address, encode_note(entry.note), entry.hash)
    yield "UPDATE meta SET lineage = ?, head = ?", (document.lineage, document.head)
