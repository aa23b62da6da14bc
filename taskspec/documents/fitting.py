"""Whether values fit the declarations of variables, and what is wrong with those. Shows no sensitive value."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final, assert_never

from taskspec.contracts import Contract, InvalidSchemaError, kind_of
from taskspec.diagnostics import Diagnostic, Position, nearest
from taskspec.documents.model import Document, Project, VariableSpec, VariableType

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def misfit(variable: VariableSpec, value: Any) -> str:
    """Return why a value does not fit, as a predicate (`must be a list, found a string`), or an empty string."""
    if not is_text(value):
        return "holds half of a character (bytes that are not UTF-8, or an unpaired surrogate)"
    wanted = _wanted(variable.type, value)
    if wanted:
        return f"must be {wanted}, found {kind_of(value)}"
    if variable.enum and not any(_same(value, allowed) for allowed in variable.enum):
        allowed = "" if variable.sensitive else f": {', '.join(json.dumps(item) for item in variable.enum)}"
        return f"must be one of the values of its `enum`{allowed}"
    if variable.pattern and not _pattern(variable.pattern).fits(value):
        return "must match its `pattern`" + ("" if variable.sensitive else f" {variable.pattern}")
    return ""


def is_text(value: Any) -> bool:
    """Tell whether every text in a JSON value, names included, can be written as UTF-8."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and not item.isascii() and _SURROGATE.search(item):
            return False
    return True


def undeclared(name: str, declared: Mapping[str, VariableSpec], position: Position) -> Diagnostic:
    """Say that a value is given to a variable that the project does not declare."""
    return Diagnostic(
        summary="Undeclared variable",
        detail=f"`{name}` is given, but the project declares no such variable.",
        hint=nearest(name, declared) or "Declare it under `spec.variables` of the project.",
        position=position,
    )


def refused(spec: VariableSpec, position: Position, why: str) -> Diagnostic:
    """Say why a value cannot be used, without the value."""
    return Diagnostic(
        summary="Wrong value of a variable",
        detail=f"The value of `{spec.name}` cannot be used. {why}",
        hint=f"It is declared at {spec.position} as `{spec.type}`.",
        position=position,
    )


def check_variables(project: Project, document: Document) -> Iterator[Diagnostic]:
    """Find what is wrong with declarations, and with the values that the environment gives."""
    for variable in project.variables.values():
        yield from declaration_trouble(variable, document)
    spec = document.value.get("spec") or {}
    for environment, overlaid in spec.get("environments", {}).items():
        for name in overlaid.get("variables", {}):
            if name not in project.variables:
                place = ("spec", "environments", environment, "variables", name)
                yield undeclared(name, project.variables, document.position(place, key=True))


def declaration_trouble(variable: VariableSpec, document: Document) -> Iterator[Diagnostic]:
    """Find what is wrong with a declaration beyond its form."""
    place = ("spec", "variables", variable.name)
    if variable.pattern:
        if variable.type is not VariableType.STRING:
            yield Diagnostic(
                summary="Contradicting fields",
                detail=f"`pattern` is for texts, and the variable `{variable.name}` is of type `{variable.type}`.",
                hint="Remove it, or write `type: string`.",
                position=document.position((*place, "pattern"), key=True),
            )
            return
        try:
            Contract({"pattern": variable.pattern})
        except InvalidSchemaError:
            yield Diagnostic(
                summary="Wrong pattern",
                detail=f"The `pattern` of the variable `{variable.name}` is no regular expression.",
                hint="Write it as in JSON Schema, in single quotes: '^[a-z]+$'.",
                position=document.position((*place, "pattern")),
            )
            return
    for index, item in enumerate(variable.enum):
        if words := misfit(replace(variable, enum=()), item):
            position = document.position((*place, "enum", index))
            yield Diagnostic(
                summary="Wrong value",
                detail=f"A value of the variable `{variable.name}` {words}.",
                hint="Change the value, or the `type`.",
                position=position,
            )
    if variable.has_default and (words := misfit(variable, variable.default)):
        position = document.position((*place, "default"))
        yield Diagnostic(
            summary="Wrong value",
            detail=f"The default of the variable `{variable.name}` {words}.",
            hint="Change the default, or what is declared of the variable.",
            position=position,
        )


@cache
def _pattern(pattern: str) -> Contract:
    return Contract({"type": "string", "pattern": pattern})


def _wanted(kind: VariableType, value: Any) -> str:
    """Return what is wanted instead, or an empty string. `true` is no number, although Python says so."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case VariableType.STRING:
            return "" if isinstance(value, str) else "a string"
        case VariableType.NUMBER:
            return "" if number else "a number"
        case VariableType.INTEGER:
            return "" if number and isinstance(value, int) else "a whole number"
        case VariableType.BOOLEAN:
            return "" if isinstance(value, bool) else "true or false"
        case VariableType.LIST:
            return "" if isinstance(value, list) else "a list"
        case VariableType.MAP:
            return "" if isinstance(value, Mapping) else "a mapping"
        case _:
            assert_never(kind)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
