"""How a task was made: the names that its templates used, who gave them, and where a rendered character is written.

A task is looked at only when somebody asks: when a run of it is started, or its change is explained. Then its texts
are rendered once more, masked. Holds no secret, and tells nothing of one but its name.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address, listed, matches
from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.cutting import AS_TEXT
from taskspec.desired.dotted import is_template
from taskspec.desired.including import ProjectTexts
from taskspec.desired.itemizing import ITEM, templates_in, written_of
from taskspec.desired.later import Later
from taskspec.desired.model import Giver
from taskspec.desired.normalising import RUN_RELEVANT, is_secret_place
from taskspec.desired.noting import ABSENT, noting
from taskspec.desired.pinpointing import Pinpointer
from taskspec.desired.references import TASKS
from taskspec.desired.rows import Row, rows_of
from taskspec.desired.scope import WrongTemplateError, names_a_secret
from taskspec.desired.segmenting import Segment, line_of, pieces_of
from taskspec.desired.templating import SpecRenderer, as_rendered
from taskspec.diagnostics import Position, path_text
from taskspec.documents.locating import shown
from taskspec.documents.model import Project, Source
from taskspec.documents.violating import SECRET
from taskspec.inputs import Input

FieldPath = tuple[str | int, ...]

FILE: Final = "file:"
"""Begins the name of an input that is a file of the project."""
TEXT: Final = "text."
"""Begins the name of an input that is a template itself, by its field."""
DEFAULTS: Final = "defaults."
"""Begins the name of an input that is a field which the project's defaults give."""
ITSELF: Final = "the task itself"
"""Gives what stands within a field of a default, and is not the default's."""
ENVIRON: Final = "the process environment"
_DIGITS: Final = 16
_MOST_LISTED: Final = 1_000
"""So many characters may name the tasks of a list of results."""
_FARTHEST: Final = 200_000
"""So many characters of a text are followed to tell where one of them is written; beyond, its line is told."""


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
        return (self._texts.read.get(file) or self._files.read.get(file) or "")[:_DIGITS]

    def text_of(self, file: str) -> str:
        """Return the text of a file that was read for the tasks; nothing where it is no text."""
        try:
            return self._texts.text(file).text
        except WrongTemplateError:
            return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a task was made of: all of its inputs by name, and the names of those that each field used."""

    inputs: Mapping[str, Input]
    uses: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """How one task was made."""

    maker: Maker = field(repr=False)
    source: Source = field(repr=False)
    templates: tuple[tuple[FieldPath, str], ...] = ()
    """The texts that were rendered, as they are written."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """The names that only its cell has."""
    matrix: Mapping[str, Any] | None = None
    """Its matrix, as it is written."""
    each: Any = None
    """Its `forEach`, as it is written."""
    items: str = ""
    """The file that holds the items of its `forEach`, relative to the project folder."""
    tasks: Mapping[str, Any] | None = field(default=None, repr=False)
    """The results that it was made with."""

    def written(self, name: str) -> tuple[FieldPath, Any]:
        """Return where in the spec that of an item of the `forEach` is written which a name stands for, and what is."""
        return written_of(self.each, part_of(self.own.get("each"), ("key",)), name, self._rendered)

    def inputs(self) -> Mapping[str, Input]:
        """Return everything that the rendering depended on, by name, in order."""
        return self.look().inputs

    def look(self) -> "Looked":
        """Render the texts once more, and return what they depended on."""
        found: dict[str, Input] = {}
        uses: dict[str, dict[str, None]] = {}
        for path, text in self.templates:
            used = self._used(text, path)
            uses.setdefault(str(path[0]), {}).update(dict.fromkeys(used))
            for name, value in used.items():
                if name not in found or not found[name].digest:
                    found[name] = self._input(name, value, is_secret=is_secret_place(path))
            if path[0] not in SECRET:
                found[f"{TEXT}{path_text(path)}"] = Input(digest=_digest(text))
            composed = () if is_secret_place(path) else self._composed(used)
            found |= {f"{TEXT}{name}": Input(digest=_digest(self.written(name)[1])) for name in composed}
        for path, origin in self.source.given.items():
            if path[0] in RUN_RELEVANT:
                value = part_of(origin.document.value, origin.path) if origin is not None else None
                is_secret = path[0] in SECRET and origin is not None
                giver = origin.giver if origin is not None else ITSELF
                found[f"{DEFAULTS}{path_text(path)}"] = Input(digest="" if is_secret else _digest(value), giver=giver)
        return Looked(inputs=dict(sorted(found.items())), uses={name: tuple(names) for name, names in uses.items()})

    def template_of(self, path: FieldPath) -> FieldPath | None:
        """Return the path of the template that gives the value at a path; None where it is written as it is."""
        return next((own for own, _ in self.templates if path[: len(own)] == own), None)

    def paths(self, field_name: str) -> tuple[FieldPath, ...]:
        """Return where in a field templates stand."""
        return tuple(path for path, _ in self.templates if path[0] == field_name)

    def position(self, path: FieldPath, value: Any = None, offset: int = 0) -> Position:
        """Return where a character of the value at a path is written, as exactly as it can be told."""
        template = self.template_of(path)
        if template is not None:
            segment = self.segment(path, offset)
            text = self._text(template)
            if segment is None or template != path:
                return self.source.position(template)
            if segment.is_literal:
                return self._at(template, text, segment.offset + offset - segment.begin)
            return self._at(template, text, segment.offset + self._within(segment, text, value, offset))
        if not isinstance(value, str) or not offset:
            return self.source.position(path)
        return self._at(path, value, offset)

    def _within(self, segment: Segment, text: str, value: Any, offset: int) -> int:
        """Return where in what a segment is written the line begins that gave the one which holds an offset."""
        if not isinstance(value, str):
            return 0
        begin = value.rfind("\n", 0, offset) + 1
        written = text[segment.offset : segment.offset + segment.length]
        line = line_of(written, [value[begin:].partition("\n")[0]])
        if line is None or line == 1:
            return 0
        start = 0
        for _ in range(line - 1):
            start = written.find("\n", start) + 1
        return start + len(written[start:]) - len(written[start:].lstrip(" "))

    def segment(self, path: FieldPath, offset: int) -> Segment | None:
        """Return the part of the rendered text at a path that an offset is in; None where it cannot be told."""
        found = [one for one in self.segments(path) if one.begin <= offset]
        return found[-1] if found else None

    def segments(self, path: FieldPath) -> list[Segment]:
        """Return the parts of the rendered text at a path; none where they cannot be told from each other."""
        return self.maker.segments(self, path)

    def markup(self, path: FieldPath, segment: Segment) -> str:
        """Return what a part of a rendered text is written as."""
        return self._text(path)[segment.offset : segment.offset + segment.length]

    def cut(self, path: FieldPath) -> list[Segment]:
        """Return the parts of the rendered text at a path, found anew."""
        text = next((text for own, text in self.templates if own == path), None)
        if text is None:
            return []
        lead, text = as_rendered(text, path)
        found: list[Segment] = []
        begin = 0
        for piece, is_literal, at in pieces_of(text):
            noted: dict[str, Any] = {}
            files: set[str] = set()
            given = piece if is_literal else self.maker.evaluated(piece + AS_TEXT, self._names(noted), files)
            if not isinstance(given, str):
                return []
            names = frozenset([*noted, *(f"{FILE}{file}" for file in files), *self._references(piece)])
            offset = lead + at
            segment = Segment(begin=begin, offset=offset, length=len(piece), is_literal=is_literal, names=names)
            found.append(segment)
            begin += len(given)
        return found

    def value_of(self, name: str) -> Any:
        """Return the value of a variable, or of what is within it, masked; None where there is none."""
        steps = name.split(".")
        return part_of(self.maker.renderer.names({}, None).get(steps[0]), tuple(steps[1:]))

    def names_in(self, text: str) -> tuple[str, ...]:
        """Return the names that a text uses which names its cells."""
        noted: dict[str, Any] = {}
        self.maker.evaluated(text.strip(), self._names(noted), set())
        return tuple(noted)

    def use_of(self, address: Address) -> Position | None:
        """Return where a template uses the result of a task; None where none does."""
        for path, _ in self.templates:
            for one in self.segments(path):
                if any(matches(named, address) for named in map(result_of, one.names) if named is not None):
                    return self.position(path, None, one.begin)
        return None

    def line_in(self, file: str, lines: Iterable[str]) -> Position:
        """Return where the first of some lines stands in a file of the project; the file as a whole where none does."""
        return self.maker.place(file, line_of(self.maker.text_of(file), lines) or 0)

    def _text(self, path: FieldPath) -> str:
        return next(text for own, text in self.templates if own == path)

    def _at(self, path: FieldPath, text: str, offset: int) -> Position:
        if offset <= _FARTHEST:
            return self.maker.pinpointer.at(self.source, path, text, offset)
        line = text.count("\n", 0, offset) + 1
        return self.source.text_position(path, line, offset - text.rfind("\n", 0, offset))

    def _names(self, noted: dict[str, Any]) -> dict[str, Any]:
        return noting(self.maker.renderer.names(self.own, self.tasks), noted)

    def _used(self, text: str, path: FieldPath) -> dict[str, Any]:
        """Return the names that a text used, with their values."""
        noted: dict[str, Any] = {}
        files: set[str] = set()
        text = as_rendered(text, path)[1]
        self.maker.evaluated(text, self._names(noted), files)
        for name in self._composed(noted):
            for part in templates_in(self.written(name)[1]):
                self.maker.evaluated(part.strip(), self._names(noted), files)
        if self.items and any(name.startswith("each.") for name in noted):
            files.add(self.items)
        noted |= {f"{FILE}{file}": None for file in sorted(files)}
        return noted | self._references(text)

    def _composed(self, names: Iterable[str]) -> list[str]:
        """Return those of some names that stand for what is made of templates within the item of a `forEach`."""
        if self.each is None or self.items:
            return []
        return [name for name in names if name.startswith(ITEM) and any(templates_in(self.written(name)[1]))]

    def _rendered(self, value: Any) -> Any:
        if not (isinstance(value, str) and is_template(value)):
            return value
        return self.maker.evaluated(value.strip(), self._names({}), set())

    def _references(self, text: str) -> dict[str, Any]:
        """Return the results of other tasks that a text uses, by the words with which it names them."""
        if self.tasks is None:
            return {}
        try:
            references = self.maker.renderer.uses(text, self.maker.renderer.names(self.own, None))
        except WrongTemplateError:
            return {}
        return {one.expression: part_of(self.tasks.get(one.address), one.path) for one in references}

    def _input(self, name: str, value: Any, *, is_secret: bool) -> Input:
        if name.startswith(FILE):
            return Input(digest="" if is_secret else self.maker.digest_of(name.removeprefix(FILE)))
        root, _, rest = name.partition(".")
        giver = ENVIRON if root == "env" else ""
        variable = rest.partition(".")[0]
        if root == "vars" and (known := self.maker.givers.get(variable)) is not None:
            giver = known.name
        declared = self.maker.project.variables.get(variable) if root == "vars" else None
        is_secret = is_secret or (declared is not None and declared.sensitive)
        if root.startswith(TASKS):
            giver = members_of(value)
        if is_secret or type(value) is Later or names_a_secret(value):
            return Input(digest="", giver=giver)
        return Input(digest=_digest(value), giver=giver)


def result_of(name: str) -> Address | None:
    """Return the task whose result an input is, or the pattern of such; None for any other input."""
    if not name.startswith("tasks"):
        return None
    rest = name.removeprefix("tasks")
    if rest.startswith("["):
        quote = rest[1:2]
        return Address(rest[2 : rest.find(f"{quote}]", 2)])
    return Address(rest[1:].partition(".")[0].partition("[")[0])


def members_of(value: Any) -> str:
    """Return the tasks of a list of results, in order: nothing for any other value, and of too many how many."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and "address" in one for one in value):
        return ""
    text = listed(one["address"] for one in value)
    return text if len(text) <= _MOST_LISTED else f"{len(value)} tasks"


def part_of(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is used of a task: the part of its result that a path leads to, else all of it."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
    return value


def _digest(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
