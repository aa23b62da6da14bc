"""A declared task → its cells: one for each combination of a matrix, one for each item of a `forEach`. Renders no task.

Each cell has a stable address: adding a value makes new cells, and never touches the others.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, Final

from taskspec.address import MAX_ADDRESS, cell_address
from taskspec.desired.budgeting import MAX_REPEATED
from taskspec.desired.confining import WrongFileError
from taskspec.desired.model import Cell
from taskspec.desired.scope import Names
from taskspec.diagnostics import nearest, path_text
from taskspec.documents.model import TaskDocument

Path = tuple[str | int, ...]
Rendered = Callable[[Any, Path], tuple[Any, Any]]
"""Renders a value of the spec at a path: as it is, and masked; what is wrong with it is told elsewhere."""

MAX_CELLS: Final = 100_000
"""How many cells all tasks of a project together may have."""
_MAX_COMPARED: Final = 5_000_000
"""How often cells are compared with what `exclude` leaves out."""


class WrongCellsError(Exception):
    """What is wrong with a matrix or a `forEach`, at a path of the spec."""

    def __init__(self, path: Path, detail: str, hint: str = "", *, key: bool = False) -> None:
        super().__init__(detail)
        self.path = path
        self.detail = detail
        self.hint = hint
        self.key = key
        self.file: tuple[str, tuple[int, int]] | None = None
        """The file of the project that is wrong, with line and column."""


class Room:
    """The room for cells that a project has left: what is looked at takes of it, even where it is refused then."""

    def __init__(self) -> None:
        self.left = MAX_CELLS
        self._repeated = 0

    def take(self, count: int, path: Path) -> None:
        """Take room for so many cells; raises WrongCellsError where there is none."""
        if count > MAX_CELLS:
            raise WrongCellsError(path, f"These are {count:,} cells, and {MAX_CELLS:,} are allowed.", key=True)
        self.left -= count
        if self.left < 0:
            detail = f"With these {count:,} cells, the tasks of the project have more than {MAX_CELLS:,}."
            raise WrongCellsError(path, detail, "Make fewer of them, or split the project.", key=True)

    def repeat(self, weight: int) -> None:
        """Take note of what cells and defaults repeat of a spec; raises WrongCellsError where that is too much."""
        self._repeated += weight
        if weight and self._repeated > MAX_REPEATED:
            self.left = -1
            detail = "Cells and defaults repeat more of what is written once than fits into one project."
            raise WrongCellsError((), detail, "Make fewer tasks of long texts.", key=True)


def expand(task: TaskDocument, rendered: Rendered, rows: Callable[[str], Any], room: Room) -> Iterator[Cell]:
    """Yield the cells of a task, in the order of their values; `rows` reads the items of a file.

    Raises WrongCellsError.
    """
    if "matrix" in task.spec:
        yield from _of_matrix(task, task.spec["matrix"], rendered, room)
    elif "forEach" in task.spec:
        yield from _of_items(task, task.spec["forEach"], rendered, rows, room)
    else:
        yield Cell(task=task, address=task.address)


def _of_matrix(task: TaskDocument, written: Mapping[str, Any], rendered: Rendered, room: Room) -> Iterator[Cell]:
    axes = {
        name: _axis(_open(rendered, values, ("matrix", name)), ("matrix", name))
        for name, values in written.items()
        if name not in {"include", "exclude"}
    }
    if not axes:
        raise WrongCellsError(
            ("matrix",), "The matrix has no axis.", "Write, for example, `quarter: [q1, q2]`.", key=True
        )
    size = prod(len(values) for values in axes.values())
    room.take(size, ("matrix",))
    cells: dict[tuple[str, ...], dict[str, Any]] = {}
    left_out = _entries(rendered, written, "exclude", axes)
    for path, entry in left_out:
        if stranger := next((name for name in entry if name not in axes), None):
            raise WrongCellsError(
                (*path, stranger), f"The matrix has no axis `{stranger}`.", nearest(stranger, axes), key=True
            )
        for name, value in entry.items():
            _require_scalar(value, (*path, name), "Write an entry for each value: [{q: a}, {q: b}].")
    if size * len(left_out) > _MAX_COMPARED:
        hint = "Leave out fewer, or name the cells themselves with `include`."
        raise WrongCellsError(
            ("matrix", "exclude"), f"{len(left_out):,} entries for {size:,} cells are too many.", hint
        )
    for values in product(*axes.values()):
        combination = dict(zip(axes, values, strict=True))
        if not any(all(_same(combination[name], value) for name, value in entry.items()) for _, entry in left_out):
            cells[tuple(map(value_text, values))] = combination
    added = _entries(rendered, written, "include", axes)
    room.take(len(added), ("matrix", "include"))
    for path, entry in added:
        missing = [name for name in axes if name not in entry]
        if missing:
            detail = f"An entry of `include` names every axis; `{missing[0]}` is missing."
            raise WrongCellsError(path, detail, f"Add `{missing[0]}: …`.")
        combination = {**{name: entry[name] for name in axes}, **entry}
        for name in axes:
            _require_scalar(entry[name], (*path, name))
        key = tuple(value_text(entry[name]) for name in axes)
        cells[key] = cells.get(key, {}) | combination
    known = {name for names in cells.values() for name in names}
    for key, names in cells.items():
        seen = Names(names, path="matrix", absent=known - names.keys())
        yield _cell(task, key, {"matrix": seen}, ("matrix",))


def _axis(values: Any, path: Path) -> list[Any]:
    if not isinstance(values, list):
        raise WrongCellsError(
            path, f"`{path_text(path)}` must be a list.", "Write [one, two], or a template that gives a list."
        )
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        _require_scalar(value, (*path, index))
        if first.setdefault(value_text(value), index) != index:
            detail = f"The value `{value_text(value)}` stands twice in `{path_text(path)}`."
            raise WrongCellsError((*path, index), detail, "Remove one of the two.")
    return values


def _entries(
    rendered: Rendered, written: Mapping[str, Any], name: str, axes: Mapping[str, Any]
) -> list[tuple[Path, Mapping[str, Any]]]:
    path: Path = ("matrix", name)
    entries = _open(rendered, written.get(name, []), path)
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        example = f"[{{{', '.join(f'{axis}: …' for axis in axes)}}}]"
        raise WrongCellsError(path, f"`{path_text(path)}` must be a list of mappings.", f"Write {name}: {example}.")
    return [((*path, index), entry) for index, entry in enumerate(entries)]


def _of_items(
    task: TaskDocument, written: Any, rendered: Rendered, rows: Callable[[str], Any], room: Room
) -> Iterator[Cell]:
    path: Path = ("forEach",)
    named_by = None
    if isinstance(written, Mapping) and written.keys() <= {"items", "file", "key"}:
        named_by = written.get("key")
        if ("items" in written) == ("file" in written):
            raise WrongCellsError(
                path, "A `forEach` has either `items` or a `file`.", "Write one of the two.", key=True
            )
        path = ("forEach", "items" if "items" in written else "file")
        items = _open(rendered, written["items"], path) if "items" in written else _read(written, rendered, rows, path)
    else:
        items = _open(rendered, written, path)
    room.take(len(items) if isinstance(items, Mapping | list) else 0, path)
    first: dict[str, int] = {}
    for index, (key, value) in enumerate(_pairs(items, named_by, path)):
        if first.setdefault(key, index) != index:
            by_field = named_by is not None or isinstance(items, Mapping)
            way = "Name them by another `key`, or remove one." if by_field else "Remove one of the two."
            raise WrongCellsError((*path, index), f"Two items of the `forEach` are named `{key}`.", way)
        yield _cell(task, (key,), {"each": Names({"key": key, "value": value}, path="each")}, path)


def _read(written: Mapping[str, Any], rendered: Rendered, rows: Callable[[str], Any], path: Path) -> Any:
    file = _open(rendered, written["file"], path)
    try:
        return rows(str(file))
    except WrongFileError as fault:
        wrong = WrongCellsError(path, fault.detail, fault.hint)
        wrong.file = (str(file), fault.place) if fault.place is not None else None
        raise wrong from fault


def _pairs(items: Any, named_by: str | None, path: Path) -> Iterable[tuple[str, Any]]:
    """Return the name and the value of each item: keys of a map, the values themselves, or a field of theirs."""
    if isinstance(items, Mapping):
        if named_by is not None:
            detail = f"The items are a map, whose keys name them, and `key` asks for the field `{named_by}`."
            raise WrongCellsError(("forEach", "key"), detail, "Remove `key`, or write the items as a list.", key=True)
        return [(_key(str(key), path), value) for key, value in items.items()]
    if not isinstance(items, list):
        raise WrongCellsError(path, "A `forEach` goes over a list or a map.", "Give it one, or a file that holds one.")
    found = []
    for index, item in enumerate(items):
        here = (*path, index)
        if isinstance(item, Mapping):
            found.append((_field(item, named_by, here, index), item))
        else:
            _require_scalar(item, here)
            if named_by is not None:
                detail = f"Item {index + 1}, `{value_text(item)}`, is no map, so it has no field `{named_by}`."
                raise WrongCellsError(here, detail, "Write maps, or remove `key` where the items name themselves.")
            found.append((_key(value_text(item), here), item))
    return found


def _field(item: Mapping[str, Any], named_by: str | None, path: Path, index: int) -> str:
    if named_by is None:
        example = next(iter(item), "id")
        raise WrongCellsError(
            path,
            "The items are maps, and nothing says which of their fields names them.",
            f"Write `forEach: {{{path[1] if len(path) > 2 else 'items'}: …, key: {example}}}`.",
        )
    if named_by not in item:
        known = ", ".join(f"`{name}`" for name in item)
        way = nearest(named_by, map(str, item)) or (f"It has {known}." if known else "")
        if len(item) == 1 and named_by in re.split(r"[;\t|]", str(*item)):
            way = f"It has {known}: write commas between the columns."
        raise WrongCellsError(path, f"Item {index + 1} has no field `{named_by}`.", way)
    _require_scalar(item[named_by], path)
    return _key(value_text(item[named_by]), path)


def _key(text: str, path: Path) -> str:
    if not text:
        raise WrongCellsError(path, "An item has an empty name.", "Every item needs a name of its own.")
    return text


def _open(rendered: Rendered, value: Any, path: Path) -> Any:
    """Return a rendered value; a secret in it would stand in addresses."""
    real, masked = rendered(value, path)
    if real is not masked:
        raise WrongCellsError(
            path,
            "A sensitive variable is used in what names the cells, which is shown everywhere.",
            "Use it in `userTokens`, `mcpServers` or the prompt.",
        )
    return real


def _cell(task: TaskDocument, values: Iterable[str], names: Mapping[str, Any], path: Path) -> Cell:
    address = cell_address(task.address, values)
    if len(address) > MAX_ADDRESS:
        raise WrongCellsError(path, f"The address `{address[:60]}…` is longer than {MAX_ADDRESS} characters.")
    return Cell(task=task, address=address, names=names)


def _require_scalar(value: Any, path: Path, hint: str = "Go over maps with `forEach`, whose `key` names them.") -> None:
    if not isinstance(value, str | int | float):
        kind = "a map" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "null"
        raise WrongCellsError(
            path,
            f"A value that names a cell is a text, a number, or true or false; found {kind}.",
            hint,
        )


def value_text(value: Any) -> str:
    """Return a value as it stands in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _same(one: Any, other: Any) -> bool:
    return isinstance(other, str | int | float) and value_text(one) == value_text(other)
