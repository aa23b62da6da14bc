"""The table of a SQLite state that holds its history, chained: its form, its upgrade, its questions. Judges none."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from taskspec.address import Address
from taskspec.errors import StateError
from taskspec.state.chaining import linked, root
from taskspec.state.encoding import decode_note
from taskspec.state.model import HistoryEntry
from taskspec.state.trouble import damaged

SCHEMA: Final = 1
"""The number of the tables' form (`user_version`): 1 has the hash of each entry, and the head."""
TABLE: Final = """
CREATE TABLE history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, serial INTEGER NOT NULL, address TEXT NOT NULL, note TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX history_by_address ON history (address, id);
"""
APPEND: Final = "INSERT INTO history (serial, address, note, hash) VALUES (?, ?, ?, ?)"
NEWEST: Final = 2**63 - 1

_UNCHAINED: Final = "'' AS hash"
_BEFORE: Final = "SELECT id, serial, address, note, {} FROM history WHERE id < ? ORDER BY id DESC LIMIT ?"
_BEFORE_OF: Final = (
    "SELECT id, serial, address, note, {} FROM history WHERE id < ? AND address = ? ORDER BY id DESC LIMIT ?"
)

Row = tuple[int, int, str, str, str]
"""The id, the serial, the address, the note and the hash of an entry."""


def is_chained(connection: sqlite3.Connection) -> bool:
    """Tell whether the history of a state has its hashes: an older taskspec wrote none."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version)


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StateError for tables of a form that only a newer taskspec knows, or whose history has lost its head."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        raise StateError(
            f"The state file {path} was made by a newer taskspec (its tables are of form {version}; this one knows up "
            f"to {SCHEMA}).",
            hint="Upgrade taskspec.",
        )
    if version:
        (found,) = connection.execute("SELECT head FROM meta").fetchone()
        if not found or not isinstance(found, str):
            raise damaged(path, "its head is none")


def head(connection: sqlite3.Connection) -> str:
    """Return the hash of the newest entry, or what the first one will follow from; empty where nothing is chained."""
    if not is_chained(connection):
        return ""
    (found,) = connection.execute("SELECT head FROM meta").fetchone()
    return str(found)


def page(connection: sqlite3.Connection, address: Address | None, before: int, size: int) -> list[Row]:
    """Return entries, newest first: those of an address, or all, from before the one of an id on."""
    column = "hash" if is_chained(connection) else _UNCHAINED
    if address is None:
        return connection.execute(_BEFORE.format(column), (before, size)).fetchall()
    return connection.execute(_BEFORE_OF.format(column), (before, address, size)).fetchall()


def entry_of(row: Row, path: Path | str) -> HistoryEntry:
    """Return the entry that a row holds; raise StateError for one that is not readable, or is found under another name.

    The address stands in the note, which is hashed, and beside it, where it is looked for.
    """
    number, serial, address, text, digest = row
    try:
        note = decode_note(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(path, f"entry {number} of its history is not readable ({error})") from error
    if note.address != address:
        raise damaged(path, f"entry {number} of its history tells of `{note.address}`, and stands under `{address}`")
    return HistoryEntry(serial=serial, note=note, hash=digest)


def chain(connection: sqlite3.Connection, path: Path) -> None:
    """Give each entry that an older taskspec wrote its hash, within the writer's transaction."""
    if is_chained(connection):
        return
    (lineage,) = connection.execute("SELECT lineage FROM meta").fetchone()
    newest = root(lineage)
    connection.execute("DROP INDEX history_by_address")
    connection.execute("ALTER TABLE history RENAME TO unchained")
    for statement in TABLE.split(";")[:-1]:
        connection.execute(statement)
    for row in _linked(connection, path, newest):
        connection.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?)", row)
        newest = row[-1]
    connection.execute("DROP TABLE unchained")
    connection.execute("ALTER TABLE meta ADD COLUMN head TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE meta SET head = ?", (newest,))
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _linked(
    connection: sqlite3.Connection, path: Path | str, previous: str
) -> Iterator[tuple[int, int, str, str, str]]:
    rows = connection.execute("SELECT id, serial, address, note FROM unchained ORDER BY id")
    for number, serial, address, text in rows:
        try:
            previous = linked(previous, serial, decode_note(text))
        except (ValueError, TypeError, RecursionError) as error:
            raise damaged(path, f"entry {number} of its history is not readable ({error})") from error
        yield number, serial, address, text, previous
