"""Folders and files that only their owner may read and that outlive a power cut. Knows nothing of what they hold."""

import fcntl
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder (0700) and its parents, durably."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def write_file(path: Path, content: bytes) -> None:
    """Put a whole file (0600) in place, or nothing; it is durable when this returns."""
    write_pieces(path, (content,))


def write_pieces(path: Path, content: Iterable[bytes]) -> None:
    """Put a whole file (0600) in place, as its pieces come, or nothing; it is durable when this returns.

    A writer that is killed leaves `.<name>.<pid>.new` behind; one that fails, nothing.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            file.writelines(content)
            file.flush()
            _sync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(opened)
    finally:
        os.close(opened)


def _sync(opened: int) -> None:
    os.fsync(opened)
    if sys.platform == "darwin":  # where fsync stops at the drive's own cache
        with suppress(OSError):  # some file systems do not know it; fsync has succeeded
            fcntl.fcntl(opened, fcntl.F_FULLFSYNC)
