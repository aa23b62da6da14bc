"""Sequencing: decides each task behind its upstream, and finishes what uses results that are there. Has no table.

What was not selected is decided too where something selected depends on it, and is left out of the plan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.depending import deferred, dependent
from taskspec.plan.drafting import Case, about
from taskspec.plan.finishing import finished, recorded_results
from taskspec.plan.guarding import guards, repeating_marked, would_be_held
from taskspec.plan.model import Action, Basis, Change, Declared
from taskspec.plan.moving import Moves
from taskspec.plan.prospect import Prospect, Upstream
from taskspec.plan.renewing import passing
from taskspec.plan.standing import stand
from taskspec.state.model import Record, Snapshot

NO_CONTENTS: Final[Mapping[str, str]] = MappingProxyType({})

Alone = Callable[[Case], Change]
"""Decides a case whose text is known, as if it depended on no other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is recorded, under the addresses of today, and observed.

    `contents` are the accepted results that tasks use, by digest.
    """

    snapshot: Snapshot
    basis: Basis
    contents: Mapping[str, str]
    moves: Moves


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """The changes of the chosen addresses, in their order, and of all others that one of them needs."""

    changes: tuple[Change, ...]
    needed: Mapping[Address, Upstream]
    known: Mapping[Address, DesiredTask]
    """Those of all of them whose text is known."""


def in_order(chosen: Sequence[Address], desired: Desired, known: Known, alone: Alone) -> Decided:
    """Return the changes of the chosen addresses, and what was decided of those that they need."""
    selected = frozenset(chosen)
    needed = _needed(selected, desired.tasks)
    guarded = guards(known.basis.observed)
    decided: dict[Address, Upstream] = {}
    for address, task in desired.tasks.items():
        if address in needed:
            upstream = [decided[one] for one in task.upstream]
            change = known.moves.told(guarded(_declared(task, upstream, known, alone)))
            decided[address] = Upstream(change=change, selected=address in selected)
    changes = tuple(
        decided[address].change if address in decided else known.moves.told(alone(_case(address, None, known)))
        for address in chosen
    )
    return Decided(
        changes=changes,
        needed={address: upstream for address, upstream in decided.items() if not upstream.selected},
        known={a: one.change.task for a, one in decided.items() if isinstance(one.change.task, DesiredTask)},
    )


def case_of(address: Address, task: Declared | None, record: Record | None, basis: Basis) -> Case:
    """Return an address with everything that is known of it."""
    return Case(
        address=address,
        task=passing(task, record) if isinstance(task, DesiredTask) else task,
        situation=stand(record, basis.observed, basis.circumstances.remote),
        now=basis.circumstances.now,
        plan=basis.circumstances.plan,
        requested=address in basis.circumstances.requested,
        quiet_period=basis.circumstances.quiet_period,
        spent=basis.circumstances.spent,
        kept=basis.circumstances.kept,
        former=basis.circumstances.former,
        answer=basis.circumstances.answer,
        remote=basis.circumstances.remote,
        dependents=basis.dependents.get(address, ()),
        rerun=address in basis.circumstances.rerun,
    )


def _needed(selected: frozenset[Address], tasks: Mapping[Address, Declared]) -> frozenset[Address]:
    """Return what is selected and all that it depends on, directly or not."""
    needed = set(selected)
    for address in reversed(list(tasks)):
        if address in needed:
            needed.update(tasks[address].upstream)
    return frozenset(needed)


def _declared(task: Declared, upstream: Sequence[Upstream], known: Known, alone: Alone) -> Change:
    match task:
        case DesiredTask():
            case = _case(task.address, task, known)
            return dependent(case, task, alone(case), upstream)
        case DeferredTask():
            return _deferred(task, upstream, known, alone)


def _deferred(task: DeferredTask, upstream: Sequence[Upstream], known: Known, alone: Alone) -> Change:
    """Decide for a task that uses results: finished where all of them are there, else by what is to be expected."""
    used = [one for one in upstream if one.change.address in task.uses]
    if any(one.prospect is not Prospect.DONE for one in used):
        case = _case(task.address, task, known)
        return would_be_held(case, repeating_marked(case, deferred(case, task, upstream)))
    coming = {one.change.address: _coming(one.change, known) for one in used if one.change.will_accept is not None}
    results = recorded_results(task, known.snapshot.records, known.contents, coming)
    made = results if isinstance(results, Reason) else finished(task, results)
    if isinstance(made, Reason):
        held = about(_case(task.address, task, known), Action.HOLD, Health.UNHEALTHY, made)
        return replace(held, in_error=True)
    return _declared(made, upstream, known, alone)


def _coming(change: Change, known: Known) -> str | None:
    """Return the result that a task has as soon as an apply begins; None where it cannot be read."""
    ref, circumstances = change.will_accept, known.basis.circumstances
    if ref is None:
        return None
    return circumstances.answer(ref) if change.retakes else circumstances.kept.get(ref.digest)


def _case(address: Address, task: Declared | None, known: Known) -> Case:
    return case_of(address, task, known.snapshot.records.get(address), known.basis)
