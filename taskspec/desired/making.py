"""How a task was made: the names that its templates used, who gave them, and where a rendered character is written.

A task is looked at only when somebody asks: when a run of it is started, or its change is explained. Then its texts
are rendered once more, masked. Holds no secret, and tells nothing of one but its name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.address import Address, matches
from taskspec.desired.cutting import AS_TEXT
from taskspec.desired.dotted import is_template
from taskspec.desired.ingredients import (
    DEFAULTS,
    ENVIRON,
    FILE,
    ITSELF,
    TEXT,
    FieldPath,
    digest,
    members_of,
    part_of,
    result_of,
)
from taskspec.desired.itemizing import ITEM, templates_in, written_of
from taskspec.desired.later import Later
from taskspec.desired.normalising import RUN_RELEVANT, is_secret_place
from taskspec.desired.noting import noting
from taskspec.desired.references import TASKS
from taskspec.desired.scope import WrongTemplateError, names_a_secret
from taskspec.desired.segmenting import Segment, line_of, pieces_of
from taskspec.desired.templating import as_rendered
from taskspec.desired.workshop import Maker
from taskspec.diagnostics import Position, path_text
from taskspec.documents.model import Source
from taskspec.documents.violating import SECRET
from taskspec.inputs import Input

_FARTHEST: Final = 200_000
"""So many characters of a text are followed to tell where one of them is written; beyond, its line is told."""


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
                found[f"{TEXT}{path_text(path)}"] = Input(digest=digest(text))
            composed = () if is_secret_place(path) else self._composed(used)
            found |= {f"{TEXT}{name}": Input(digest=digest(self.written(name)[1])) for name in composed}
        for path, origin in self.source.given.items():
            if path[0] in RUN_RELEVANT:
                value = part_of(origin.document.value, origin.path) if origin is not None else None
                is_secret = path[0] in SECRET and origin is not None
                giver = origin.giver if origin is not None else ITSELF
                found[f"{DEFAULTS}{path_text(path)}"] = Input(digest="" if is_secret else digest(value), giver=giver)
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
        return Input(digest=digest(value), giver=giver)
