"""A YAML parser's events → documents with the place of every node, in one pass. Knows no parser, and judges no meaning.

The bounds hold here, while the tree grows, because a tree from the parser itself recurses in C and repeats without end
what aliases name.
"""

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from taskspec.contracts import kind_of
from taskspec.diagnostics import Diagnostic, Position, nearest
from taskspec.documents.frames import Frame, place_of
from taskspec.documents.model import NOT_A_DOCUMENT, UNREADABLE, Document, Marks
from taskspec.documents.placing import marks_of
from taskspec.documents.scalars import NUMERIC, WORDS, AmbiguousScalarError, plain

if TYPE_CHECKING:
    from taskspec.documents.yaml_events import AliasEvent, ScalarEvent, StartEvent

MAX_SCALAR: Final = 256 * 1024
MAX_DEPTH: Final = 50
MAX_REPEATED: Final = 10_000
"""How much the aliases of a document may repeat: nodes, and each hundred characters of a text as one more."""
MAX_FINDINGS: Final = 50
SHORT: Final = 99
UNUSUAL: Final = NUMERIC | {"<"}
"""A plain scalar that begins so may be a number, or a merge key."""

_DOCUMENT: Final = frozenset({"apiVersion", "kind", "metadata", "spec"})
"""What every document begins with: where it stands twice, two documents stand together."""
_CORE: Final = "tag:yaml.org,2002:"
_TAGS: Final[dict[type, str]] = {int: "int", float: "float", bool: "bool", type(None): "null"}
_UNSAFE: Final = re.compile("[\0\ud800-\udfff]")
_TEMPLATE: Final = re.compile(r"\{\{[^\n]*?\}\}|\{\{[^\n]*")


_new = tuple.__new__  # a third of the time of `Marks(…)`, which is made for every value of every document


class StopReadingError(Exception):
    """Nothing more of this file can be read."""


class Builder:
    """One file on its way from events to documents."""

    def __init__(self, text: str, file: str, *, mappings_only: bool = True) -> None:
        self.mappings_only = mappings_only
        self.text = text
        self.file = file
        self.documents: list[Document] = []
        self.diagnostics: list[Diagnostic] = []
        self._begin()

    def _begin(self) -> None:
        self.stack: list[Frame] = []
        self.frame: Frame | None = None
        self.root: tuple[Any, Marks] | None = None
        self.anchors: dict[str, tuple[Any, Marks, int] | None] = {}
        self.cost = 0
        self.repeated = 0
        self.runs_on = False
        self.found_before = len(self.diagnostics)

    def scalar(self, event: "ScalarEvent") -> None:
        """Take a text, number or other single value; most are new keys, or short words, and need no closer look."""
        value: str = event.value
        if (
            not value
            or event.anchor is not None
            or event.tag is not None
            or not event.implicit[0]
            or value[0] in UNUSUAL
            or value in WORDS
            or len(value) > SHORT
        ):
            self._scalar(event)
            return
        mark, frame = event.start_mark, self.frame
        line, column = mark.line + 1, mark.column + 1
        self.cost += 1
        if frame is None or frame.keys is None or frame.key is not None:
            self._add(value, _new(Marks, (line, column, None, None, None, None)))
        elif value in frame.keys:
            self._take_key(frame, value, value, (line, column))
        else:
            frame.key = value
            frame.keys[value] = (line, column)

    def _scalar(self, event: "ScalarEvent") -> None:
        mark = event.start_mark
        place = (mark.line + 1, mark.column + 1)
        value: Any = event.value
        weight = 1 + len(value) // 100
        marks = Marks(*place)
        if event.tag is not None or not event.implicit[0]:
            value, marks = self._marked(event, place)
        elif not value or value[0] in NUMERIC or value in WORDS:
            value = self._plain(value, place)
        if weight > MAX_SCALAR // 100:
            self._note("Text too long", "A single text may have at most 256 KB.", "Keep it in a file.", place)
        self.cost += weight
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, marks, weight)
        frame = self.frame
        if frame is None or frame.keys is None or frame.key is not None:
            self._add(value, marks)
        elif value == "<<" and event.implicit[0]:
            self._note("Merge key", "Merge keys (`<<`) are not supported.", "Write the fields out.", place)
            frame.expect(f"\0{self.cost}", place)
        else:
            self._take_key(frame, value, event.value, place)

    def _plain(self, text: str, place: tuple[int, int]) -> Any:
        try:
            return plain(text)
        except AmbiguousScalarError as trouble:
            self._note("Ambiguous value", str(trouble), trouble.hint, place)
            return text

    def _marked(self, event: "ScalarEvent", place: tuple[int, int]) -> tuple[Any, Marks]:
        """Return the value of a scalar with quotes, a block style or a tag, and where its text begins."""
        text: str = event.value
        marks = marks_of(event, place, self.text)
        if event.style == '"' and _UNSAFE.search(text):
            self._note(UNREADABLE, "The text holds a NUL or half a character.", "Remove the escape.", place)
        if event.tag in {None, "!", f"{_CORE}str"}:
            return text, marks
        value = self._plain(text, place)
        if event.tag != _CORE + _TAGS.get(type(value), "str"):
            self._refuse_tag(event.tag, place)
        return value, marks

    def open_mapping(self, event: "StartEvent") -> None:
        """Begin a mapping."""
        self._open(event, mapping=True)

    def open_list(self, event: "StartEvent") -> None:
        """Begin a list."""
        self._open(event, mapping=False)

    def _open(self, event: "StartEvent", *, mapping: bool) -> None:
        place = place_of(event.start_mark)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(
                "Nested too deeply",
                f"Nothing may be nested deeper than {MAX_DEPTH} levels.",
                place,
                "Nest it less deeply.",
            )
        if event.tag not in {None, "!", f"{_CORE}{'map' if mapping else 'seq'}"}:
            self._refuse_tag(event.tag, place)
        parent = self.frame
        is_key = parent is not None and parent.keys is not None and parent.key is None
        if parent is not None and is_key:
            self._refuse_complex_key(event.start_mark.index, place)
            parent.expect(f"\0{self.cost}", place)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.frame = Frame(event, mapping=mapping, is_key=is_key, cost=self.cost)
        self.stack.append(self.frame)
        self.cost += 1

    def close(self, _: object) -> None:
        """End the mapping or list that was begun last."""
        done = self.stack.pop()
        self.frame = self.stack[-1] if self.stack else None
        marks = _new(Marks, (*done.place, done.keys, done.children, None, None))
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.items, marks, self.cost - done.cost)
        if not done.is_key:
            self._add(done.items, marks)

    def alias(self, event: "AliasEvent") -> None:
        """Repeat what an anchor named."""
        place = place_of(event.start_mark)
        name = str(event.anchor)
        known = self.anchors.get(name)
        if known is None:
            detail = (
                f"`*{name}` stands inside of what it names." if name in self.anchors else f"No `&{name}` stands above."
            )
            way = (
                nearest(name, self.anchors)
                or "Name the value with `&` above; a text that begins with `*` needs quotes."
            )
            self._stop("Alias without a value", detail, place, way)
        value, marks, cost = known
        self.cost += cost
        self.repeated += cost
        if self.repeated > MAX_REPEATED:
            self._stop("Too many aliases", f"The aliases repeat more than {MAX_REPEATED} values.", place)
        frame = self.frame
        if frame is not None and frame.keys is not None and frame.key is None:
            self._take_key(frame, value, f"*{name}", place)
        else:
            self._add(value, marks)

    def _take_key(self, frame: Frame, value: Any, written: str, place: tuple[int, int]) -> None:
        if not isinstance(value, str):
            self._note("Key is not a string", f"The key `{written}` is not text.", f'Quote it: "{written}"', place)
            value = f"\0{self.cost}"
        elif frame.keys and value in frame.keys:
            line, column = frame.keys[value]
            detail = f"`{value}` stands twice in one mapping; the first is at line {line}, column {column}."
            if len(self.stack) > 1 or value not in _DOCUMENT:
                self._note("Duplicate key", detail, "Remove one of the two.", place)
            elif not self.runs_on:
                self.runs_on = True
                self._note("Duplicate key", detail, "If a new document begins here, put a line `---` above it.", place)
            frame.key = value
            return
        frame.expect(value, place)

    def _add(self, value: Any, marks: Marks) -> None:
        frame = self.frame
        if frame is None:
            self.root = (value, marks)
        elif frame.keys is None:
            frame.items.append(value)
            frame.children.append(marks)
        else:
            frame.items[frame.key] = value
            frame.children[frame.key] = marks
            frame.key = None

    def end_document(self, _: object) -> None:
        """Keep the document if it is sound, and make ready for the next."""
        value, marks = self.root or (None, Marks(1, 1))
        if self.mappings_only and value is not None and not isinstance(value, dict):
            detail = f"A document must be a mapping, found {kind_of(value)}."
            way = "Begin with `apiVersion: taskspec/v1`."
            way = (
                "Write the fields without `-`, and a line `---` between documents." if isinstance(value, list) else way
            )
            self._note(NOT_A_DOCUMENT, detail, way, (marks.line, marks.column))
        elif value is not None and len(self.diagnostics) == self.found_before:
            self.documents.append(Document(file=self.file, value=value, marks=marks))
        self._begin()

    def _refuse_tag(self, tag: str, place: tuple[int, int]) -> None:
        shown = tag.replace(_CORE, "!!")
        self._note(
            "Tag",
            f"The tag `{shown}` is not supported here.",
            "Remove it; a text that begins with `!` needs quotes.",
            place,
        )

    def _refuse_complex_key(self, index: int, place: tuple[int, int]) -> None:
        back = 0 if self.text.startswith("{{", index) else 1
        found = _TEMPLATE.match(self.text, max(index - back, 0))
        if found is None:
            self._note("Key is not a string", "A key must be text, not a list or mapping.", "Quote it.", place)
        else:
            position = Position(file=self.file, line=place[0], column=place[1] - back)
            from taskspec.documents.explaining import unquoted_template

            self.report(unquoted_template(found[0].strip(), position))

    def _note(self, summary: str, detail: str, hint: str, place: tuple[int, int]) -> None:
        position = Position(file=self.file, line=place[0], column=place[1])
        self.report(Diagnostic(summary=summary, detail=detail, hint=hint, position=position))

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep a finding; of two of one kind at one place, the later one."""
        last = self.diagnostics[-1] if self.diagnostics else None
        if last is not None and (last.position, last.summary) == (diagnostic.position, diagnostic.summary):
            self.diagnostics.pop()
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= MAX_FINDINGS:
            raise StopReadingError

    def _stop(self, summary: str, detail: str, place: tuple[int, int], hint: str = "") -> NoReturn:
        self._note(summary, detail, hint, place)
        raise StopReadingError
