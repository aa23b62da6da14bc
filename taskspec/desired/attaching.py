"""The files of a task: URLs as they are, local files by their content's digest. Uploads nothing."""

import hashlib
from io import BufferedReader
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from taskspec.desired.confining import ProjectFolder, Remembered, WrongFileError
from taskspec.desired.model import LocalFile

MAX_FILE: Final = 100 * 1024 * 1024


def is_url(entry: str) -> bool:
    """Tell whether an entry of `files` is a URL, which is passed as it is."""
    return entry[:8].lower().startswith(("https://", "http://"))


def checked_url(entry: str) -> str:
    """Return a URL as it is; raises WrongFileError, which never repeats it, for one that holds a secret."""
    try:
        authority = urlsplit(entry).netloc
    except ValueError as error:
        raise WrongFileError("A URL cannot be read.", "Write `https://host/path`.") from error
    if "@" in authority:
        raise WrongFileError(
            "A URL holds a user name or password: it would be shown in plans, and kept.",
            "Take out what stands before `@`, and give the agent a URL that needs no password.",
        )
    return entry


class ProjectFiles:
    """The files below a project folder; each is read once, however many tasks name it."""

    def __init__(self, folder: Path) -> None:
        self._folder = ProjectFolder(folder)
        self._known = Remembered(self._read)
        self.read: dict[str, str] = {}
        """The SHA-256 of each file that was read, by path."""

    @property
    def sought(self) -> set[str]:
        """Return the path of each file that was looked for, found or not."""
        return self._folder.sought

    def attach(self, entry: str) -> LocalFile:
        """Return the file that an entry names; raises WrongFileError."""
        return self._known.get(entry)

    def _read(self, entry: str) -> LocalFile:
        return self._folder.read(entry, MAX_FILE, "Give the agent a URL, or less.", self._digested)

    def content(self, entry: str, limit: int) -> bytes:
        """Return what a file holds; raises WrongFileError, also for one of more bytes than `limit`."""
        path, found = self._folder.read(entry, limit, "Split it.", lambda path, content, _: (path, content.read(limit)))
        self.read[path] = hashlib.sha256(found).hexdigest()
        return found

    def _digested(self, path: str, content: BufferedReader, size: int) -> LocalFile:
        digest = self.read[path] = hashlib.file_digest(content, "sha256").hexdigest()
        return LocalFile(path=path, sha256=digest, size=size)
