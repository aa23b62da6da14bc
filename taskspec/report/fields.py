"""The fields of the language in words: what each may be, what holds without it, an example. Looks nothing up."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from taskspec.documents.language import Field
from taskspec.documents.spelling import spelled
from taskspec.report.text import Paint, columns

WIDEST = 100
"""How long a line of prose gets, in characters."""
_BRIEF = 60
"""How long the words that a field allows may be beside its name, in characters."""
_FACTS = 32
"""How wide the column of the names of facts is, at most."""
_INDENT = "  "


def kind_of(field: Field) -> str:
    """Return what a field may be: `text`, `list of texts`, `text or map`."""
    return " or ".join(field.kinds) or "any value"


def presence_of(field: Field) -> str:
    """Return `required`, the default as it would be written, or an empty string."""
    if field.required:
        return "required"
    return spelled(field.default) if field.has_default else ""


def relevance_of(field: Field) -> str:
    """Return whether a change starts a new run: `yes`, `no`, or what of it counts; empty where it is no question."""
    match field.run_relevant:
        case None:
            return ""
        case str(words):
            return words
        case relevant:
            return "yes" if relevant else "no"


def explained(field: Field, paint: Paint, *, recursive: bool = False) -> Iterator[str]:
    """Yield all about one field: what it is, what it may be, an example, and the fields below it."""
    yield f"{paint(field.written, 'strong')}  {paint(kind_of(field), 'accent')}"
    yield from _wrapped(field.description, _INDENT)
    facts = list(_facts(field))
    if facts:
        yield ""
        yield from (f"{_INDENT}{line}" for line in columns(facts))
    examples = list(_examples(field))
    if examples:
        yield ""
        yield paint("Examples" if len(examples) > 1 else "Example", "strong")
        yield from (f"{_INDENT}{line}" for line in examples)
    below = list(_rows(field, _INDENT, recursive=recursive))
    if below:
        yield ""
        yield paint("Fields", "strong")
        yield from below


def places(word: str, found: Sequence[Field]) -> Iterator[str]:
    """Yield the meanings of a word that names several fields, each with the first place where it stands."""
    meanings: dict[object, Field] = {}
    for field in found:
        meanings.setdefault(field.told, field)
    yield f"`{word}` means {len(meanings)} things:"
    rows = [(field.written, field.description.partition(". ")[0].rstrip(".")) for field in meanings.values()]
    yield from (f"{_INDENT}{line}" for line in columns(rows))


def _facts(field: Field) -> Iterator[tuple[str, str]]:
    if field.required:
        yield "required", "yes"
    if field.has_default:
        yield "default", spelled(field.default)
    words = ", ".join(spelled(value) for value in field.allowed)
    for line in textwrap.wrap(words, WIDEST - _FACTS, break_on_hyphens=False, break_long_words=False):
        yield "allowed" if words.startswith(line) else "", line
    for limit in field.limits:
        yield "limit", limit
    if field.template:
        yield "template", "may be one single {{ … }}"
    if field.secret:
        yield "secret", "yes: shown and stored nowhere"
    if relevance := relevance_of(field):
        yield "a change starts a new run", relevance


def _examples(field: Field) -> Iterator[str]:
    for example in field.examples:
        if field.is_slot or len(field.path) == 1:
            yield spelled(example)
        else:
            yield f"{field.name}: {spelled(example)}"


def _rows(field: Field, indent: str, *, recursive: bool) -> Iterator[str]:
    for below in _inside(field):
        yield "  ".join((indent + below.name, kind_of(below), *_briefly(below)))
        if not recursive:
            yield from _wrapped(below.description, indent + _INDENT * 2)
        else:
            yield from _rows(below, indent + _INDENT, recursive=True)


def _briefly(field: Field) -> Iterator[str]:
    if field.allowed:
        words = ", ".join(spelled(value) for value in field.allowed)
        yield words if len(words) <= _BRIEF else f"one of {len(field.allowed)} words"
    if presence := presence_of(field):
        yield presence if field.required else f"default: {presence}"


def _inside(field: Field) -> Iterable[Field]:
    """Return the fields below one; those of what stands in a list or under free names, as if they were its own."""
    slots = [below for below in field.fields if below.is_slot and below.fields]
    return field.fields if len(slots) != len(field.fields) else [inner for slot in slots for inner in slot.fields]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDEST, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
