"""Writes docs/reference.md from the published schema of the manifests. Knows no field by its name.

python docs/make_reference.py
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from taskspec.documents.describing import manifest_fields
from taskspec.documents.language import Field
from taskspec.documents.spelling import spelled
from taskspec.report.fields import kind_of, presence_of, relevance_of

PAGE = Path(__file__).with_name("reference.md")

_HEAD = """\
# The reference of the manifest language

This page is made by `docs/make_reference.py` from [`schemas/manifest.v1.json`](../schemas/manifest.v1.json): every
field that a document can have. `taskspec explain FIELD` says the same in a terminal. What the fields are for, and how
templates, variables and files work, is in [manifests.md](manifests.md).

- **type**: `text`, `list of maps` and so on, or the words that are allowed. *or template*: the field may also be one
  single `{{ … }}`, whose value has to be of that type. Texts of a task's `spec` may hold templates anyway.
- **default**: what holds without the field, as it would be written; or *required*.
- **new run** (in a task's `spec`): whether another value asks for another answer, so that the task gets a new
  generation and a new run. The other fields change without one.
- `NAME` stands for a name of your own, `[]` for an item of a list.

The lines of the examples are to be read one by one: each shows one field, and together they need not make a document.
"""


def page() -> str:
    """Return the whole page."""
    return _Page().text()


class _Page:
    """The sections as they are written; what stands in several places is told at the first of them."""

    def __init__(self) -> None:
        self._told: dict[object, Field] = {}
        self._fields: dict[object, str] = {}

    def text(self) -> str:
        parts = [_HEAD]
        for root in manifest_fields():
            parts += self._sections(root, f"## A {root.name}", 3)
        return "\n".join(parts)

    def _sections(self, field: Field, heading: str, level: int) -> Iterator[str]:
        below = [(inner, _holder(inner)) for inner in field.fields]
        new = [holder for _, holder in below if holder is not None and self._is_new(holder)]
        yield f"{heading}\n"
        if field.description:
            yield f"{field.description}\n"
        yield self._table(field)
        examples = _examples(inner for inner in field.fields if self._is_told_in(inner, field))
        if examples:
            yield examples
        for holder in new:
            yield from self._sections(holder, f"{'#' * level} `{holder.written}`", level)

    def _is_new(self, holder: Field) -> bool:
        return self._told.setdefault(_shape(holder), holder) is holder

    def _table(self, field: Field) -> str:
        relevant = any(inner.run_relevant is not None for inner in field.fields)
        head = ["field", "type", "default", *(["new run"] if relevant else []), "meaning"]
        rows = [head, ["---"] * len(head)]
        for inner in field.fields:
            run = [relevance_of(inner)] if relevant else []
            rows.append([f"`{inner.name}`", _type(inner), _presence(inner), *run, self._meaning(inner, field)])
        return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |\n" for row in rows)

    def _is_told_in(self, field: Field, parent: Field) -> bool:
        """Tell whether a section is the first one that has a field; that of a document tells all of its fields."""
        return self._fields.setdefault(field.told, parent.written) == parent.written or len(parent.path) == 1

    def _meaning(self, field: Field, parent: Field) -> str:
        if not self._is_told_in(field, parent):
            place = self._fields[field.told]
            return f"As in [`{place}`](#{_anchor(place)})."
        words = [field.description, _limits(field)]
        holder = _holder(field)
        if holder is not None:
            told = self._told[_shape(holder)].written
            words.append(f"See [`{told}`](#{_anchor(told)}).")
        return " ".join(word for word in words if word)


def _holder(field: Field) -> Field | None:
    """Return what has the fields below one: itself, or what stands in its list or under its names."""
    if not field.fields:
        return None
    (first, *others) = field.fields
    return _holder(first) if first.is_slot and not others else field


def _shape(field: Field) -> object:
    """Return what two places have in common that are told alike: all but where they stand."""
    return tuple(
        (inner.name, inner.description, inner.kinds, inner.required, spelled(inner.default), _shape(inner))
        for inner in field.fields
    )


def _type(field: Field) -> str:
    allowed = ", ".join(f"`{spelled(value)}`" for value in field.allowed)
    kinds = kind_of(field)
    if allowed:
        kinds = allowed if len(field.kinds) == 1 and "list" not in kinds else f"{kinds}: {allowed}"
    return f"{kinds}, or template" if field.template else kinds


def _presence(field: Field) -> str:
    return "required" if field.required else f"`{presence_of(field)}`" if field.has_default else ""


def _limits(field: Field) -> str:
    """Return the limits as a sentence; a list of allowed words says it all."""
    told = "; ".join(field.limits)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def _examples(fields: Iterable[Field]) -> str:
    lines = []
    for inner in fields:
        for place, example in enumerate(inner.examples):
            lines.append(f"{'# or: ' if place else ''}{inner.name}: {spelled(example)}\n")
    return f"```yaml\n{''.join(lines)}```\n" if lines else ""


def _anchor(heading: str) -> str:
    return "".join(character for character in heading.lower() if character.isalnum() or character in "_-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
