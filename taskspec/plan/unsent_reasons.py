"""The reasons that matter to nobody who pays: what changed that only taskspec reads. Decides nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.desired.unsent import unsent_of
from taskspec.diagnostics import Position
from taskspec.documents.durations import written
from taskspec.plan.causes import Reason
from taskspec.plan.model import Declared
from taskspec.state.model import Record

CODE: Final = "unsent_changed"
NEEDING_NO_RUN: Final = frozenset({CODE, "policy_changed", "assertions_changed"})
"""The codes of reasons that tell what changed without a run."""
_SHOWN: Final = 40
"""How long a value is in a sentence, at most."""


def unsent_changed(task: Declared, record: Record) -> Iterator[Reason]:
    """Yield a reason for each field that only taskspec reads, and that is not as it was when it was last applied."""
    before = record.unsent
    if before is None:
        return
    now = unsent_of(task)
    if before == now:
        return
    labels, former = now.get("labels", {}), before.get("labels", {})
    for name in sorted({*labels, *former}):
        if labels.get(name) != former.get(name):
            position = task.source.document.position(("metadata", "labels", name))
            removed = "" if name in labels else f"{name}: {former[name]}"
            text = f"the label `{name}` changed{_from_to(former.get(name), labels.get(name))}; it needs no run"
            yield Reason(code=CODE, text=text, position=position, field="labels", removed=removed)
    for name in sorted({*now, *before} - {"labels"}):
        if now.get(name) != before.get(name):
            yield _field(task, name, before.get(name), now.get(name))


def changed_at(task: Declared, record: Record, name: str) -> Position:
    """Return where a field begins to differ from what it was when it was last applied."""
    before = record.unsent.get(name) if record.unsent is not None else None
    return _place(task, name, before, unsent_of(task).get(name))


def _place(task: Declared, name: str, before: Any, now: Any) -> Position:
    if isinstance(before, list) and isinstance(now, list):
        differing = (index for index, one in enumerate(now) if index >= len(before) or one != before[index])
        index = next(differing, None)
        return task.source.position((name,) if index is None else (name, index))
    return task.source.position((name,))


def _field(task: Declared, name: str, before: Any, now: Any) -> Reason:
    removed = "" if now is not None else f"{name}:{'' if isinstance(before, Mapping | list) else f' {_word(before)}'}"
    text = f"`{name}` changed{_from_to(before, now)}; it needs no run"
    return Reason(code=CODE, text=text, position=_place(task, name, before, now), field=name, removed=removed)


def _from_to(before: Any, now: Any) -> str:
    """Return both values of a field, where they are short ones."""
    if any(isinstance(side, Mapping | list) or len(str(side)) > _SHOWN for side in (before, now)):
        return ""
    return f" from {_word(before)} to {_word(now)}"


def _word(value: Any) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else written(value) if isinstance(value, float) else f"{value}"
