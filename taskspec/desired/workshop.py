"""What the makings of the tasks of one project share: its texts, its files and what renders them. Holds no secret."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.including import ProjectTexts
from taskspec.desired.ingredients import DIGITS, FieldPath
from taskspec.desired.model import Giver
from taskspec.desired.pinpointing import Pinpointer
from taskspec.desired.rows import Row, rows_of
from taskspec.desired.scope import WrongTemplateError
from taskspec.desired.templating import SpecRenderer
from taskspec.diagnostics import Position
from taskspec.documents.locating import shown
from taskspec.documents.model import Project

if TYPE_CHECKING:
    from taskspec.desired.making import Making
    from taskspec.desired.segmenting import Segment


class Maker:
    """What the makings of the tasks of one project share."""

    def __init__(
        self,
        project: Project,
        givers: Mapping[str, Giver],
        renderer: SpecRenderer,
        texts: ProjectTexts,
        files: ProjectFiles,
    ) -> None:
        self.project = project
        self.givers = givers
        self.renderer = renderer
        self.pinpointer = Pinpointer()
        self._texts = texts
        self._files = files
        self._folder = Path(project.folder)
        self._within: dict[str, str] = {}
        self._rows: dict[tuple[str, str | None], Mapping[str, Row]] = {}
        self._cut: tuple[Making, FieldPath, list[Segment]] | None = None

    def place(self, file: str, line: int = 0) -> Position:
        """Return a line of a file of the project; 0 is the file as a whole."""
        return Position(file=shown(self._folder / file), line=line, column=1)

    def segments(self, making: "Making", path: FieldPath) -> "list[Segment]":
        """Return the parts of a rendered text; of the last one that was asked for they are known."""
        if self._cut is None or self._cut[0] is not making or self._cut[1] != path:
            self._cut = (making, path, making.cut(path))
        return self._cut[2]

    def within(self, file: str) -> str:
        """Return the file of a document relative to the project folder."""
        found = self._within.get(file)
        if found is None:
            whole = Path(file).absolute()
            inside = whole.is_relative_to(self._folder)
            found = self._within[file] = str(whole.relative_to(self._folder)) if inside else str(whole)
        return found

    def evaluated(self, text: str, names: Mapping[str, Any], files: set[str]) -> Any:
        """Return what a text gives, and add the files to `files` that it used; None where it gives nothing."""
        self._texts.noted = files
        try:
            return self.renderer.again(text, names)
        except WrongTemplateError:
            return None
        finally:
            self._texts.noted = None

    def rows(self, file: str, named_by: str | None) -> Mapping[str, Row]:
        """Return where the items of a file stand, by name; each file is looked through once."""
        found = self._rows.get((file, named_by))
        if found is None:
            found = self._rows[file, named_by] = rows_of(self.text_of(file), file, named_by)
        return found

    def digest_of(self, file: str) -> str:
        """Return the digest of a file that was read for the tasks."""
        return (self._texts.read.get(file) or self._files.read.get(file) or "")[:DIGITS]

    def text_of(self, file: str) -> str:
        """Return the text of a file that was read for the tasks; nothing where it is no text."""
        try:
            return self._texts.text(file).text
        except WrongTemplateError:
            return ""
