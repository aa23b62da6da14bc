"""Dwindling: a task that is declared, and a cell that it has no longer → what is gone that gave it. Renders nothing."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from taskspec.address import Address, cell_values
from taskspec.desired.expanding import value_text
from taskspec.desired.giving import given_at
from taskspec.desired.ingredients import FILE
from taskspec.desired.itemizing import items_in, named_by
from taskspec.desired.making import Making
from taskspec.desired.rows import table_row
from taskspec.diagnostics import Position

_NO_AXES = frozenset({"include", "exclude"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """What is gone, in words, where it stood, and how it was written; nothing where nobody can tell."""

    what: str = ""
    position: Position | None = None
    removed: str = ""


def lost(making: Making, address: Address, used: Container[str] | None) -> Lost:
    """Return what is gone that gave a cell; `used` are the inputs that its rendering had, where they were noted."""
    values = cell_values(address)
    if isinstance(making.matrix, Mapping):
        return _of_matrix(making, making.matrix, values)
    if making.each is None or len(values) != 1:
        return Lost()
    if making.items:
        return _of_file(making, values[0], used)
    path, items = items_in(making.each)
    if isinstance(items, str):
        return _of_template(making, items, values[0])
    field = named_by(making.each)
    removed = f"{field}: {values[0]}" if field else f"{values[0]}:" if isinstance(items, Mapping) else f"- {values[0]}"
    return Lost(
        what=f"`{values[0]}` of the `forEach`", position=making.source.position(path, key=True), removed=removed
    )


def table_place(making: Making, moved: Iterable[Address]) -> tuple[Position | None, str]:
    """Return the file whose rows have another order now, and the rows: nothing where the items stand in no file."""
    if not making.items:
        return None, ""
    rows = dict.fromkeys(_written(making, cell_values(address)[0])[1] for address in moved)
    return making.maker.place(making.items), "\n".join(rows)


def _written(making: Making, key: str) -> tuple[str, str]:
    """Return what the item of a file is called, and how it is written there."""
    file, field = making.items, named_by(making.each)
    if file.endswith(".csv"):
        return "row", table_row(making.maker.text_of(file), field or "", key)
    return "item", f"{field}: {key}" if field else f"{key}:\n- {key}"


def _of_file(making: Making, key: str, used: Container[str] | None) -> Lost:
    """Return the row that is gone: none where the items were of another file, or are named by another field now."""
    file, field = making.items, named_by(making.each)
    if (used is not None and f"{FILE}{file}" not in used) or key in making.maker.rows(file, field):
        return Lost()
    what, removed = _written(making, key)
    return Lost(what=f"the {what} `{key}` of `{file}`", position=making.maker.place(file), removed=removed)


def _of_matrix(making: Making, matrix: Mapping[str, Any], values: tuple[str, ...]) -> Lost:
    axes = {name: values for name, values in matrix.items() if name not in _NO_AXES}
    if len(axes) != len(values):
        return Lost()
    for (name, axis), value in zip(axes.items(), values, strict=True):
        if isinstance(axis, str):
            found = _of_template(making, axis, value)
            if found.what:
                return found
        elif isinstance(axis, list) and value not in map(value_text, axis):
            return Lost(
                what=f"`{value}` of `matrix.{name}`",
                position=making.source.position(("matrix", name), key=True),
                removed=f"- {value}\n{name}: {value}",
            )
    return Lost()


def _of_template(making: Making, text: str, value: str) -> Lost:
    """Return the one variable whose list is without a value now: what a template makes of several is not looked at."""
    names = making.names_in(text)
    if len(names) != 1:
        return Lost()
    known = making.value_of(names[0])
    if not isinstance(known, list | Mapping) or value in map(value_text, known):
        return Lost()
    return Lost(what=f"`{value}` of `{names[0]}`", position=given_at(making, names[0]), removed=f"- {value}")
