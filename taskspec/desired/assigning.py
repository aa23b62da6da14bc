"""Declared variables + what was given → values, each parsed by its declared type. Reads no environment.

The precedence is default < environment < command line. How a given text is read: `string` as it is; `number` and
`integer` as JSON writes them; `boolean` as `true` or `false`; `list` as a JSON array, or as texts between commas
(`a,b,c`; nothing at all is the empty list); `map` as a JSON object.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, assert_never

from taskspec.desired.scope import Names, Scope, mask
from taskspec.diagnostics import Diagnostic, Position, nearest
from taskspec.documents.fitting import misfit
from taskspec.documents.model import Project, VariableSpec, VariableType
from taskspec.settings import VARIABLE_PREFIX

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MAX_DIGITS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenVariables:
    """What was given beside the documents, by variable name: `--var k=v` and `TASKSPEC_VAR_k=v`."""

    cli: Mapping[str, str] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


def assign(project: Project, given: GivenVariables) -> tuple[Scope, tuple[Diagnostic, ...]]:
    """Return what the templates of a project see, and everything that is wrong with its variables' values."""
    found = [_undeclared(name, project.variables) for name in given.cli if name not in project.variables]
    values: dict[str, Any] = {}
    unset: dict[str, VariableSpec] = {}
    broken: set[str] = set()
    for spec in project.variables.values():
        text, place = _given(spec.name, given)
        if text is not None:
            try:
                values[spec.name] = _fitting(spec, _parsed(spec.type, text))
            except ValueError as error:
                broken.add(spec.name)
                found.append(_refused(spec, Position(file=place, line=0, column=0), error))
        elif spec.has_default:
            values[spec.name] = spec.default
        else:
            unset[spec.name] = spec
    hidden = {
        name: mask(value, f"vars.{name}") if project.variables[name].sensitive else value
        for name, value in values.items()
    }
    real = _names(project, Names(values, path="vars", unset=unset, broken=broken))
    if not any(spec.sensitive for spec in project.variables.values()):
        return Scope(real=real, masked=real), tuple(found)
    masked = _names(project, Names(hidden, path="vars", unset=unset, broken=broken))
    return Scope(real=real, masked=masked), tuple(found)


def _names(project: Project, variables: Names) -> dict[str, Any]:
    return {
        "vars": variables,
        "project": Names({"name": project.name}, path="project"),
        "environment": project.environment,
    }


def _given(name: str, given: GivenVariables) -> tuple[str | None, str]:
    """Return what was given for a variable, and where."""
    if name in given.cli:
        return given.cli[name], "--var"
    return given.environ.get(name), f"{VARIABLE_PREFIX}{name}"


def _fitting(spec: VariableSpec, value: Any) -> Any:
    if words := misfit(spec, value):
        raise ValueError(f"It {words}.")
    return value


def _parsed(kind: VariableType, text: str) -> Any:
    match kind:
        case VariableType.STRING:
            return text
        case VariableType.INTEGER:
            return int(_matched(_INTEGER, text, "a whole number, such as 3"))
        case VariableType.NUMBER:
            number = _matched(_NUMBER, text, "a number, such as 3 or 0.5")
            return int(number) if _INTEGER.fullmatch(number) else _finite(number)
        case VariableType.BOOLEAN:
            return _matched(re.compile("true|false"), text, "`true` or `false`") == "true"
        case VariableType.LIST:
            return _json(text, "a JSON array, such as [1, 2]") if text.lstrip().startswith("[") else _texts(text)
        case VariableType.MAP:
            return _json(text, 'a JSON object, such as {"a": 1}')
        case _:
            assert_never(kind)


def _matched(pattern: re.Pattern[str], text: str, wanted: str) -> str:
    stripped = text.strip()
    if len(stripped) > _MAX_DIGITS or pattern.fullmatch(stripped) is None:
        raise ValueError(f"It must be {wanted}.")
    return stripped


def _texts(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if items == [""]:
        return []
    if "" in items:
        raise ValueError("Between two commas of a list stands nothing. Write a JSON array if an item is an empty text.")
    return items


def _json(text: str, wanted: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"It must be {wanted}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("It is a number beyond all bounds.")
    return number


def _undeclared(name: str, declared: Mapping[str, VariableSpec]) -> Diagnostic:
    return Diagnostic(
        summary="Undeclared variable",
        detail=f"`{name}` is given, but the project declares no such variable.",
        hint=nearest(name, declared) or "Declare it under `spec.variables` of the project.",
        position=Position(file="--var", line=0, column=0),
    )


def _refused(spec: VariableSpec, position: Position, error: ValueError) -> Diagnostic:
    return Diagnostic(
        summary="Wrong value of a variable",
        detail=f"The value of `{spec.name}` cannot be used. {error}",
        hint=f"It is declared at {spec.position} as `{spec.type}`.",
        position=position,
    )
