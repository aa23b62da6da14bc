"""The files of a project, by their paths within it: found, opened, and never one outside. Reads no content."""

import os
import posixpath
import stat
from collections.abc import Callable
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Final, Generic, TypeVar

from taskspec.diagnostics import nearest
from taskspec.documents.project_files import is_closed

_NEIGHBOURS: Final = 1000
_Read = TypeVar("_Read")


class WrongFileError(Exception):
    """What is wrong with a file that is named."""

    def __init__(self, detail: str, hint: str = "", place: tuple[int, int] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.place = place
        """Line and column within the file, where it is about what the file holds."""


class ProjectFolder:
    """A project folder, out of which no path leads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real_folder = Path(os.path.realpath(folder))
        self.sought: set[str] = set()
        """The path of each file that was looked for, found or not."""

    def read(self, entry: str, limit: int, way: str, reader: Callable[[str, BufferedReader, int], _Read]) -> _Read:
        """Return what a reader makes of a file: of its path, normalised, its open content and its size in bytes.

        Raises WrongFileError; `way` is what to do about a file of more than `limit` bytes.
        """
        path = posixpath.normpath(entry)
        if "\0" in entry or path == ".." or path.startswith(("/", "../")):
            raise WrongFileError(
                f"`{entry}` is outside the project folder.", "Files are named relative to it, and stay inside it."
            )
        self.sought.add(path)
        try:
            real = (self._real_folder / path).resolve(strict=True)
            if not real.is_relative_to(self._real_folder):
                raise WrongFileError(
                    f"`{entry}` is a link that leads out of the project folder.", "Copy the file into the project."
                )
            if is_closed(str(real.relative_to(self._real_folder))):
                raise WrongFileError(
                    f"`{entry}` is not a file of the project: what git and taskspec keep is read by no manifest.",
                    "Copy what is needed into the project.",
                )
            with open(real, "rb", opener=_at_once) as content:
                found = os.fstat(content.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise WrongFileError(f"`{path}` is not a regular file.", "Name single files.")
                if found.st_size > limit:
                    raise WrongFileError(f"`{path}` is larger than {limit // 2**20} MB.", way)
                return reader(path, content, found.st_size)
        except IsADirectoryError:
            raise WrongFileError(f"`{path}` is not a regular file.", "Name single files.") from None
        except (FileNotFoundError, NotADirectoryError):
            raise WrongFileError(f"There is no file `{entry}`.", self._nearest(path)) from None
        except (OSError, RuntimeError, UnicodeEncodeError) as error:
            reason = getattr(error, "strerror", None) or "its name cannot be that of a file"
            raise WrongFileError(f"`{entry}` cannot be read: {reason}.", "Check the file.") from error

    def _nearest(self, path: str) -> str:
        parent, name = posixpath.split(path)
        try:
            names = [entry.name for entry in islice((self._folder / parent).iterdir(), _NEIGHBOURS)]
        except OSError:
            names = []
        found = nearest(posixpath.join(parent, name), [posixpath.join(parent, other) for other in names])
        if not found and any(sign in name for sign in "*?"):
            return "A pattern is not expanded here: name each file."
        return found or "Paths are relative to the project folder."


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a FIFO that nobody writes into would wait for ever."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW)


class Remembered(Generic[_Read]):
    """What was found under each name, or what was wrong with it."""

    def __init__(self, find: Callable[[str], _Read]) -> None:
        self._find = find
        self._known: dict[str, _Read | WrongFileError] = {}

    def get(self, name: str) -> _Read:
        """Return what was found before, or find it; raises the same WrongFileError each time."""
        if name not in self._known:
            try:
                self._known[name] = self._find(name)
            except WrongFileError as fault:
                self._known[name] = fault
        found = self._known[name]
        if isinstance(found, WrongFileError):
            raise found.with_traceback(None)  # which would keep what its frames hold
        return found
