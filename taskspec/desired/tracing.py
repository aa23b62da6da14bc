"""The effective values of one task, each traced to what gave it. Renders nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.dotted import is_template
from taskspec.desired.model import Cell, DeferredTask, Desired, DesiredTask, Giver
from taskspec.desired.normalising import is_secret_place
from taskspec.desired.scope import names_a_secret, placeholder
from taskspec.diagnostics import Position
from taskspec.documents.defaulting import TASK_POLICIES
from taskspec.documents.model import Policies
from taskspec.documents.overlaying import leaves

TASK: Final = "task"
BUILT_IN: Final = "built in"
ENVIRON: Final = "process environment"
_VARIABLE: Final = re.compile(r"\bvars(?:\.(\w+)|\[['\"](\w+)['\"]\])")
_ENVIRON: Final = re.compile(r"\benv(?:\.(\w+)|\[['\"](\w+)['\"]\])")
_OWN_NAME: Final = re.compile(r"\b(matrix|each)\.(\w+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingredient:
    """A name that a template uses, its value, and who gave it."""

    name: str
    value: Any
    giver: str
    position: Position | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """One effective value: where it stands, what gave it (`task`, `default` …), and what its template is made of."""

    path: tuple[str | int, ...]
    value: Any
    giver: str
    position: Position | None = None
    ingredients: tuple[Ingredient, ...] = ()


def trace(desired: Desired, address: Address) -> tuple[Traced, ...]:
    """Return every effective value of a declared task, those that it leaves to taskspec at the end."""
    cell, task = desired.cells[address], desired.tasks[address]
    written = [*_written(cell, task, desired)]
    return (*written, *_built_in(task.policies, {value.path for value in written}))


def _written(cell: Cell, task: DesiredTask | DeferredTask, desired: Desired) -> Iterator[Traced]:
    spec, source = cell.task.spec, cell.task.source
    for path in leaves(spec):
        origin, _ = source.origin(path)
        raw = _at(spec, path)
        rendered = _at({"title": task.title, **task.spec}, path)
        yield Traced(
            path=path,
            value=raw if rendered is None else rendered,
            giver=origin.giver if origin else TASK,
            position=source.position(path, key=True),
            ingredients=tuple(
                _hidden(one) if is_secret_place(path) else one for one in _ingredients(raw, cell, desired)
            ),
        )
    if "title" not in spec:
        yield Traced(path=("title",), value=task.title, giver=BUILT_IN)


def _ingredients(raw: Any, cell: Cell, desired: Desired) -> Iterator[Ingredient]:
    """Yield the names that the templates in a value mention, each once."""
    texts = [text for text in _texts(raw) if is_template(text)]
    for name in _named(_VARIABLE, texts):
        giver: Giver | None = desired.givers.get(name)
        if giver is not None:
            place = giver.position if giver.position.line else None
            yield Ingredient(name=f"vars.{name}", value=desired.variables.get(name), giver=giver.name, position=place)
    for name in _named(_ENVIRON, texts):
        if name in desired.environ:
            yield Ingredient(name=f"env.{name}", value=desired.environ[name], giver=ENVIRON)
    for holder, name in dict.fromkeys(found.groups() for text in texts for found in _OWN_NAME.finditer(text)):
        names = cell.names.get(holder, {})
        if name in names:
            field = "matrix" if holder == "matrix" else "forEach"
            place = cell.task.source.position((field,), key=True)
            yield Ingredient(name=f"{holder}.{name}", value=names[name], giver=field, position=place)


def _hidden(one: Ingredient) -> Ingredient:
    """Return what a secret is made of without its value."""
    return one if names_a_secret(one.value) else replace(one, value=placeholder(one.name))


def _named(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterable[str]:
    """Return the names that texts mention, each once."""
    return dict.fromkeys(found[1] or found[2] for text in texts for found in pattern.finditer(text))


def _built_in(policies: Policies, given: Iterable[tuple[str | int, ...]]) -> Iterator[Traced]:
    """Yield the policies that nobody gave."""
    usual: Mapping[tuple[str, ...], Any] = {
        ("retry", "maxAttempts"): policies.retry.max_attempts,
        ("rerun", "when"): str(policies.rerun.when),
        ("onChangeActive",): str(policies.on_change_active),
        ("onRemove",): str(policies.on_remove),
        ("protect",): policies.protect,
        ("sideEffects",): policies.side_effects,
        ("timeout",): policies.timeout,
    }
    known = set(given)
    for path, value in usual.items():
        assert path[0] in TASK_POLICIES
        if path not in known and path[:1] not in known:
            yield Traced(path=path, value=value, giver=BUILT_IN)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _at(spec: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if not isinstance(spec, Mapping) or step not in spec:
            return None
        spec = spec[step]
    return spec
