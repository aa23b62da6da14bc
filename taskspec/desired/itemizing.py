"""Itemizing: the `forEach` of a task, as it is written → the item of one of its cells. Renders nothing itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from taskspec.desired.dotted import is_template
from taskspec.desired.expanding import value_text

ITEM: Final = "each.value"
"""Begins the names of all that is within an item."""
_GIVEN: Final = frozenset({"items", "file", "key"})
"""What a `forEach` holds that does not list its items right away."""


def named_by(written: Any) -> str | None:
    """Return the field that names each item of a `forEach`; None where the items name themselves."""
    return written.get("key") if isinstance(written, Mapping) and written.keys() <= _GIVEN else None


def items_in(written: Any) -> tuple[tuple[str | int, ...], Any]:
    """Return where in the spec the items of a `forEach` are written, and what is: None where that is a file."""
    if isinstance(written, Mapping) and written.keys() <= _GIVEN:
        return ("forEach", "items"), written.get("items")
    return ("forEach",), written


def written_of(written: Any, key: str, name: str, rendered: Callable[[Any], Any]) -> tuple[tuple[str | int, ...], Any]:
    """Return where in the spec that of an item is written which a name stands for, and what is; no path for none."""
    path, items = items_in(written)
    found: Any = None
    if isinstance(items, Mapping) and key in items:
        path, found = (*path, key), items[key]
    elif isinstance(items, list):
        field = named_by(written)
        names = (value_text(rendered(one.get(field) if isinstance(one, Mapping) else one)) for one in items)
        index = next((index for index, name in enumerate(names) if name == key), None)
        if index is None:
            return (), None
        path, found = (*path, index), items[index]
    else:
        return (), None
    steps = name.split(".")[2:] if name.startswith(f"{ITEM}.") else []
    while steps and isinstance(found, Mapping) and steps[0] in found:
        step = steps.pop(0)
        path, found = (*path, step), found[step]
    return path, found


def templates_in(value: Any) -> Iterator[str]:
    """Yield the templates in what is written of an item."""
    if isinstance(value, str):
        yield from (value,) if is_template(value) else ()
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from templates_in(one)
