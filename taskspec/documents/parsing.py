"""YAML bytes → documents with the place of every node. Judges no meaning.

Only the events of pyyaml's parser are used: its own trees recurse in C, hold no positions, and read YAML 1.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.building import Builder, StopReadingError
from taskspec.documents.model import UNREADABLE, Document, Marks
from taskspec.documents.scalars import AmbiguousScalarError
from taskspec.documents.skimming import skim
from taskspec.documents.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml import MarkedYAMLError

    from taskspec.documents.explaining import Complaint, TextBefore

MAX_BYTES: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """The sound documents of one file, and what is wrong with the others."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def parse(content: bytes, file: str, *, mappings_only: bool = True) -> Parsed:
    """Read one file's bytes; `file` is its path as shown to the user. Raises nothing for any bytes.

    Without `mappings_only` a document may be a list or a single value too: what is no manifest.
    """
    if len(content) > MAX_BYTES:
        return _refused(file, "The file is larger than 1 MB.", "Keep large texts in files of their own.")
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _refused(file, "The file is in UTF-16.", "Save it as UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        before = content[: trouble.start].decode("utf-8", "replace").removeprefix("\ufeff")
        place = Position(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
        return _refused(file, "The file is not in UTF-8.", "Save it as UTF-8.", place)
    if mappings_only and (values := _skimmed(text)) is not None:
        return known(content, file, values)
    builder = _build(text, file, mappings_only=mappings_only)
    return Parsed(documents=tuple(builder.documents), diagnostics=tuple(builder.diagnostics))


def known(
    content: "bytes | Callable[[], bytes]", file: str, values: Sequence[Mapping[str, Any]], *, checked: bool = False
) -> Parsed:
    """Return the documents of a sound file whose values are known.

    `content`, or what gives it, is parsed again when a place in it is asked for; of a file that has changed meanwhile,
    which gives nothing, the beginning stands for every place.
    """
    places = _Places(content, file).of
    documents = (
        Document(file=file, value=value, marks=partial(places, index), checked=checked)
        for index, value in enumerate(values)
    )
    return Parsed(documents=tuple(documents))


class _Places:
    """Where the nodes of one sound file stand, looked up when somebody asks."""

    __slots__ = ("_content", "_file", "_found")

    def __init__(self, content: "bytes | Callable[[], bytes]", file: str) -> None:
        self._content = content
        self._file = file
        self._found: list[Marks] | None = None

    def of(self, index: int) -> Marks:
        """Return the marks of the document of that number."""
        if self._found is None:
            content = self._content if isinstance(self._content, bytes) else self._content()
            builder = _build(content.decode("utf-8-sig"), self._file, mappings_only=True)
            self._found = [document.places for document in builder.documents]
        return self._found[index] if index < len(self._found) else Marks(1, 1)


def scan(text: str) -> "Iterator[Token]":
    """Yield the tokens of a text that `parse` has read without a finding."""
    following = _parser(text).get_token
    while (token := following()) is not None:
        start = token.start_mark
        yield Token(token.id, start.index, token.end_mark.index, start.column, getattr(token, "style", None))


def _refused(file: str, detail: str, hint: str, position: Position | None = None) -> Parsed:
    place = position or Position(file=file)
    return Parsed(diagnostics=(Diagnostic(summary=UNREADABLE, detail=detail, hint=hint, position=place),))


def _skimmed(text: str) -> list[dict[str, Any]] | None:
    import yaml

    try:
        return skim(_parser(text).get_event, yaml.events)
    except (AmbiguousScalarError, yaml.YAMLError):
        return None


def _build(text: str, file: str, *, mappings_only: bool) -> Builder:
    """Feed the parser's events to a builder, up to the end or to what cannot be read."""
    import yaml
    from yaml import events as kinds

    builder = Builder(text, file, mappings_only=mappings_only)
    steps: dict[type[yaml.events.Event], Callable[[Any], None]] = {
        kinds.ScalarEvent: builder.scalar,
        kinds.MappingStartEvent: builder.open_mapping,
        kinds.SequenceStartEvent: builder.open_list,
        kinds.MappingEndEvent: builder.close,
        kinds.SequenceEndEvent: builder.close,
        kinds.AliasEvent: builder.alias,
        kinds.DocumentEndEvent: builder.end_document,
    }
    try:
        following = _parser(text).get_event
        while (event := following()) is not None:
            if (step := steps.get(type(event))) is not None:
                step(event)
    except StopReadingError:
        return builder
    except yaml.MarkedYAMLError as trouble:
        from taskspec.documents.explaining import explain

        builder.report(explain(_complaint(trouble, text), text, file))
    except yaml.YAMLError:
        from taskspec.documents.explaining import unreadable_character

        builder.report(unreadable_character(text, file))
    return builder


def _parser(text: str) -> Any:
    """Return libyaml's parser, or the slower one that gives the same events where libyaml is missing."""
    import yaml

    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        return CParser(text)
    return yaml.SafeLoader(text)


def _complaint(trouble: "MarkedYAMLError", text: str) -> "Complaint":
    from taskspec.documents.explaining import Complaint

    at, began = trouble.problem_mark, trouble.context_mark
    place = (at.line, at.column) if at else (0, 0)
    first = (began.line, began.column) if began else place
    return Complaint(problem=trouble.problem or "", at=place, began=first, text=_text_before(place, text))


def _text_before(place: tuple[int, int], text: str) -> "TextBefore | None":
    """Return the last single value that stands before a place; what is there cannot be read any more."""
    import yaml

    from taskspec.documents.explaining import TextBefore

    found = None
    try:
        following = _parser(text).get_token
        while (token := following()) is not None and (token.start_mark.line, token.start_mark.column) < place:
            if isinstance(token, yaml.ScalarToken):
                found = token
    except yaml.YAMLError:
        pass
    if found is None:
        return None
    start, end = found.start_mark, found.end_mark
    return TextBefore(
        style=found.style or "", value=found.value, start=(start.line, start.column), end=(end.line, end.column)
    )
