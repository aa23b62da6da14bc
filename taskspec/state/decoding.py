"""Rows of a table, each an address and the text of its record → records, many at a time. Reads no table."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sys import intern

from taskspec.address import Address
from taskspec.state.encoding import decode_record, decode_records
from taskspec.state.model import Record
from taskspec.state.trouble import damaged

_Rows = Sequence[tuple[str, str]]


def decoded(rows: _Rows, form: int, path: Path | str) -> list[tuple[Address, Record]]:
    """Return the records of some rows, by their addresses; raise StateError for one that is not readable."""
    try:
        records = decode_records([text for _, text in rows], form)
    except (ValueError, TypeError, RecursionError):
        return list(_decoded_singly(rows, form, path))
    found = [(Address(intern(address)), record) for (address, _), record in zip(rows, records, strict=True)]
    for address, record in found:
        _require_own(address, record, path)
    return found


def _decoded_singly(rows: _Rows, form: int, path: Path | str) -> Iterator[tuple[Address, Record]]:
    """Decode one record after the other, to name the one that is not readable."""
    for address, text in rows:
        try:
            record = decode_record(text, form)
        except (ValueError, TypeError, RecursionError) as error:
            raise damaged(path, f"the record of {address} is not readable ({error})") from error
        _require_own(address, record, path)
        yield Address(address), record


def _require_own(address: str, record: Record, path: Path | str) -> None:
    """Raise StateError for a record that stands under another address than its own: it would be paid for twice."""
    if record.address != address:
        raise damaged(path, f"the record of {address} is that of {record.address}")


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Keep the garbage collector from looking, again and again, through many new values that all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
