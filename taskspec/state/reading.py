"""Every record of a state file at one serial, with few of their texts in memory at a time. Writes nothing.

A reader must not keep a writer waiting, and texts take longer to understand than to read: so they are read page by
page, each in a transaction of its own. That is one snapshot if nobody has written meanwhile; else all are read at once.
"""

import hashlib
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Final

from taskspec.address import Address
from taskspec.state.database import transaction
from taskspec.state.decoding import collecting_nothing, decoded
from taskspec.state.entries import head
from taskspec.state.model import Record, Snapshot

PAGE: Final = 1000
"""How many records are read, and decoded, at a time."""

_ALL: Final = "SELECT address, record FROM records ORDER BY address"
_ONE: Final = "SELECT address, record FROM records WHERE address = ?"
_NEXT: Final = "SELECT address, record FROM records WHERE address > ? ORDER BY address LIMIT ?"


def read_snapshot(connection: sqlite3.Connection, path: Path | str) -> Snapshot:
    """Return every record, in the order of their addresses; raise StateError for one that is not readable."""
    with collecting_nothing():
        return _read_in_pages(connection, path) or _read_at_once(connection, path)


def read_some(connection: sqlite3.Connection, path: Path | str, addresses: Collection[Address]) -> Snapshot:
    """Return the records of some addresses, as far as there are such, without reading the others."""
    with transaction(connection, "DEFERRED"):
        lineage, serial, form = _meta(connection)
        newest = head(connection)
        found = (connection.execute(_ONE, (address,)).fetchone() for address in sorted(addresses))
        rows = [row for row in found if row is not None]
    return Snapshot(lineage=lineage, serial=serial, records=dict(decoded(rows, form, path)), head=newest)


def digest_of_all(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return the serial, and the digest of everything that is recorded at it."""
    with transaction(connection, "DEFERRED"):
        lineage, serial, form = _meta(connection)
        digest = hashlib.blake2b(f"{form}\0{lineage}\0{serial}".encode())
        for address, text in connection.execute(_ALL):
            digest.update(f"\0{len(address)}\0{address}{text}".encode("utf-8", "surrogatepass"))
    return serial, digest.hexdigest()


def _read_in_pages(connection: sqlite3.Connection, path: Path | str) -> Snapshot | None:
    """Return what was read page by page; None where somebody has written between two of them."""
    records: dict[Address, Record] = {}
    version, last = None, ""
    while True:
        with transaction(connection, "DEFERRED"):
            lineage, serial, form = _meta(connection)
            newest = head(connection)
            (found,) = connection.execute("PRAGMA data_version").fetchone()
            rows = connection.execute(_NEXT, (last, PAGE)).fetchall()
        if version not in {None, found}:
            return None
        records.update(decoded(rows, form, path))
        if len(rows) < PAGE:
            return Snapshot(lineage=lineage, serial=serial, records=records, head=newest)
        version, last = found, rows[-1][0]


def _read_at_once(connection: sqlite3.Connection, path: Path | str) -> Snapshot:
    with transaction(connection, "DEFERRED"):
        lineage, serial, form = _meta(connection)
        newest = head(connection)
        rows = connection.execute(_ALL).fetchall()
    pages = (rows[start : start + PAGE] for start in range(0, len(rows), PAGE))
    records = {address: record for page in pages for address, record in decoded(page, form, path)}
    return Snapshot(lineage=lineage, serial=serial, records=records, head=newest)


def _meta(connection: sqlite3.Connection) -> tuple[str, int, int]:
    lineage, serial, form = connection.execute("SELECT lineage, serial, format FROM meta").fetchone()
    return lineage, serial, form
