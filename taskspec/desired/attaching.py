"""The files of a task: URLs as they are, local files by their content's digest. Uploads nothing."""

import hashlib
import os
import posixpath
import stat
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from taskspec.desired.model import LocalFile
from taskspec.diagnostics import nearest

T = TypeVar("T")

MAX_FILE: Final = 100 * 1024 * 1024
_NEIGHBOURS = 1000


class WrongFileError(Exception):
    """What is wrong with an entry of `files`."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint


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
        self._folder = folder
        self._real_folder = Path(os.path.realpath(folder))
        self._known: dict[str, LocalFile | WrongFileError] = {}

    def attach(self, entry: str) -> LocalFile:
        """Return the file that an entry names; raises WrongFileError."""
        found = self._known.get(entry)
        if found is None:
            try:
                found = self._read(entry)
            except WrongFileError as fault:
                found = fault
            self._known[entry] = found
        if isinstance(found, WrongFileError):
            raise found
        return found

    def content(self, entry: str, limit: int) -> bytes:
        """Return what a file holds; raises WrongFileError, also for one of more bytes than `limit`."""
        return self._located(entry, lambda path, real: _content(path, real, limit))

    def _read(self, entry: str) -> LocalFile:
        return self._located(entry, self._digested)

    def _located(self, entry: str, take: Callable[[str, Path], T]) -> T:
        """Return what is taken of the file that an entry names: within the project, and no link out of it."""
        path = posixpath.normpath(entry)
        if "\0" in entry or path == ".." or path.startswith(("/", "../")):
            raise WrongFileError(
                f"`{entry}` is outside the project folder.", "Files are named relative to it, and stay inside it."
            )
        try:
            real = (self._real_folder / path).resolve(strict=True)
            if not real.is_relative_to(self._real_folder):
                raise WrongFileError(
                    f"`{entry}` is a link that leads out of the project folder.", "Copy the file into the project."
                )
            return take(path, real)
        except (FileNotFoundError, NotADirectoryError):
            raise WrongFileError(f"There is no file `{entry}`.", self._nearest(path)) from None
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "it leads in a circle"
            raise WrongFileError(f"`{entry}` cannot be read: {reason}.", "Check the file.") from error

    def _digested(self, path: str, real: Path) -> LocalFile:
        _require_regular(path, real)
        with real.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            if size > MAX_FILE:
                raise WrongFileError(
                    f"`{path}` is larger than {MAX_FILE // 2**20} MB.", "Give the agent a URL, or less."
                )
            return LocalFile(path=path, sha256=hashlib.file_digest(content, "sha256").hexdigest(), size=size)

    def _nearest(self, path: str) -> str:
        parent, name = posixpath.split(path)
        try:
            names = [entry.name for entry in islice((self._folder / parent).iterdir(), _NEIGHBOURS)]
        except OSError:
            names = []
        found = nearest(posixpath.join(parent, name), [posixpath.join(parent, other) for other in names])
        return found or "Paths are relative to the project folder."


def _require_regular(path: str, real: Path) -> None:
    if not stat.S_ISREG(real.stat().st_mode):
        raise WrongFileError(f"`{path}` is not a regular file.", "Name single files.")


def _content(path: str, real: Path, limit: int) -> bytes:
    _require_regular(path, real)
    with real.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise WrongFileError(f"`{path}` is larger than {limit // 1_000_000} MB.", "Split it.")
    return content
