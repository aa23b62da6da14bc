"""Causing: the reasons of changes → the same with what is behind them, each down to a line. Decides nothing.

What is behind a changed field are the inputs of its rendering that are not as they were recorded, the template itself
where that was edited, and what the project's defaults give. What is behind a change that waits are its upstream's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from taskspec.address import Address, task_name
from taskspec.desired.model import DeferredTask
from taskspec.diagnostics import Position
from taskspec.plan import cause_reasons as causes
from taskspec.plan import cell_reasons
from taskspec.plan.attributing import attributed, looked_at
from taskspec.plan.causes import Reason
from taskspec.plan.cell_reasons import Cells
from taskspec.plan.changed_fields import MOST
from taskspec.plan.member_reasons import of_waiting
from taskspec.plan.model import Change, Declared, Plan
from taskspec.plan.unsent_reasons import CODE as UNSENT
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN, changed_at, unsent_changed
from taskspec.state.model import Record

DEEPEST: Final = 5
"""How many tasks that wait for each other a reason goes through."""
_UPSTREAM: Final = frozenset({"known_after", "waits_for_upstream"})


Placed = Callable[[str], str]
"""Tells how a file of the project is shown."""


def caused(plan: Plan, tasks: Mapping[Address, Declared], recorded: Iterable[Address], placed: Placed) -> Plan:
    """Return a plan whose reasons tell what is behind them; `tasks` and `recorded` are all, selected or not."""
    done: dict[Address, Change] = {}
    known: dict[str, list[Address]] = {}
    for address in recorded:
        known.setdefault(task_name(address), []).append(address)
    declared: dict[str, dict[Address, Declared]] = {}
    for address, task in tasks.items():
        declared.setdefault(task_name(address), {})[address] = task
    siblings = {
        name: Cells(declared=declared.get(name, {}), recorded=known.get(name, ())) for name in {*known, *declared}
    }
    for change in plan.changes:
        done[change.address] = _caused(change, done, siblings, placed)
    return replace(plan, changes=tuple(done.values()))


def _caused(change: Change, done: Mapping[Address, Change], siblings: Mapping[str, Cells], placed: Placed) -> Change:
    found: list[Reason] = []
    is_changed = any(reason.code == "spec_changed" for reason in change.reasons)
    looked = looked_at(change) if is_changed else None
    for reason in change.reasons:
        if reason.code == "spec_changed" and reason.field:
            found.append(attributed(reason, change, looked, done, siblings))
        elif reason.code in _UPSTREAM:
            inputs = change.record.generation.inputs if change.record is not None else None
            because = (*_of_upstream(change, done), *of_waiting(inputs or {}, _upstream(change), siblings))
            found.append(replace(reason, position=_used_at(change) or reason.position, because=because))
        elif reason.code == "no_longer_declared" and change.record is not None and change.record.file:
            found.append(_removed(reason, change.record, placed(change.record.file), siblings))
        elif reason.code == "not_recorded" and change.task is not None:
            found.append(cell_reasons.declared(reason, change.task, siblings[task_name(change.address)]))
        elif reason.code == "assertions_changed" and change.task is not None and change.record is not None:
            found.append(replace(reason, position=changed_at(change.task, change.record, "assertions")))
        else:
            found.append(reason)
    if change.task is not None and change.record is not None:
        found += [one for one in unsent_changed(change.task, change.record) if not _is_told(one, found)]
    return change if tuple(found) == change.reasons else replace(change, reasons=tuple(found))


def _removed(reason: Reason, record: Record, file: str, siblings: Mapping[str, Cells]) -> Reason:
    """Return why an address is declared no longer: its task is gone, or only its cell."""
    name = task_name(record.address)
    cells = siblings.get(name)
    if cells is not None and cells.task is not None:
        return cell_reasons.cell_gone(reason, record, cells.task)
    return causes.removed_from(reason, file, name)


def _upstream(change: Change) -> tuple[Address, ...]:
    return change.task.upstream if isinstance(change.task, DeferredTask) else ()


def _used_at(change: Change) -> Position | None:
    """Return where a task uses the first result that it waits for."""
    making = change.task.making if change.task is not None else None
    uses = (making.use_of(address) for address in change.after[:MOST]) if making is not None else ()
    return next((use for use in uses if use is not None), None)


def _is_told(unsent: Reason, found: Sequence[Reason]) -> bool:
    """Tell whether a reason says already that a field changed which only taskspec reads, or that it mattered."""
    if any(one.code in NEEDING_NO_RUN and one.field == unsent.field != "labels" for one in found):
        return True
    return unsent.field == "labels" and any(_is_about_labels(one) for one in found)


def _is_about_labels(reason: Reason) -> bool:
    return reason.code == "label_changed" or any(_is_about_labels(one) for one in reason.because)


def _of_upstream(change: Change, done: Mapping[Address, Change]) -> Iterator[Reason]:
    """Yield what is to be done about each task that is waited for, and why."""
    waited = [done[address] for address in change.after if address in done]
    for upstream in waited[:MOST]:
        reasons = tuple(reason for reason in upstream.reasons if reason.code != UNSENT)
        yield causes.upstream_runs(upstream.address, upstream.action, _shallow(reasons, DEEPEST))


def _shallow(reasons: tuple[Reason, ...], depth: int) -> tuple[Reason, ...]:
    """Return reasons with no more than so many tasks behind each other."""
    if not depth:
        return ()
    return tuple(
        replace(
            reason,
            because=tuple(replace(one, because=_shallow(one.because, depth - 1)) for one in reason.because)
            if reason.code in _UPSTREAM
            else reason.because,
        )
        for reason in reasons[:MOST]
    )
