"""What the manifests of a project gave when they were read before, by their content. Judges nothing itself.

Only what was right is kept: a file with a finding is read, and found fault with, each time. A memory also knows what
was read in its time, file by file, so that others can tell on what exactly an outcome rests.
"""

import io
import marshal
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from taskspec import caching
from taskspec.diagnostics import Diagnostic
from taskspec.documents.reading import read

Values = Sequence[Mapping[str, Any]]
_Kept = bytes | memoryview

MOST_PROJECTS: Final = 64
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one project."""
MOST_AHEAD: Final = 128 * 1024 * 1024
"""Bytes of files that are held to be read later; what is beyond them is read again."""
_KIND: Final = "manifests"
_SPARE: Final = 1000


class Memory:
    """The memory of one project; without a cache folder it knows of what was read in its own time alone."""

    def __init__(self, cache_folder: Path | None = None, project: Path | None = None) -> None:
        self.read_files: dict[str, bytes | None] = {}
        """The digest of each file that was read, by path; None for what could not be read."""
        self._ahead: dict[str, bytes] = {}
        self._room = MOST_AHEAD
        self._used: dict[bytes, _Kept] = {}
        self._fresh = False
        self._known: dict[bytes, _Kept] | None = None
        self._file: Path | None = None
        if cache_folder is not None and project is not None:
            folder = caching.own_folder(cache_folder, _KIND)
            name = caching.digest(os.path.realpath(project).encode("utf-8", "surrogateescape")).hex()
            self._file = folder / name if folder is not None else None
            caching.edition()  # now: a program that is changed while it works must not pass for the new one

    def look_ahead(self, path: str) -> bytes | None:
        """Return the digest of a file, whose bytes are held to be read later; None where it cannot be read."""
        content = read(path)
        if isinstance(content, Diagnostic):
            return None
        self._room -= len(content)
        if self._room > 0:
            self._ahead[path] = content
        return caching.digest(content)

    def read(self, path: str) -> tuple[bytes, bytes] | Diagnostic:
        """Return a file's bytes and their digest."""
        content = self._ahead.pop(path, None) or read(path)
        if isinstance(content, Diagnostic):
            self.read_files[path] = None
            return content
        digest = self.read_files[path] = caching.digest(content)
        return content, digest

    def read_again(self, path: str, digest: bytes) -> bytes:
        """Return the bytes of a file that was read before; nothing where it is not the same any more."""
        content = read(path)
        return b"" if isinstance(content, Diagnostic) or caching.digest(content) != digest else content

    def recall(self, digest: bytes) -> Values | None:
        """Return the values of the documents of a content that was right; None where that is not known."""
        if self._file is None:
            return None
        if self._known is None:
            self._known = self._loaded(self._file)
        kept = self._known.get(digest)
        if kept is None:
            return None
        self._used[digest] = kept
        values: Values = marshal.loads(kept)  # noqa: S302 - nobody else can have written it
        return values

    def keep(self, digest: bytes, values: Values) -> None:
        """Keep the values of a content whose documents are right, each by itself."""
        if self._file is not None:
            self._used[digest] = marshal.dumps(list(values))
            self._fresh = True

    def close(self) -> None:
        """Write what is new, and forget all of it; of what is known and was not used, as much stays as was used."""
        if self._file is not None and self._fresh:
            self._write(self._file)
        self._known, self._used, self._ahead = None, {}, {}

    def _write(self, file: Path) -> None:
        known = self._known or {}
        spare = [digest for digest in reversed(known) if digest not in self._used][: len(self._used) + _SPARE]
        kept = {digest: known[digest] for digest in reversed(spare)} | self._used
        index = marshal.dumps((caching.edition(), {digest: len(values) for digest, values in kept.items()}))
        content = b"".join((index, *kept.values()))
        if len(content) <= MOST_BYTES:
            caching.save(file, content)
            caching.thin_out(file.parent, MOST_PROJECTS)
        self._fresh = False

    def _loaded(self, file: Path) -> dict[bytes, "_Kept"]:
        """Return what was kept, each as a part of what the file holds: nothing is copied."""
        content = caching.load(file)
        if content is None:
            return {}
        reader = io.BytesIO(content)
        edition, index = marshal.load(reader)  # noqa: S302 - nobody else can have written it
        if edition != caching.edition():
            return {}
        found: dict[bytes, _Kept] = {}
        start, whole = reader.tell(), memoryview(content)
        for digest, length in index.items():
            found[digest] = whole[start : start + length]
            start += length
        return found
