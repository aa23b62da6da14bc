"""Changes of the state as SQL, one statement each. Executes none, but makes large results durable as files."""

from typing import Any, assert_never

from taskspec.state.encoding import encode_note, encode_record
from taskspec.state.model import DropRecord, Note, PutRecord, PutResult, StateChange
from taskspec.state.results import Blobs

Statement = tuple[str, tuple[Any, ...]]


def statement(change: StateChange, serial: int, blobs: Blobs) -> Statement:
    """Return what makes a change durable at a serial."""
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
        case Note():
            append = "INSERT INTO history (serial, address, note) VALUES (?, ?, ?)"
            return append, (serial, change.address, encode_note(change))
        case _:
            assert_never(change)
