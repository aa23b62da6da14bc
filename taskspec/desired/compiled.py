"""The store of compiled templates: bytes by key in the user's own cache folder. Decides nothing by them.

What it holds is code, so it lives in a folder that only its user can write, never in a project or in the working
folder of a version control system, and every entry is checked against its digest before it is handed out. It may be
lost at any time: whatever goes wrong means no cache.
"""

import hashlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

_DIGEST = 16
_CHECKOUTS: Final = (".git", ".hg", ".jj", ".svn", "taskspec.yaml", "taskspec.yml")
_MAX_ENTRIES: Final = 50_000


class CompiledTemplates:
    """Compiled templates by key. Entries that are put become durable together, by `flush`."""

    def __init__(self, folder: Path, version: str) -> None:
        self._fresh: dict[str, bytes] = {}
        self._connection = _opened(folder, version)

    def get(self, key: str) -> bytes | None:
        """Return what was put under a key, if it is still what was put."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT content FROM compiled WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            self.close()
            return None
        if row is None or not isinstance(row[0], bytes):
            return None
        content = row[0]
        return content[_DIGEST:] if content[:_DIGEST] == _digest(key, content[_DIGEST:]) else None

    def put(self, key: str, content: bytes) -> None:
        """Keep a content until `flush` writes it."""
        if self._connection is not None:
            self._fresh[key] = _digest(key, content) + content

    def flush(self) -> None:
        """Write everything that was put, in one transaction, and let go of the file."""
        if self._connection is not None and self._fresh:
            try:
                with self._connection as transaction:
                    transaction.executemany("INSERT OR REPLACE INTO compiled VALUES (?, ?)", self._fresh.items())
                    transaction.execute(
                        "DELETE FROM compiled WHERE rowid <= (SELECT max(rowid) FROM compiled) - ?", (_MAX_ENTRIES,)
                    )
            except sqlite3.Error:
                pass
        self.close()

    def close(self) -> None:
        """Let go of the file; from now on there is no cache."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._fresh.clear()


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST, key=key.encode()[:64]).digest()


def _opened(folder: Path, version: str) -> sqlite3.Connection | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "templates" / f"{version}.db"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        if not (_kept_by_us(folder) and _only_ours(path.parent) and _only_ours(path)):
            return None
        connection = sqlite3.connect(path, timeout=0)
    except (OSError, sqlite3.Error):
        return None
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS compiled (key TEXT PRIMARY KEY, content BLOB NOT NULL)")
    except sqlite3.Error:
        connection.close()
        return None
    return connection


def _kept_by_us(folder: Path) -> bool:
    """Tell whether nobody else can put another folder or file in the place of ours."""
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        return False
    above = [folder.resolve(), *folder.resolve().parents]
    return not any(map(_open_to_others, above[1:])) and not any(map(_is_checkout, above))


def _is_checkout(folder: Path) -> bool:
    """Tell whether a folder holds what somebody has committed: what lies in it may come from them."""
    return any(os.path.lexists(folder / name) for name in _CHECKOUTS)


def _open_to_others(folder: Path) -> bool:
    found = folder.stat()
    anybody = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    return bool(anybody) or found.st_uid not in {0, os.getuid()}


def _only_ours(path: Path) -> bool:
    found = path.lstat()
    return found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and not found.st_mode & 0o077
