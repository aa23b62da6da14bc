"""Declared variables + what was given → values, each parsed by its declared type. Reads no environment.

The precedence is default < environment < `TASKSPEC_VAR_x` < `--var-file` < `--var`. How a given text is read:
`string` as it is; `number` and `integer` as JSON writes them; `boolean` as `true` or `false`; `list` as a JSON array,
or as texts between commas (`a,b,c`; nothing at all is the empty list); `map` as a JSON object.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, Final, assert_never

from taskspec.desired.model import Giver
from taskspec.desired.scope import Names, Scope, mask
from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.fitting import misfit, refused, undeclared
from taskspec.documents.model import Project, VariableSpec, VariableType
from taskspec.documents.supplying import SuppliedFile
from taskspec.settings import VARIABLE_PREFIX

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MAX_DIGITS = 300
DEFAULT: Final = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenVariables:
    """What was given beside the documents, by variable name: `--var k=v`, `--var-file`, and `TASKSPEC_VAR_k=v`."""

    cli: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Sequence[SuppliedFile] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The process environment, of which templates see what the project allows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assigned:
    """What the templates of a project see, and by whom each variable was given its value."""

    scope: Scope
    givers: Mapping[str, Giver]


def assign(
    project: Project, given: GivenVariables, *, is_known: bool = True
) -> tuple[Assigned, tuple[Diagnostic, ...]]:
    """Return what the templates of a project see, and everything that is wrong with its variables' values.

    Unless it `is_known` what the project declares, nothing is complained of that it does not declare.
    """
    found = [*_strangers(project, given)] if is_known else []
    values: dict[str, Any] = {}
    givers: dict[str, Giver] = {}
    unset: dict[str, VariableSpec] = {}
    broken: set[str] = set()
    for spec in project.variables.values():
        giver = _giver(spec, project, given)
        if giver is None:
            unset[spec.name] = spec
            continue
        givers[spec.name] = giver
        try:
            value = _parsed(spec.type, giver.value) if giver.is_text else giver.value
            values[spec.name] = value if giver.name == DEFAULT else _fitting(spec, value)
        except ValueError as error:
            broken.add(spec.name)
            found.append(refused(spec, giver.value_position or giver.position, str(error)))
    hidden = {
        name: mask(value, f"vars.{name}") if project.variables[name].sensitive else value
        for name, value in values.items()
    }
    environ = Names(
        {name: given.environ[name] for name in project.env_allow if name in given.environ},
        path="env",
        absent=[name for name in project.env_allow if name not in given.environ],
        is_open=not is_known,
    )
    variables = partial(Names, path="vars", unset=unset, broken=broken, is_open=not is_known)
    real = _names(project, variables(values), environ)
    masked = real
    if any(spec.sensitive for spec in project.variables.values()):
        masked = _names(project, variables(hidden), environ)
    return Assigned(scope=Scope(real=real, masked=masked), givers=givers), tuple(found)


def _names(project: Project, variables: Names, environ: Names) -> dict[str, Any]:
    return {
        "vars": variables,
        "env": environ,
        "project": Names({"name": project.name}, path="project"),
        "environment": project.environment,
    }


def _strangers(project: Project, given: GivenVariables) -> Iterator[Diagnostic]:
    """Find values that are given to what the project does not declare, and values that two files give."""
    for name in given.cli:
        if name not in project.variables:
            yield undeclared(name, project.variables, Position(file="--var", line=0, column=0))
    first: dict[str, Position] = {}
    for file in given.files:
        for name, value in file.values.items():
            if name not in project.variables:
                yield undeclared(name, project.variables, value.position)
            elif name in first:
                yield Diagnostic(
                    summary="Given twice",
                    detail=f"Two files of --var-file give `{name}`; the other one is at {first[name]}.",
                    hint="Keep one of them; --var goes over both.",
                    position=value.position,
                )
            first.setdefault(name, value.position)


def _giver(spec: VariableSpec, project: Project, given: GivenVariables) -> Giver | None:
    """Return who gives a variable its value; None where nobody does."""
    name = spec.name
    if name in given.cli:
        return Giver("--var", Position(file="--var", line=0, column=0), given.cli[name], is_text=True)
    for file in given.files:
        if name in file.values:
            supplied = file.values[name]
            return Giver("--var-file", supplied.position, supplied.value, file.as_texts, supplied.value_position)
    if name in given.variables:
        place = f"{VARIABLE_PREFIX}{name}"
        return Giver(place, Position(file=place, line=0, column=0), given.variables[name], is_text=True)
    if name in project.values:
        supplied = project.values[name]
        return Giver(
            f"environment {project.environment}",
            supplied.position,
            supplied.value,
            value_position=supplied.value_position,
        )
    return Giver(DEFAULT, spec.position, spec.default) if spec.has_default else None


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
