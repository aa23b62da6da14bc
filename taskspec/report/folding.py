"""Reasons that say the same of several cells of one task, folded into one. Decides nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from taskspec.address import Address, task_name
from taskspec.plan.causes import Reason

UPSTREAM: Final = "upstream_runs"
"""The code of a reason that is another task; its text begins with the address."""
_QUOTED: Final = re.compile(r"`([^`]*)`")
_CELL: Final = re.compile(r"`([^`\[]+)\[[^`]*\]`")
_PLURALS: Final = {"runs": "run", "runs anew": "run anew", "is running": "are running", "is judged first": "are judged"}


class Fold(NamedTuple):
    """A reason that stands for itself, or for others of the same words too; and the tasks that these are about."""

    reason: Reason
    addresses: tuple[Address, ...] = ()


def folded(reasons: Sequence[Reason], *, alike: bool) -> Iterator[Fold]:
    """Yield reasons, those together that name cells of one task and say the same of them.

    `alike`: only those that have the same behind them, but for the cells that it names.
    """
    groups: dict[object, list[Reason]] = {}
    for index, reason in enumerate(reasons):
        key = _key(reason, alike=alike) if reason.code == UPSTREAM else index
        groups.setdefault(key, []).append(reason)
    for found in groups.values():
        named = tuple(address for one in found if one.code == UPSTREAM for address in _named(one))
        yield Fold(found[0] if len(found) == 1 else _together(found), named)


def _named(reason: Reason) -> Iterator[Address]:
    found = _QUOTED.match(reason.text)
    if found:
        yield Address(found[1])


def _key(reason: Reason, *, alike: bool) -> object:
    address = next(_named(reason), Address(""))
    said = _QUOTED.sub("", reason.text, count=1)
    return task_name(address), said, _shape(reason).because if alike else ()


def _shape(reason: Reason) -> Reason:
    """Return a reason with the names of tasks in the place of those of their cells."""
    text = _CELL.sub(r"`\1[*]`", reason.text)
    return replace(reason, text=text, because=tuple(_shape(one) for one in reason.because))


def _together(found: Sequence[Reason]) -> Reason:
    first = _shape(found[0])
    said = _QUOTED.sub("", first.text, count=1).strip()
    name = _QUOTED.match(first.text)
    return replace(first, text=f"{len(found)} of {name[0] if name else ''} {_PLURALS.get(said, said)}")
