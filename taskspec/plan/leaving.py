"""Leaving: what a partial plan leaves out and is affected nevertheless. Decides nothing about it.

Each address is told once: as the upstream that a selected task needs and that is not accepted; else as a dependent of
what runs; else as recorded and declared no longer. Whatever else was not selected is only counted.
"""

from collections.abc import Iterable, Mapping

from taskspec.address import Address
from taskspec.plan.model import Affected, Declared, LeftOut
from taskspec.plan.prospect import Prospect
from taskspec.plan.sequencing import Decided


def left_out(decided: Decided, tasks: Mapping[Address, Declared], unselected: Iterable[Address]) -> tuple[LeftOut, ...]:
    """Return what is affected of the unselected addresses, in their order."""
    listed = list(unselected)
    if not listed:
        return ()
    lacking = frozenset(address for address, one in decided.needed.items() if one.prospect is not Prospect.DONE)
    needing = _needing(lacking, decided, tasks)
    runs = _behind(frozenset(change.address for change in decided.changes if change.paid), tasks, frozenset(listed))
    found = (_affected(address, needing, runs, tasks) for address in listed)
    return tuple(one for one in found if one is not None)


def _affected(
    address: Address,
    needing: Mapping[Address, tuple[Address, ...]],
    runs: Mapping[Address, tuple[Address, ...]],
    tasks: Mapping[Address, Declared],
) -> LeftOut | None:
    if address in needing:
        return LeftOut(address=address, why=Affected.UPSTREAM, of=needing[address])
    if address in runs:
        return LeftOut(address=address, why=Affected.DEPENDENT, of=runs[address])
    return None if address in tasks else LeftOut(address=address, why=Affected.UNDECLARED)


def _needing(
    lacking: frozenset[Address], decided: Decided, tasks: Mapping[Address, Declared]
) -> Mapping[Address, tuple[Address, ...]]:
    """Return, for each unselected task that is not accepted, the tasks that need it: selected, or needed themselves."""
    found: dict[Address, list[Address]] = {address: [] for address in lacking}
    for address in (*decided.needed, *(change.address for change in decided.changes)):
        for one in tasks[address].upstream if address in tasks else ():
            if one in found:
                found[one].append(address)
    return {address: tuple(those) for address, those in found.items()}


def _behind(
    running: frozenset[Address], tasks: Mapping[Address, Declared], unselected: frozenset[Address]
) -> Mapping[Address, tuple[Address, ...]]:
    """Return, for each unselected task that depends on what runs, directly or not, through what it does so."""
    reached: set[Address] = set(running)
    found: dict[Address, tuple[Address, ...]] = {}
    for address, task in tasks.items():  # each stands behind its upstream
        above = tuple(one for one in task.upstream if one in reached)
        if above:
            reached.add(address)
            if address in unselected:
                found[address] = above
    return found
