"""Noticing: whether what a project was read from is still what was read, by looking at it. Understands none of it.

A look asks for the times and sizes of files, and reads only where these are new: a file that was written again with the
same content has not changed. It works on every file system, also where nobody would tell of changes.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskspec import caching
from taskspec.diagnostics import Diagnostic
from taskspec.documents.loading import list_files
from taskspec.documents.reading import list_folders, read
from taskspec.documents.remembering import Memory
from taskspec.errors import UsageError
from taskspec.runner.preparing import Prepared

_LAG: Final = 2 * 10**9
"""So many nanoseconds the times of a file system may lag: what is no older may have changed since it was read."""

Stamp = tuple[int, ...] | None
"""The times, size and number of a file; None where there is none."""
Changes = Mapping[str, Stamp]
"""What is not as it was read: path → stamp."""


@dataclass(slots=True)
class _Seen:
    """A file with its stamp, and the digest of what was read; without one, every new stamp is a change."""

    stamp: Stamp
    digest: str | bytes | None = None
    digested: Callable[[str], str | bytes | None] | None = None
    sure: bool = True
    """What was read is what the file holds at its stamp."""


class Sight:
    """The files that one round was made of, and the folders in which others may appear."""

    def __init__(self, target: Path, begun: int, given: Iterable[Path] = ()) -> None:
        """Look at the files that are given with the command before they are read.

        `begun` is the time in nanoseconds since the epoch.
        """
        self._target = target
        self._begun = begun
        self._files = {os.path.realpath(path): _Seen(_stamp(os.path.realpath(path))) for path in given}
        self._folders: dict[str, Stamp] = {}
        self._listing: frozenset[str] = frozenset()

    def see(self, memory: Memory, prepared: Prepared | None) -> None:
        """Look at what was read, after it was read; without what it has become, at the documents alone."""
        self._note(memory.read_files, _digest)
        if prepared is not None:
            desired = prepared.desired
            folder, known = os.path.realpath(desired.project.folder), desired.files or {}
            self._note({f"{folder}/{path}": known.get(path) for path in desired.sought}, _sha256)
            results = f"{folder}/{desired.project.results_path}"
            self._folders = {
                path: _stamp(path) for path in list_folders(Path(folder)) if not f"{path}/".startswith(f"{results}/")
            }
        self._listing = frozenset(memory.read_files) if self._target.is_dir() else _listed(self._target)

    def changes(self) -> Changes:
        """Return what is not as it was read."""
        found = {}
        for path, seen in self._files.items():
            stamp = _stamp(path)
            if (stamp != seen.stamp or not seen.sure) and not _is_same(path, stamp, seen):
                found[path] = stamp
        return found | self._appeared()

    def _note(self, files: Mapping[str, str | bytes | None], digested: Callable[[str], str | bytes | None]) -> None:
        for path, digest in files.items():
            stamp = _stamp(path)
            sure = digest is None or stamp is None or max(stamp[:2]) < self._begun - _LAG
            self._files[path] = _Seen(stamp, digest, digested, sure)

    def _appeared(self) -> dict[str, Stamp]:
        """Return the manifests that have come or gone; the folders tell that there may be some."""
        stamps = {path: _stamp(path) for path in self._folders}
        if stamps == self._folders:
            return {}
        listing = _listed(self._target)
        if listing == self._listing:
            self._folders = stamps
        return {path: _stamp(path) for path in listing ^ self._listing}


def _is_same(path: str, stamp: Stamp, seen: _Seen) -> bool:
    """Tell whether a file that has a new stamp holds what was read."""
    if seen.digest is None or seen.digested is None or seen.digested(path) != seen.digest:
        return False
    seen.stamp, seen.sure = stamp, True
    return True


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116  # ten thousand of them at each look
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _listed(target: Path) -> frozenset[str]:
    try:
        return list_files(target)
    except UsageError:
        return frozenset()


def _digest(path: str) -> bytes | None:
    content = read(path)
    return None if isinstance(content, Diagnostic) else caching.digest(content)


def _sha256(path: str) -> str | None:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None
