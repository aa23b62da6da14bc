"""A file's content is replaced, whole or not at all. Knows nothing of what it holds."""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.locating import shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Glimpse:
    """How a file looked when it was read: another glimpse that is equal means that nobody wrote it since."""

    inode: int
    size: int
    changed: int


def glimpse(path: Path) -> Glimpse | None:
    """Return how a file looks now; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Glimpse(inode=found.st_ino, size=found.st_size, changed=found.st_mtime_ns)


def replace_content(path: Path, content: bytes, before: Glimpse | None) -> Diagnostic | None:
    """Write a file anew, with its owner, mode and attributes; return why it was left as it is, if it was."""
    try:
        mode = path.stat().st_mode
        if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
            return _unwritten(path, "it is read-only")
        return _put(path, content, before)
    except OSError as trouble:
        return _unwritten(path, trouble.strerror or "unknown trouble")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; raises OSError."""
    with _drafted(path, content) as draft:
        draft.replace(path)


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write a text file that others may read as the umask says, whole or not at all; raises OSError.

    What is no regular file (a terminal, a pipe) is written to as it is, and a link is followed.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(pieces)
        return
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.new")
    try:
        with draft.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _put(path: Path, content: bytes, before: Glimpse | None) -> Diagnostic | None:
    with _drafted(path, content) as draft:
        _take_after(path, draft)
        if before is None or glimpse(path) != before:
            return _unwritten(path, "it was changed meanwhile")
        draft.replace(path)
    return None


@contextmanager
def _drafted(path: Path, content: bytes) -> Iterator[Path]:
    """Give a file beside another one, durably with a content of its own; what was not put in its place is removed."""
    opened, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    draft = Path(name)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _take_after(path: Path, draft: Path) -> None:
    original, own = path.stat(), draft.stat()
    if (original.st_uid, original.st_gid) != (own.st_uid, own.st_gid):
        os.chown(draft, original.st_uid, original.st_gid)
    shutil.copystat(path, draft)
    os.utime(draft)


def _unwritten(path: Path, why: str) -> Diagnostic:
    return Diagnostic(
        summary="Cannot be written",
        detail=f"`{shown(path)}` cannot be written: {why}.",
        hint="Make it writable, and format again; it is as it was.",
        position=Position(file=shown(path)),
    )
