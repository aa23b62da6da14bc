"""What is wrong with a state, in words: of SQLite, of the system, of the content. Opens nothing."""

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from taskspec.errors import StateError

PATIENCE: Final = 10.0
"""Seconds to wait for another process that is just writing."""

RESTORE: Final = "Restore it from a backup, or move its folder away to begin with an empty state: tasks then run again."
RESTORE_ELSEWHERE: Final = (
    "Restore it from a backup; or begin with an empty state under another name or place: tasks then run again."
)
_DENIED: Final = (
    "Check who owns the file and its folder, their permissions, and whether the file system is mounted read-only."
)
_DAMAGED: Final = ("is damaged", RESTORE)
_OTHER: Final = ("could not be used", "Run the command again; if that does not help, restore the file from a backup.")
_TROUBLE: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_NOTADB: ("is not a state of taskspec, or it is damaged", RESTORE),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_ERROR: _DAMAGED,
    sqlite3.SQLITE_CONSTRAINT: _DAMAGED,
    sqlite3.SQLITE_FULL: (
        "could not be written, because the disk is full",
        "Free some space and run the command again: everything that was recorded before is kept.",
    ),
    sqlite3.SQLITE_BUSY: (
        f"has been in use by another process for {PATIENCE:.0f} seconds",
        "Wait until that process goes on or ends, and run the command again.",
    ),
    sqlite3.SQLITE_READONLY: ("cannot be written", _DENIED),
    sqlite3.SQLITE_PERM: ("cannot be opened", _DENIED),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _DENIED),
    sqlite3.SQLITE_IOERR: (
        "could not be read or written",
        "Check the disk (space, quota, health): everything that was recorded before is kept.",
    ),
}
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say of the state at a path into a StateError."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise  # a mistake of ours, not of the file
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        what, hint = _TROUBLE.get(code, _OTHER)
        raise StateError(f"The state file {path} {what} ({error}).", hint=hint) from error
    except UnicodeDecodeError as error:
        raise damaged(path, "what SQLite says of it quotes bytes that are no text") from error
    except OSError as error:
        _, full = _TROUBLE[sqlite3.SQLITE_FULL]
        _, denied = _TROUBLE[sqlite3.SQLITE_CANTOPEN]
        place = error.filename or path
        raise StateError(
            f"The state cannot be kept at {place}: {error.strerror}.", hint=full if error.errno in _FULL else denied
        ) from error


def damaged(place: Path | str, what: str) -> StateError:
    """Return the error for a state whose content is not what it should be, in a file or elsewhere."""
    if isinstance(place, Path):
        return StateError(f"The state file {place} is damaged: {what}.", hint=RESTORE)
    return StateError(f"The state at {place} is damaged: {what}.", hint=RESTORE_ELSEWHERE)
