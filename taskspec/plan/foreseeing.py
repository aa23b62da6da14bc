"""Foreseeing: in what a task that waits for answers differs of its own: were they those of last time. Decides nothing.

Its templates are rendered with the results that its upstream has. What has none yet stands as words in the text, where
the templates put it there as it is; where they compute with it, nothing is foreseen.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.plan.diffing import diff
from taskspec.plan.finishing import finished
from taskspec.plan.keeping import Answer
from taskspec.plan.model import Change, FieldDiff, Plan
from taskspec.state.model import Record

MOST: Final = 500
"""So many tasks of one plan are rendered once more."""
LARGEST: Final = 256 * 1024
"""Bytes of a result that is put into a text for this."""


def foreseen(plan: Plan, records: Mapping[Address, Record], answer: Answer) -> Plan:
    """Return a plan whose changes that wait for answers tell in what they differ of their own."""
    waiting = [change.address for change in plan.changes if _is_waiting(change)][:MOST]
    if not waiting:
        return plan
    today = {**records, **{change.address: change.record for change in plan.changes if change.record is not None}}
    chosen = frozenset(waiting)
    changes = (_foreseen(change, today, answer) if change.address in chosen else change for change in plan.changes)
    return replace(plan, changes=tuple(changes))


def _is_waiting(change: Change) -> bool:
    return change.conditional and change.record is not None and isinstance(change.task, DeferredTask)


def _foreseen(change: Change, records: Mapping[Address, Record], answer: Answer) -> Change:
    task, record = change.task, change.record
    if not isinstance(task, DeferredTask) or record is None:
        return change
    known = {address: _last(records.get(address), answer) for address in task.uses}
    spec = _spec(task, known)
    return change if spec is None else replace(change, own_diffs=_own(record, spec))


def _own(record: Record, spec: Mapping[str, Any]) -> tuple[FieldDiff, ...]:
    return diff(record.generation.spec, spec)


def _last(record: Record | None, answer: Answer) -> str | None:
    kept = record.accepted if record is not None else None
    return answer(kept.result) if kept is not None and kept.result.size <= LARGEST else None


def _spec(task: DeferredTask, known: Mapping[Address, str | None]) -> Mapping[str, Any] | None:
    """Return what a task would ask for; None where that rests on what nobody knows."""
    made = finished(task, _filled(known, ""))
    if not isinstance(made, DesiredTask):
        return None
    if all(answer is not None for answer in known.values()):
        return made.spec
    other = finished(task, _filled(known, "?"))
    return made.spec if isinstance(other, DesiredTask) and _alike(made.spec, other.spec, known) else None


def _filled(known: Mapping[Address, str | None], mark: str) -> Mapping[Address, str]:
    return {address: answer if answer is not None else _words(address, mark) for address, answer in known.items()}


def _words(address: Address, mark: str) -> str:
    return f"(known after {address}{mark})"


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], known: Mapping[Address, str | None]) -> bool:
    """Tell whether two specs differ in nothing but the words for what is not known."""
    text = json.dumps(other, ensure_ascii=False)
    for address in known:
        text = text.replace(_words(address, "?"), _words(address, ""))
    return text == json.dumps(one, ensure_ascii=False)
