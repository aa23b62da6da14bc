"""The effective values of a task in words, each with what gave it. Looks nothing up."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from taskspec.desired.tracing import Ingredient, Traced
from taskspec.diagnostics import Position, path_text
from taskspec.report.text import Paint, columns, one_line, visible

WIDEST = 60
"""How many characters of a value are shown."""


def lines(address: str, values: Iterable[Traced], paint: Paint) -> Iterator[str]:
    """Yield a line for each value, and below it one for each name that its template uses."""
    yield paint(visible(address), "strong")
    rows: list[tuple[str, str, str]] = []
    for value in values:
        rows.append((f"  {path_text(value.path)}", _shown(value.value), _origin(value.giver, value.position)))
        rows += [(f"    {one.name}", _shown(one.value), _origin(one.giver, one.position)) for one in value.ingredients]
    yield from columns(rows)


def as_json(address: str, values: Iterable[Traced]) -> dict[str, Any]:
    """Return the same as JSON, whole."""
    return {"address": address, "values": [_value(value) for value in values]}


def _value(value: Traced) -> dict[str, Any]:
    return {
        "path": path_text(value.path),
        "value": value.value,
        "givenBy": value.giver,
        "at": _place(value.position),
        "uses": [_ingredient(one) for one in value.ingredients],
    }


def _ingredient(one: Ingredient) -> dict[str, Any]:
    return {"name": one.name, "value": one.value, "givenBy": one.giver, "at": _place(one.position)}


def _place(position: Position | None) -> dict[str, Any] | None:
    return None if position is None else position.as_json


def _shown(value: Any) -> str:
    return "none" if value is None else one_line(json.dumps(value, ensure_ascii=False), WIDEST)


def _origin(giver: str, position: Position | None) -> str:
    return f"{one_line(giver)}  {one_line(str(position))}" if position else one_line(giver)
