"""Where the inputs of a rendering are given: a variable, a value of a matrix, an item, a file. Renders nothing."""

from collections.abc import Mapping

from taskspec.desired.assigning import DEFAULT
from taskspec.desired.making import FILE, Making, part_of
from taskspec.diagnostics import Position


def given_at(making: Making, name: str) -> Position | None:
    """Return where what an input is named by is given; None where that is no place in a file."""
    root, _, rest = name.partition(".")
    if name.startswith(FILE):
        return making.maker.place(name.removeprefix(FILE))
    if root == "vars":
        return _variable(making, rest.partition(".")[0])
    if root == "matrix":
        return _of_matrix(making, rest)
    return _of_items(making, rest) if root == "each" else None


def cell_places(making: Making) -> tuple[tuple[str, Position], ...]:
    """Return what names its cell, as an author writes it, and where that stands: the values, and what gives them."""
    if "each" in making.own:
        return (("each.key", _of_items(making, "key")),)
    axes = {name: value for name, value in (making.matrix or {}).items() if name not in {"include", "exclude"}}
    found = [(f"matrix.{name}", _of_matrix(making, name)) for name in axes]
    used = dict.fromkeys(one for value in axes.values() if isinstance(value, str) for one in making.names_in(value))
    found += [(name, place) for name in used if (place := given_at(making, name)) is not None]
    return tuple(found)


def _variable(making: Making, name: str) -> Position | None:
    giver, document = making.maker.givers.get(name), making.maker.project.document
    if giver is None:
        return None
    if giver.name == DEFAULT and document is not None:
        return document.position(("spec", "variables", name, "default"))
    position = giver.value_position or giver.position
    return position if position.line else None


def _of_matrix(making: Making, name: str) -> Position:
    """Return where the matrix gives its cell a value: in the list of an axis, else in what it includes."""
    own, matrix = making.own.get("matrix", {}), making.matrix if making.matrix is not None else {}
    axis, included = matrix.get(name), matrix.get("include")
    value = own.get(name) if isinstance(own, Mapping) else None
    if isinstance(axis, list) and value in axis:
        return making.source.position(("matrix", name, axis.index(value)))
    for index, entry in enumerate(included if isinstance(included, list) else ()):
        if isinstance(entry, Mapping) and entry.items() <= own.items():
            return making.source.position(("matrix", "include", index, name))
    return making.source.position(("matrix", name) if name in matrix else ("matrix",), key=name not in matrix)


def _of_items(making: Making, name: str) -> Position:
    """Return where the item of its cell stands: its line in the file, or the `forEach`."""
    if not making.items:
        return making.source.position(("forEach",), key=True)
    value = part_of(making.own.get("each"), tuple(name.split(".")))
    for number, line in enumerate(making.maker.text_of(making.items).split("\n"), 1):
        if isinstance(value, str | int) and str(value) in line:
            return making.maker.place(making.items, number)
    return making.maker.place(making.items)
