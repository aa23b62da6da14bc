"""A schema → the plain forms in which a value can be written: references and conditions resolved. Judges no value.

Templates are left out: a field that may be one single `{{ … }}` has the forms of what that gives.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

ANNOTATIONS: Final = ("title", "description", "default", "examples", "runRelevant", "writeOnly")
_LEAF: Final = (*ANNOTATIONS, "type", "enum", "const")
"""What is still told of a schema that leads back to itself."""
SINGLE_TEMPLATE: Final[Schema] = {"$ref": "#/$defs/template"}
_TEMPLATES: Final = (SINGLE_TEMPLATE, {"$ref": "#/$defs/templated"})


class Unfolding:
    """One schema document, within which references lead. `followed` are those that led to a place: each only once."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def plain(self, schema: Any, followed: frozenset[str]) -> tuple[Schema, frozenset[str]]:
        """Lay a schema over what it refers to, and add what its `allOf` says."""
        plain = schema if isinstance(schema, Mapping) else {}  # `true` says nothing
        while isinstance(reference := plain.get("$ref"), str):
            target = self._target(reference)
            if reference in followed:
                target = {key: target[key] for key in _LEAF if key in target}
            followed |= {reference}
            plain = merged(target, {key: value for key, value in plain.items() if key != "$ref"})
        parts = plain.get("allOf", ())
        plain = {key: value for key, value in plain.items() if key != "allOf"}
        for part in parts:
            inner, followed = self.plain(part, followed)
            if "if" not in inner:
                plain = merged(inner, plain)
            for choice in (inner.get("then"), inner.get("else")) if "if" in inner else ():
                of_some, followed = self.plain(choice, followed)
                plain = merged({key: of_some[key] for key in ("properties", "items") if key in of_some}, plain)
        return plain, followed

    def _target(self, reference: str) -> Schema:
        """Return what a reference leads to; nothing where it leads out of the document."""
        found: Any = self._schema if reference.startswith("#") else {}
        for step in reference.removeprefix("#").split("/") if found else ():
            found = found[step] if step else found
        return dict(found)

    def forms(self, schema: Schema, followed: frozenset[str]) -> Iterator[Schema]:
        """Yield the ways in which a value can be written, templates left out."""
        base = {key: value for key, value in schema.items() if key not in {"if", "then", "else", "oneOf", "anyOf"}}
        choices = [choice for word in ("oneOf", "anyOf") for choice in schema.get(word, ())]
        if "if" in schema:
            choices = [schema.get("else", {})]
            if schema["if"] not in _TEMPLATES and schema.get("then") is not False:
                condition, then = self.plain(schema["if"], followed)[0], self.plain(schema.get("then"), followed)[0]
                choices = [merged(condition, then), *choices]
        choices = [choice for choice in choices if choice is not False]
        if not choices:
            yield base
        for choice in choices:
            inner, reached = self.plain(choice, followed)
            yield from self.forms(merged(base, _without(inner, ANNOTATIONS)), reached)


def merged(under: Schema, over: Schema) -> Schema:
    """Lay a schema over another; fields of both are merged in turn."""
    found = {**under, **over}
    if "properties" in under and "properties" in over:
        shared = {**under["properties"]}
        for name, schema in over["properties"].items():
            known = shared.get(name)
            both = isinstance(known, Mapping) and isinstance(schema, Mapping)
            shared[name] = merged(dict(known or {}), schema) if both else schema
        found["properties"] = shared
    if "required" in under and "required" in over:
        found["required"] = [*under["required"], *over["required"]]
    return found


def _without(schema: Schema, keywords: Iterable[str]) -> Schema:
    return {key: value for key, value in schema.items() if key not in keywords}


def conditions(schema: Schema) -> Iterator[Any]:
    """Yield what the forms of a schema depend on: its `if`, and those in its `else`."""
    rest: Any = schema
    while isinstance(rest, Mapping) and "if" in rest:
        yield rest["if"]
        rest = rest.get("else")


def named_by_author(form: Schema) -> Iterator[Schema]:
    """Yield the schemas of what stands under names that the author chooses."""
    candidates = (form.get("additionalProperties"), *form.get("patternProperties", {}).values())
    yield from (found for found in candidates if isinstance(found, Mapping) and found)
