"""The reasons of a list of results: it has other members now, or another order, or one gave another answer.

Decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from taskspec.address import Address, addresses_in, matches, task_name
from taskspec.desired.dwindling import table_place
from taskspec.desired.ingredients import result_of
from taskspec.inputs import Input
from taskspec.plan.causes import Reason
from taskspec.plan.cell_reasons import Cells, added, gone

_SHOWN: Final = 3
"""So many members are told of those that came, and of those that went."""
_MOST_MOVED: Final = 50


def members_changed(
    pattern: str, before: Sequence[str], now: Sequence[str], siblings: Mapping[str, Cells]
) -> tuple[Reason, ...] | None:
    """Return what became of the members of a list; None where nobody noted which it had, or which it has."""
    return tuple(_members(pattern, before, now, siblings)) if before and now else None


def of_waiting(
    inputs: Mapping[str, Input], upstream: Sequence[Address], siblings: Mapping[str, Cells]
) -> Iterator[Reason]:
    """Yield what became of the members of the lists that a task has used, while it waits for some of them."""
    for name, one in inputs.items():
        pattern = result_of(name)
        if pattern is not None and one.giver:
            now = [address for address in upstream if matches(pattern, address)]
            yield from members_changed(pattern, addresses_in(one.giver), now, siblings) or ()


def _members(
    pattern: str, former: Sequence[str], now: Sequence[str], siblings: Mapping[str, Cells]
) -> Iterator[Reason]:
    went = [Address(address) for address in former if address not in now]
    came = [Address(address) for address in now if address not in former]
    for address in went[:_SHOWN]:
        cells = siblings.get(task_name(address))
        found = gone(address, None, cells.task) if cells is not None and cells.task is not None else None
        yield Reason(
            code="member_gone",
            text=f"`{pattern}` is without `{address}` now{_more(went)}",
            position=found.position if found is not None else None,
            removed=found.removed if found is not None else "",
        )
    for address in came[:_SHOWN]:
        cells = siblings.get(task_name(address), Cells())
        task = cells.declared.get(address)
        places = list(added(task, cells)) if task is not None else []
        yield Reason(
            code="member_added",
            text=f"`{pattern}` has `{address}` now{_more(came)}",
            position=places[0].position if len(places) == 1 else None,
        )
    stayed, stay = [one for one in former if one in now], [one for one in now if one in former]
    if stayed != stay:
        yield _moved(pattern, stayed, stay, siblings)


def _moved(pattern: str, former: list[str], now: list[str], siblings: Mapping[str, Cells]) -> Reason:
    """Say that a list has another order, and in which file the rows stand that are its members."""
    while former and former[0] == now[0]:
        former, now = former[1:], now[1:]
    while former and former[-1] == now[-1]:
        former, now = former[:-1], now[:-1]
    names = {task_name(address) for address in now}
    task = siblings.get(names.pop(), Cells()).task if len(names) == 1 else None
    moved = [Address(address) for address in now[:_MOST_MOVED]]
    place, removed = table_place(task.making, moved) if task is not None and task.making is not None else (None, "")
    text = f"`{pattern}` has another order now"
    return Reason(code="members_moved", text=text, position=place, removed=removed)


def _more(members: Sequence[str]) -> str:
    return f", and {len(members) - _SHOWN} more like it" if len(members) > _SHOWN else ""
