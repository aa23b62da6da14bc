"""The integrity of a state's file, as SQLite finds it. Repairs nothing, and judges no record."""

import sqlite3
from pathlib import Path
from typing import Final

from taskspec.state.database import Database
from taskspec.state.trouble import in_words

_SHOWN: Final = 3


def state_file(data_folder: str, environment: str) -> Path:
    """Return where the state of an environment is kept."""
    return Path(data_folder) / environment / "state.db"


def sqlite_version() -> str:
    """Return the version of SQLite that Python is linked with."""
    return sqlite3.sqlite_version


def faults(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a state, the first few things; raise StateError where it cannot be opened."""
    database = Database(path, read_only=True)
    try:
        with in_words(path):
            connection = database.opened()
            if connection is None:
                return []
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_SHOWN})")]
            return [] if found == ["ok"] else found
    finally:
        database.close()
