"""The reasons of cells: what gives a task a cell that it did not have, and what took one from it. Decides nothing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from taskspec.address import Address, cell_values, task_name
from taskspec.desired.dwindling import Lost, lost
from taskspec.desired.giving import cell_places
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared
from taskspec.state.model import Record

_SHOWN: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """The cells of one task: those that are declared, and the addresses of those that are recorded."""

    declared: Mapping[Address, Declared] = field(default_factory=dict)
    recorded: Collection[Address] = ()

    @property
    def task(self) -> Declared | None:
        """Return one of those that are declared."""
        return next(iter(self.declared.values()), None)


def declared(reason: Reason, task: Declared, cells: Cells) -> Reason:
    """Say of a task that was never asked for where it is declared, and of a new cell of a known one what names it."""
    position = task.source.document.position(("metadata", "name"))
    return replace(reason, position=position, because=tuple(added(task, cells))[:_SHOWN])


def added(task: Declared, cells: Cells) -> Iterator[Reason]:
    """Yield what gives a task a cell: nothing where the task itself is new."""
    former = [cell_values(address) for address in cells.recorded if address != task.address]
    if task.making is None or not former:
        return
    own = cell_values(task.address)
    is_new = [all(values[index : index + 1] != (value,) for values in former) for index, value in enumerate(own)]
    for name, axis, position in cell_places(task.making):
        if is_new[axis : axis + 1] == [True]:
            yield Reason(code="cell_added", text=f"`{name}` gives it", position=position)


def cell_gone(reason: Reason, record: Record, task: Declared) -> Reason:
    """Say that a task is declared, and has not this cell any more."""
    found = gone(record.address, record, task)
    what = f": {found.what} is gone" if found.what else f"; `{task_name(task.address)}` has other cells now"
    return replace(reason, text=f"{reason.text}{what}", position=found.position, removed=found.removed)


def gone(address: Address, record: Record | None, task: Declared) -> Lost:
    """Return what is gone that gave a task a cell."""
    if task.making is None:
        return Lost()
    inputs = record.generation.inputs if record is not None else None
    return lost(task.making, address, inputs)
