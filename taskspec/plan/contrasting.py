"""Contrasting: what two revisions of the documents ask for → what is new, changed, gone or the same. Pure.

It is about what is declared alone: what is recorded and what has been accepted is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskspec.address import Address
from taskspec.desired.model import Desired
from taskspec.desired.unsent import unsent_of
from taskspec.plan.diffing import diff
from taskspec.plan.model import Declared, FieldDiff


class Contrast(StrEnum):
    """What became of a task between two revisions."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    SAME = "same"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrasted:
    """One task, before and after."""

    contrast: Contrast
    before: Declared | None = None
    after: Declared | None = None
    diffs: tuple[FieldDiff, ...] = ()
    """What differs of what is sent, and of the title; of what waits for results as far as its text stands there."""
    unsent: tuple[str, ...] = ()
    """The names of the fields that differ and that only taskspec reads."""
    moved_from: Address | None = None
    """The address that it had before, as `moved` says."""


def contrasted(before: Desired, after: Desired) -> Mapping[Address, Contrasted]:
    """Return what became of each task that either of two revisions declares, in the order of the later one."""
    moved = {
        address: former
        for address, former in after.former.items()
        if former in before.tasks and former not in after.tasks and address not in before.tasks
    }
    found: dict[Address, Contrasted] = {}
    for address, task in after.tasks.items():
        former = moved.get(address)
        found[address] = _contrasted(before.tasks.get(former or address), task, former)
    gone = before.tasks.keys() - after.tasks.keys() - set(moved.values())
    removed = [address for address in before.tasks if address in gone]
    return found | {address: Contrasted(contrast=Contrast.REMOVED, before=before.tasks[address]) for address in removed}


def affected(found: Mapping[Address, Contrasted]) -> frozenset[Address]:
    """Return the addresses that are not the same, also by their former names, and all that depend on them."""
    reached = {address for address, one in found.items() if one.contrast is not Contrast.SAME}
    waiting: dict[Address, list[Address]] = {}
    for address, one in found.items():
        for needed in one.after.upstream if one.after is not None else ():
            waiting.setdefault(needed, []).append(address)
    left = list(reached)
    while left:
        following = [address for address in waiting.get(left.pop(), ()) if address not in reached]
        reached.update(following)
        left.extend(following)
    return frozenset(reached | {one.moved_from for one in found.values() if one.moved_from is not None})


def _contrasted(before: Declared | None, after: Declared, former: Address | None) -> Contrasted:
    if before is None:
        return Contrasted(contrast=Contrast.NEW, after=after, diffs=diff({}, after.spec))
    diffs, unsent = diff(_asked(before), _asked(after)), tuple(_unsent(before, after))
    differs = bool(diffs or unsent) or former is not None
    return Contrasted(
        contrast=Contrast.CHANGED if differs else Contrast.SAME,
        before=before,
        after=after,
        diffs=diffs,
        unsent=unsent,
        moved_from=former,
    )


def _asked(task: Declared) -> Mapping[str, Any]:
    return {**task.spec, "title": task.title}


def _unsent(before: Declared, after: Declared) -> Iterator[str]:
    one, other = unsent_of(before), unsent_of(after)
    yield from (name for name in sorted({*one, *other}) if one.get(name) != other.get(name))
    if set(before.upstream) != set(after.upstream):
        yield "dependsOn"
