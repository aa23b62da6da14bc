"""The texts of a project that its templates read, include and import: UTF-8 files inside it, each read once."""

import hashlib
import posixpath
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from taskspec.desired.confining import ProjectFolder, Remembered, WrongFileError
from taskspec.desired.later import refuse_later
from taskspec.desired.pinpointing import place
from taskspec.desired.scope import WrongTemplateError
from taskspec.diagnostics import Position
from taskspec.documents.locating import shown

MACROS: Final = "macros"
"""The folder of a project that macros are imported from."""
MAX_PROJECT_TEXT: Final = 1024 * 1024
"""Bytes of a file whose text a template uses."""
MAX_ALL_TEXTS: Final = 50 * 1024 * 1024
"""Bytes of all files together whose texts the templates of a project use."""
_WAY: Final = "Attach it with `files`, or use less of it."


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectText:
    """The text of a file of the project; `path` is relative to the project folder. Its lines end with one character."""

    path: str
    text: str


class ProjectTexts:
    """The texts below a project folder."""

    def __init__(self, folder: Path) -> None:
        self._held = 0
        self.read: dict[str, str] = {}
        """The SHA-256 of each file that was read, by path: what renderings depended on besides the documents."""
        self.shown: set[str] = set()
        """The path of each file that was read for something that is not secret."""
        self.is_shown = True
        """Whether what is rendered now is not secret."""
        self.noted: set[str] | None = None
        """While somebody asks for it: the files that are used."""
        self._place = folder
        self._folder = ProjectFolder(folder)
        self._known = Remembered(self._found)

    @property
    def sought(self) -> set[str]:
        """Return the path of each file that was looked for, found or not."""
        return self._folder.sought

    def text(self, entry: Any) -> ProjectText:
        """Return the text that a path names; raises WrongTemplateError."""
        refuse_later(entry)
        if not isinstance(entry, str):
            raise WrongTemplateError("The path of a file is a text.", hint="Write it in quotes: `file('notes.md')`.")
        try:
            found = self._known.get(entry)
        except WrongFileError as fault:
            raise WrongTemplateError(fault.detail, hint=fault.hint) from None
        if self.noted is not None:
            self.noted.add(found.path)
        if self.is_shown:
            self.shown.add(found.path)
        return found

    def macros(self, entry: Any) -> ProjectText:
        """Return the text of a file of macros, named relative to their folder; raises WrongTemplateError."""
        if isinstance(entry, str):
            path = posixpath.normpath(entry)
            if path.startswith(("/", "../")) or path == "..":
                raise WrongTemplateError(
                    f"`{entry}` is outside the folder `{MACROS}`.", hint=f"Macros are imported from `{MACROS}` alone."
                )
            if path.startswith(f"{MACROS}/"):
                way = path.removeprefix(f"{MACROS}/")
                raise WrongTemplateError(
                    f"`{entry}` is named with its folder.", hint=f"Macros are imported from `{MACROS}`: write `{way}`."
                )
            entry = f"{MACROS}/{path}"
        return self.text(entry)

    def position(self, fault: WrongTemplateError) -> Position:
        """Return where a fault in a file that was read stands."""
        line, column = place(self.text(fault.file).text, fault)
        return Position(file=shown(self._place / fault.file), line=line, column=column)

    def _found(self, entry: str) -> ProjectText:
        return self._folder.read(entry, MAX_PROJECT_TEXT, _WAY, self._decoded)

    def _decoded(self, path: str, content: BufferedReader, _: int) -> ProjectText:
        found = content.read(MAX_PROJECT_TEXT + 1)
        if len(found) > MAX_PROJECT_TEXT:
            raise WrongFileError(f"`{path}` grows while it is read.", _WAY)
        self._held += len(found)
        if self._held > MAX_ALL_TEXTS:
            raise WrongFileError(
                f"The templates of the project use files of more than {MAX_ALL_TEXTS // 2**20} MB.", _WAY
            )
        self.read[path] = hashlib.sha256(found).hexdigest()
        try:
            text = found.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = found.count(b"\n", 0, error.start) + 1
            raise WrongFileError(f"`{path}` is not UTF-8: line {line}.", "Save it as UTF-8.") from None
        return ProjectText(path=path, text=text.replace("\r\n", "\n"))
