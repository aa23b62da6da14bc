"""Where the inputs of a rendering are given: a variable, a value of a matrix, an item, a file. Renders nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from taskspec.desired.assigning import DEFAULT
from taskspec.desired.ingredients import FILE, FieldPath, part_of
from taskspec.desired.itemizing import ITEM, items_in, named_by
from taskspec.desired.making import Making
from taskspec.desired.segmenting import line_of
from taskspec.diagnostics import Position


def given_at(making: Making, name: str, lines: Iterable[str] = ()) -> Position | None:
    """Return where what an input is named by is given; None where that is no place in a file, or nobody can tell.

    `lines` are new in what was rendered: of a value of several lines they tell which was edited.
    """
    root, _, rest = name.partition(".")
    if name.startswith(FILE):
        return making.maker.place(name.removeprefix(FILE))
    if root == "vars":
        return _variable(making, rest.partition(".")[0])
    if root == "matrix":
        return _of_matrix(making, rest)
    return _of_items(making, rest, lines) if root == "each" else None


def cell_places(making: Making) -> Iterator[tuple[str, int, Position]]:
    """Yield what names its cell, as an author writes it, for which of the cell's values, and where that stands.

    Where a variable holds the value, that is told, and not the template which only takes it from there.
    """
    if "each" in making.own:
        place = _of_items(making, "key")
        if place is not None:
            yield "each.key", 0, place
        return
    axes = {name: value for name, value in (making.matrix or {}).items() if name not in {"include", "exclude"}}
    for index, (name, axis) in enumerate(axes.items()):
        own = part_of(making.own.get("matrix"), (name,))
        used = making.names_in(axis) if isinstance(axis, str) else ()
        holding = [one for one in used if isinstance(held := making.value_of(one), list | Mapping) and own in held]
        for one in holding:
            if (place := given_at(making, one)) is not None:
                yield one, index, place
        if not holding:
            yield f"matrix.{name}", index, _of_matrix(making, name)


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


def _of_items(making: Making, name: str, lines: Iterable[str] = ()) -> Position | None:
    """Return where the item of its cell stands: its row in the file, or where the `forEach` lists it."""
    key = str(part_of(making.own.get("each"), ("key",)))
    field = named_by(making.each)
    if making.items:
        row = making.maker.rows(making.items, field).get(key)
        if row is None:
            return None
        wanted = (field or "") if name == "key" else name.partition(".")[2]
        line = row.of(wanted)
        value = part_of(making.own.get("each"), tuple(name.split(".")))
        if isinstance(value, str) and "\n" in value.strip() and not making.items.endswith(".json"):
            line = _line_within(making.maker.text_of(making.items), line, value, lines)
        return making.maker.place(making.items, line) if line else None
    path, written = making.written(f"each.{name}" if name != "key" else f"{ITEM}.{field}" if field else ITEM)
    if path:
        return _written_at(making, path, written, lines)
    items = items_in(making.each)[1]
    names = making.names_in(items) if isinstance(items, str) else ()
    places = [place for used in names if (place := given_at(making, used)) is not None]
    return places[0] if len(places) == 1 else making.source.position(("forEach",), key=True)


def _line_within(text: str, first: int, value: str, lines: Iterable[str]) -> int:
    """Return which line of a value of several was edited, as some of what it gave is new; 0 where nobody can tell."""
    written = text.split("\n")[first - 1 : first + value.count("\n") + 1]
    parts = [line.strip().strip('",') for line in written]
    for new in lines:
        for index, part in enumerate(parts):
            if part and part in new:
                return first + index
    return 0


def _written_at(making: Making, path: FieldPath, written: Any, lines: Iterable[str]) -> Position | None:
    """Return where an item, or a field of it, is written; of a text of several lines the one that was edited."""
    if not isinstance(written, str) or "\n" not in written.strip():
        position = making.source.position(path)
        named = making.source.position(path, key=True)
        return position if position.line <= named.line else named
    line = line_of(written, lines)
    if line is None:
        return None
    offset = sum(len(one) + 1 for one in written.split("\n")[: line - 1])
    return making.maker.pinpointer.at(making.source, path, written, offset)
