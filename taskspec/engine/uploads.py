"""Uploaded files: kept by their content's digest, copied to a run that refers to them. Never reads other files."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from taskspec.engine.kinds import invalid
from taskspec.engine.model import RefusalError

MAX_UPLOAD_BYTES = 100_000_000
PREFIX = "upload:"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_PATH = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One file of a run: which content, and under which relative path the agent finds it."""

    digest: str
    path: PurePosixPath


class UploadFolder:
    """The content-addressed files of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, digest: str) -> bool:
        """Tell whether a content is here."""
        return _DIGEST.fullmatch(digest) is not None and (self._folder / digest).is_file()

    async def receive(self, digest: str, chunks: AsyncIterator[bytes]) -> tuple[int, bool]:
        """Keep a content that hashes to `digest`; return its size, and whether it is new."""
        if _DIGEST.fullmatch(digest) is None:
            raise RefusalError(422, "a file is named by its SHA-256 in 64 lower-case hexadecimal digits")
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".incoming-", dir=self._folder) as file:
            size = await _write(file, digest, chunks)
            new = not self.has(digest)
            with suppress(FileExistsError):
                os.link(file.name, self._folder / digest)
        return size, new

    def checked(self, files: Iterable[str]) -> None:
        """Refuse references to contents that are not here, or to paths that leave the run's folder."""
        paths: dict[PurePosixPath, str] = {}
        for text in files:
            reference = parsed(text)
            if reference is None:
                continue
            if not self.has(reference.digest):
                raise invalid("input", f"no file with the digest {reference.digest} was uploaded")
            if paths.setdefault(reference.path, reference.digest) != reference.digest:
                raise invalid("input", f"two files of different content have the path {reference.path}")

    def place(self, files: Iterable[str], target: Path) -> list[str]:
        """Copy what is referred to under `target`; return the files with local paths in place of references."""
        placed: list[str] = []
        for text in files:
            reference = parsed(text)
            if reference is None:
                placed.append(text)
                continue
            path = target / reference.path
            path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            shutil.copyfile(self._folder / reference.digest, path)
            placed.append(str(path.absolute()))
        return placed


def parsed(text: str) -> Reference | None:
    """Return the reference that a file entry is, or None for any other entry (a URL); refuse a path that leaves."""
    if not text.startswith(PREFIX):
        return None
    digest, _, path = text.removeprefix(PREFIX).partition("/")
    parts = path.split("/")
    if _DIGEST.fullmatch(digest) is None or len(path) > _MAX_PATH or "\0" in path or "\\" in path:
        raise invalid("input", "an uploaded file is referred to as upload:<sha256>/<relative path>")
    if any(part in {"", ".", ".."} for part in parts):
        raise invalid("input", "the path of an uploaded file must be relative and stay within the run's folder")
    return Reference(digest=digest, path=PurePosixPath(path))


async def _write(file: IO[bytes], digest: str, chunks: AsyncIterator[bytes]) -> int:
    size, found = 0, hashlib.sha256()
    async for chunk in chunks:
        size += len(chunk)
        found.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    if found.hexdigest() != digest:
        raise RefusalError(422, f"the content has the digest {found.hexdigest()}, not the one that names it")
    return size
