"""Renaming: tasks all of whose cells have new addresses, as by a new axis, and how one can say which was which.

Moves nothing itself: what a new cell was before is the author's to say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from taskspec.address import Address, cell_values, task_name
from taskspec.desired.expanding import value_text
from taskspec.desired.model import Cell, Desired
from taskspec.plan.causes import Reason
from taskspec.plan.move_reasons import cells_renamed
from taskspec.state.model import Record

_PLAIN: Final = re.compile(r"[\w .:/@+-]*")
"""What can stand in quotes within quotes as it is."""
_SPECIAL: Final = re.compile(r"[,\[\]\"]")
"""What an address can hold only in quotes, so that nobody takes it for the end of a value."""
_NO_AXES: Final = frozenset({"include", "exclude"})


def renamed_cells(desired: Desired, records: Mapping[Address, Record]) -> Mapping[Address, Reason]:
    """Return, for each cell of a task of whose cells none is recorded while others are, what that costs."""
    removed: dict[str, list[Address]] = {}
    for address in sorted(records.keys() - desired.tasks.keys()):
        removed.setdefault(task_name(address), []).append(address)
    declared: dict[str, list[Address]] = {}
    for address in desired.tasks:
        if (name := task_name(address)) in removed:
            declared.setdefault(name, []).append(address)
    found: dict[Address, Reason] = {}
    for name, news in declared.items():
        if any(address in records for address in news) or "[" not in news[0]:
            continue
        cells = [desired.cells[address] for address in news if address in desired.cells]
        field = "matrix" if cells and "matrix" in cells[0].task.spec else "forEach"
        way = _way(removed[name], cells)
        found |= {new: cells_renamed(desired.tasks[new], field, removed[name], len(news), way) for new in news}
    return found


def _way(olds: Sequence[Address], cells: Sequence[Cell]) -> str:
    """Return what an author can write, as exactly as the axes tell it."""
    written = _template(olds, cells) if cells and "matrix" in cells[0].task.spec else None
    if written is None:
        return "`moved: {from: …}` with a template that gives the former address of each cell"
    return f'`moved: {{from: "{written}"}}`'


def _template(olds: Sequence[Address], cells: Sequence[Cell]) -> str | None:
    """Return the template that gives each old address to one of the new cells; None where no axis has its values."""
    axes = {
        axis: list(dict.fromkeys(value_text(cell.names["matrix"].get(axis)) for cell in cells))
        for axis in cells[0].task.spec["matrix"]
        if axis not in _NO_AXES
    }
    chosen: list[str] = []
    places: list[str] = []
    for values in _positions(olds):
        axis = next((name for name in axes if name not in chosen and values <= set(axes[name])), None)
        if axis is None:
            return None
        chosen.append(axis)
        quoted = " | tojson" if any(_SPECIAL.search(value) for value in axes[axis]) else ""
        places.append(f"{{{{ matrix.{axis}{quoted} }}}}")
    address = f"{task_name(olds[0])}[{','.join(places)}]" if chosen else task_name(olds[0])
    added = [axis for axis, values in axes.items() if axis not in chosen and len(values) > 1]
    firsts = [cells[0].names["matrix"][axis] for axis in added]
    if any(isinstance(value, str) and not _PLAIN.fullmatch(value) for value in firsts):
        return None
    first = " and ".join(f"matrix.{axis} == {_literal(value)}" for axis, value in zip(added, firsts, strict=True))
    return f"{{% if {first} %}}{address}{{% endif %}}" if first else address


def _positions(olds: Sequence[Address]) -> Iterator[set[str]]:
    """Yield the values that stand at each place of the old addresses, as far as all have one there."""
    for values in zip(*map(cell_values, olds), strict=False):
        yield set(values)


def _literal(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else value_text(value)
