"""The published schema → the fields of the language, as a tree of values. Checks no document, and words no page.

What an author can write is what counts, so a new field of the schema is described without a line here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from taskspec.contracts import load_schema
from taskspec.documents.language import ITEM, NAME, Field
from taskspec.documents.unfolding import (
    ANNOTATIONS,
    SINGLE_TEMPLATE,
    Schema,
    Unfolding,
    conditions,
    merged,
    named_by_author,
)

_NONE: Final[frozenset[str]] = frozenset()
_LIMITS: Final[Mapping[str, str]] = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "greater than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} fields",
    "maxProperties": "at most {} fields",
}
_KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "array": "list",
    "object": "map",
}


@cache
def manifest_fields() -> tuple[Field, ...]:
    """Return the kinds of documents, each with its fields; the task first, as most questions are about it."""
    return describe(load_schema("manifest.v1"))


def describe(schema: Schema) -> tuple[Field, ...]:
    """Return a field for each kind of document that a schema of manifests knows."""
    reading = _Reading(schema)
    return tuple(reading.document(kind) for kind in reversed(schema["properties"]["kind"]["enum"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a schema is read: its path, what its parents say of it, and the references that led here."""

    path: tuple[str, ...]
    required: bool = False
    run_relevant: bool | str | None = None
    secret: bool = False
    followed: frozenset[str] = _NONE


class _Reading:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._unfolding = Unfolding(schema)

    def document(self, kind: str) -> Field:
        """Read the schema as it is for documents of one kind."""
        found: Schema = {key: value for key, value in self._schema.items() if key != "allOf"}
        for part in self._schema.get("allOf", ()):
            wanted = part.get("if", {}).get("properties", {}).get("kind", {}).get("const", kind)
            if wanted == kind:
                found = _specified(found, part.get("then", {}))
        found = merged(found, {"properties": {"kind": {"enum": [kind], "examples": [kind]}}})
        title = {"title": kind, "description": f"A document of the kind {kind}."}
        return self.field({**found, **title}, _Place(path=(kind.lower(),)))

    def field(self, schema: Any, place: _Place) -> Field:
        """Read one schema as a field."""
        plain, followed = self._unfolding.plain(schema, place.followed)
        forms = list(self._unfolding.forms(plain, followed))
        inner = _Place(
            path=place.path,
            run_relevant=plain.get("runRelevant", place.run_relevant),
            secret=plain.get("writeOnly", place.secret),
            followed=followed,
        )
        return Field(
            path=place.path,
            title=plain.get("title", place.path[-1]),
            description=plain.get("description", ""),
            kinds=tuple(dict.fromkeys(kind for form in forms for kind in self._kinds(form, followed))),
            allowed=_distinct(value for form in forms for value in self._allowed(form, followed)),
            limits=tuple(dict.fromkeys(words for form in forms for words in self._limits(form, followed))),
            required=place.required,
            has_default="default" in plain,
            default=plain.get("default"),
            examples=tuple(plain.get("examples", ())),
            run_relevant=inner.run_relevant,
            secret=inner.secret,
            template=SINGLE_TEMPLATE in conditions(plain),
            fields=tuple(self._below(forms, inner)),
        )

    def _below(self, forms: Sequence[Schema], place: _Place) -> Iterator[Field]:
        """Read what stands below: of two forms that know a field, the later one tells what it is.

        What only some of the forms that know it require is not called required.
        """
        known: dict[str, Field] = {}
        optional = {
            name for form in forms for name in form.get("properties", {}).keys() - set(form.get("required", ()))
        }
        for form in forms:
            for name, schema in form.get("properties", {}).items():
                if schema is not False:
                    known[name] = self._child(schema, place, name, required=name not in optional)
            slots = [(NAME, schema) for schema in named_by_author(form)]
            slots += [(ITEM, form["items"])] if isinstance(form.get("items"), Mapping) else []
            for slot, schema in slots:
                if self._has_fields(schema, place.followed):
                    known[slot] = self._child(schema, place, slot)
        yield from known.values()

    def _child(self, schema: Any, place: _Place, name: str, *, required: bool = False) -> Field:
        inner = _Place(
            path=(*place.path, name),
            required=required,
            run_relevant=place.run_relevant,
            secret=place.secret,
            followed=place.followed,
        )
        return self.field(schema, inner)

    def _has_fields(self, schema: Schema, followed: frozenset[str]) -> bool:
        return any("properties" in form or any(named_by_author(form)) for form in self._all_forms(schema, followed))

    def _all_forms(self, schema: Any, followed: frozenset[str]) -> Iterator[Schema]:
        """Yield the forms of a schema that stands below; none where it would lead in a circle."""
        if not isinstance(schema, Mapping) or schema.get("$ref") in followed:
            return
        yield from self._unfolding.forms(*self._unfolding.plain(schema, followed))

    def _kinds(self, form: Schema, followed: frozenset[str]) -> Iterator[str]:
        types = form.get("type", ())
        listed = [types] if isinstance(types, str) else list(types)
        listed = listed or list(dict.fromkeys(_type_of(value) for value in _values(form)))
        if not listed and "properties" in form:
            listed = ["object"]
        for kind in listed:
            within = {"array": form.get("items"), "object": next(named_by_author(form), None)}.get(kind)
            forms = self._all_forms(within, followed)
            kinds = dict.fromkeys(_plural(inner) for form in forms for inner in self._kinds(form, followed))
            yield _KINDS.get(kind, kind) + (f" of {' or '.join(kinds)}" if kinds else "")

    def _allowed(self, form: Schema, followed: frozenset[str]) -> Iterator[Any]:
        yield from _values(form)
        for item in self._all_forms(form.get("items"), followed):
            yield from _values(item)

    def _limits(self, form: Schema, followed: frozenset[str]) -> Iterator[str]:
        for keyword, words in _LIMITS.items():
            if keyword in form:
                empty = keyword in {"minLength", "minItems", "minProperties"} and form[keyword] == 1
                yield "not empty" if empty else words.format(form[keyword])
        if "patternErrorMessage" in form:
            yield form["patternErrorMessage"]
        if form.get("uniqueItems"):
            yield "nothing twice"
        names = form.get("propertyNames")
        if isinstance(names, Mapping) and "patternErrorMessage" in names:
            yield f"each name {names['patternErrorMessage']}"
        for item in self._all_forms(form.get("items"), followed):
            if "patternErrorMessage" in item:
                yield f"each {item['patternErrorMessage']}"


def _specified(schema: Schema, more: Schema) -> Schema:
    """Add what holds for one kind of document; what is said of a field there takes the place of the general words."""
    specified = more.get("properties", {})
    general = {
        name: {key: value for key, value in field.items() if name not in specified or key not in ANNOTATIONS}
        for name, field in schema["properties"].items()
    }
    return merged({**schema, "properties": general}, more)


def _values(form: Schema) -> list[Any]:
    return list(form["enum"]) if "enum" in form else [form["const"]] if "const" in form else []


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    for value in values:
        if not any(value == known and type(value) is type(known) for known in found):
            found.append(value)
    return tuple(found)


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case list():
            return "array"
        case None:
            return "null"
        case _:
            return "object"


def _plural(kind: str) -> str:
    noun, of, rest = kind.partition(" of ")
    return kind if kind in {"true or false", "null"} else f"{noun}s{of}{rest}"
