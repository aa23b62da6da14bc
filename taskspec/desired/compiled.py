"""The store of compiled templates: bytes by key in the user's own cache folder. Decides nothing by them.

What it holds is code, so it lives in a folder that only its user can write, never in a project or in the working
folder of a version control system, and every entry is checked against its digest before it is handed out. It may be
lost at any time: whatever goes wrong means no cache.
"""

import hashlib
import sqlite3
from pathlib import Path
from typing import Final

from taskspec import caching

_DIGEST = 16
_MAX_ENTRIES: Final = 50_000
_MAX_VERSIONS: Final = 10


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
        own = caching.own_folder(folder, "templates")
        if own is None:
            return None
        path = own / f"{version}.db"
        if not path.exists():
            caching.thin_out(own, _MAX_VERSIONS)
        path.touch(mode=0o600)
        if not caching.is_only_ours(path.lstat()):
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
