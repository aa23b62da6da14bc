"""JSON Schema, wrapped once: contracts, and what violates them. Fetches nothing, and knows no document."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, NoReturn

LARGEST = 1_000_000
"""How many bytes a compiled pattern of a linear contract may have: the time of a match grows with it."""
SHOWN = 60
"""So many characters of a value are shown in a message."""


class InvalidSchemaError(ValueError):
    """A schema is not a valid JSON Schema; `path` leads to the place in it."""

    def __init__(self, message: str, *, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One way in which a value does not fit: `message` is a predicate, to be read after the name of the place.

    `detail` holds no value of the instance: `expected` (the keyword's value), `names` (the fields that are missing or
    unknown), `known` (the fields that exist at the place) and `says` (the schema's own `patternErrorMessage`).
    """

    path: tuple[str | int, ...]
    keyword: str
    message: str
    detail: Mapping[str, Any]


class Contract:
    """A compiled schema (2020-12 where it names no other draft)."""

    __slots__ = ("_checker",)

    def __init__(self, schema: Mapping[str, Any], *, engine: str | None = None, linear: bool = False) -> None:
        """Compile a schema; `engine` is `jsonschema_rs` or `jsonschema` (default: the first that is installed).

        `linear` takes only patterns that are matched in linear time: no look-around, no back-references. The second
        engine cannot promise that.
        """
        self._checker = _checker(schema, engine, linear=linear)

    def fits(self, instance: Any) -> bool:
        """Tell whether a plain JSON value has no violation."""
        return self._checker.accepts(instance)

    def violations(self, instance: Any, *, masked: bool = False) -> list[Violation]:
        """Return everything that does not fit, in the order of the paths; `masked` keeps values out of the messages.

        Takes plain JSON values only. Raises InvalidSchemaError where only the use of a reference shows that it is bad.
        """
        if self._checker.accepts(instance):
            return []
        found = (_violation(flaw, masked=masked) for flaw in self._checker.flaws(instance))
        distinct = {(violation.path, violation.keyword, violation.message): violation for violation in found}
        return sorted(distinct.values(), key=lambda v: (_sortable(v.path), v.keyword, v.message))


def schema_flaws(schema: Mapping[str, Any], first: InvalidSchemaError) -> list[InvalidSchemaError]:
    """Return everything that makes a schema invalid, in the order of the paths; `first` is what its compiler told."""
    try:
        draft = str(schema.get("$schema", "https://json-schema.org/draft/2020-12/schema"))
        rules = Contract({"$schema": draft, "$ref": draft})
        found = rules.violations(schema)
    except InvalidSchemaError:
        return [first]
    flaws = [InvalidSchemaError(f"{_named(v.path)} {v.message}", path=v.path) for v in found if v.path]
    if first.path not in [flaw.path for flaw in flaws]:
        flaws.append(first)
    return flaws


@cache
def load_schema(name: str) -> Mapping[str, Any]:
    """Return one of our published schemas, such as `manifest.v1`. Do not change what it returns."""
    import json

    loaded: Mapping[str, Any] = json.loads(schema_text(name))
    return loaded


def schema_text(name: str) -> str:
    """Return one of our published schemas as it is written, for whoever hands it on."""
    from pathlib import Path

    here = Path(__file__).parent
    packed = here / "schemas" / f"{name}.json"
    source = packed if packed.exists() else here.parent / "schemas" / f"{name}.json"
    return source.read_text(encoding="utf-8")


class _Flaw(NamedTuple):
    path: tuple[str | int, ...]
    keyword: str
    expected: Any
    schema: Mapping[str, Any]
    instance: Any
    names: tuple[str, ...]


_TOO_DEEP = _Flaw((), "depth", None, {}, None, ())


class _Fast:
    """The jsonschema-rs engine."""

    def __init__(self, schema: Mapping[str, Any], *, linear: bool) -> None:
        import jsonschema_rs

        refused: list[str] = []

        def refuse(reference: str) -> NoReturn:
            refused.append(reference)
            raise ValueError(reference)

        self._schema = schema
        try:
            self._validator = jsonschema_rs.validator_for(
                dict(schema),
                retriever=refuse,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=LARGEST) if linear else None,
            )
        except (ValueError, jsonschema_rs.ReferencingError) as trouble:
            path = tuple(getattr(trouble, "instance_path", ()))
            message = _missing(refused[0]) if refused else str(getattr(trouble, "message", trouble)).split("\n", 1)[0]
            raise InvalidSchemaError(message, path=path) from trouble

    def accepts(self, instance: Any) -> bool:
        return self._validator.is_valid(instance)

    def flaws(self, instance: Any) -> Iterator[_Flaw]:
        try:
            errors = list(self._validator.iter_errors(instance))
        except ValueError as trouble:
            if "Recursion" not in str(trouble):
                raise
            yield _TOO_DEEP
            return
        for error in errors:
            where = tuple(error.schema_path)
            parent, expected = self._resolve(where)
            if expected is None:
                expected = getattr(error.kind, "types", getattr(error.kind, "limit", None))
            keyword, names = str(where[-1]) if where else "", tuple(getattr(error.kind, "unexpected", ()))
            if error.kind.name == "propertyNames":
                keyword, names = "propertyNames", (str(error.kind.as_dict()["error"].instance),)
            elif error.kind.name == "falseSchema":
                keyword = "false"
            yield _Flaw(tuple(error.instance_path), keyword, expected, parent, error.instance, names)

    def _resolve(self, where: tuple[str | int, ...]) -> tuple[Mapping[str, Any], Any]:
        parent: Any = {}
        node: Any = self._schema
        for step in where:
            parent = node
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return {}, None
        return parent if isinstance(parent, Mapping) else {}, node


class _Reference:
    """The jsonschema engine, where the other has no wheel; a bad reference shows only when it is used."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema import Draft202012Validator, SchemaError
        from jsonschema.validators import validator_for
        from referencing import Registry

        named = str(schema.get("$schema", Draft202012Validator.META_SCHEMA["$schema"]))
        kind: Any = validator_for({"$schema": named}, default=Draft202012Validator)
        if kind.META_SCHEMA["$schema"].rstrip("#") != named.rstrip("#"):
            raise InvalidSchemaError("names a `$schema` that is not known", path=("$schema",))
        try:
            kind.check_schema(schema, format_checker=kind.FORMAT_CHECKER)
        except SchemaError as trouble:
            raise InvalidSchemaError(trouble.message.split("\n", 1)[0], path=tuple(trouble.absolute_path)) from trouble
        self._validator = kind(schema, registry=Registry())

    def accepts(self, instance: Any) -> bool:
        return next(self.flaws(instance), None) is None

    def flaws(self, instance: Any) -> Iterator[_Flaw]:
        from referencing.exceptions import Unresolvable

        try:
            for error in self._validator.iter_errors(instance):
                schema = error.schema if isinstance(error.schema, Mapping) else {}
                of_name = "propertyNames" in list(error.absolute_schema_path)[-2:]
                keyword = "propertyNames" if of_name else str(error.validator or "false")
                names = (str(error.instance),) if of_name else ()
                yield _Flaw(tuple(error.absolute_path), keyword, error.validator_value, schema, error.instance, names)
        except RecursionError:
            yield _TOO_DEEP
        except Unresolvable as trouble:
            raise InvalidSchemaError(_missing(trouble.ref)) from trouble


def _checker(schema: Mapping[str, Any], engine: str | None, *, linear: bool) -> _Fast | _Reference:
    if engine != "jsonschema":
        try:
            return _Fast(schema, linear=linear)
        except ImportError:
            if engine is not None:
                raise
    return _Reference(schema)


def _named(path: Iterable[str | int]) -> str:
    return f"`{'.'.join(map(str, path))}`"


def _missing(reference: str) -> str:
    return f"refers to `{reference}`, which is not in it, and nothing is fetched"


def _names(flaw: _Flaw) -> Iterable[str]:
    """Return the names that a flaw is about: the fields that are missing, or those that are too much."""
    if flaw.names or not isinstance(flaw.instance, Mapping):
        return flaw.names
    match flaw.keyword:
        case "required":
            return [name for name in flaw.expected or () if name not in flaw.instance]
        case "dependentRequired":
            wanted = (names for key, names in (flaw.expected or {}).items() if key in flaw.instance)
            return [name for names in wanted for name in names if name not in flaw.instance]
        case "additionalProperties":
            import re

            patterns = [re.compile(p) for p in flaw.schema.get("patternProperties", ())]
            extra = flaw.instance.keys() - flaw.schema.get("properties", {}).keys()
            return [name for name in flaw.instance if name in extra and not any(p.search(name) for p in patterns)]
    return ()


def _violation(flaw: _Flaw, *, masked: bool) -> Violation:
    flaw = flaw._replace(names=tuple(dict.fromkeys(_names(flaw))), keyword=_SAME.get(flaw.keyword, flaw.keyword))
    detail = {
        "expected": flaw.expected,
        "names": flaw.names,
        "known": tuple(flaw.schema.get("properties", ())),
        "says": flaw.schema.get("patternErrorMessage"),
    }
    return Violation(path=flaw.path, keyword=flaw.keyword, message=_predicate(flaw, masked=masked), detail=detail)


def _predicate(flaw: _Flaw, *, masked: bool) -> str:
    found = "" if masked else f", found {_shown(flaw.instance)}"
    names = ", ".join(f"`{name}`" for name in flaw.names)
    match flaw.keyword:
        case "depth":
            return "is nested too deeply to be checked"
        case "type":
            wanted = [flaw.expected] if isinstance(flaw.expected, str) else flaw.expected or ["another type"]
            return f"must be {' or '.join(_KINDS.get(t, t) for t in wanted)}, found {kind_of(flaw.instance)}"
        case "enum" if isinstance(flaw.expected, list):
            return f"must be one of {', '.join(_shown(value) for value in flaw.expected)}{found}"
        case "const":
            return f"must be {_shown(flaw.expected)}{found}"
        case "required" | "dependentRequired":
            return f"lacks {names}"
        case "additionalProperties" | "unevaluatedProperties":
            return f"has fields that are not known: {names}" if names else "has fields that are not known"
        case "propertyNames":
            return f"has a name that cannot be: {names}"
        case "pattern" if flaw.schema.get("patternErrorMessage"):
            return f"{flaw.schema['patternErrorMessage']}{found}"
        case "minLength" | "minItems" | "minProperties" if flaw.expected == 1:
            return "must not be empty"
        case keyword:
            says = _SAYS.get(keyword, f"does not fit `{keyword}`")
            return f"{says.format(e=_shown(flaw.expected))}{found}"


_SAYS = {
    "pattern": "must match the pattern {e}",
    "minLength": "must have at least {e} characters",
    "maxLength": "must have at most {e} characters",
    "minItems": "must have at least {e} items",
    "maxItems": "must have at most {e} items",
    "minProperties": "must have at least {e} fields",
    "maxProperties": "must have at most {e} fields",
    "minimum": "must be at least {e}",
    "maximum": "must be at most {e}",
    "exclusiveMinimum": "must be greater than {e}",
    "exclusiveMaximum": "must be less than {e}",
    "multipleOf": "must be a multiple of {e}",
    "uniqueItems": "must not name anything twice",
    "anyOf": "fits none of the forms that are allowed",
    "oneOf": "must fit exactly one of the forms that are allowed",
    "not": "has a form that is not allowed",
    "contains": "lacks an item of the form that is asked for",
    "format": "must have the format {e}",
    "false": "must not be there",
}
_SAME = {"minContains": "contains"}
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_FOUND = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}


def kind_of(value: Any) -> str:
    """Return the words for what a JSON value is: `a list`."""
    return _KINDS[_FOUND.get(type(value), "null")]


def _shown(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _sortable(path: tuple[str | int, ...]) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, step, "") if isinstance(step, int) else (1, 0, step) for step in path)
