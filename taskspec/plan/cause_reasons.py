"""The reasons behind reasons: what made a field another one, down to who gave it. Decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.expanding import value_text
from taskspec.desired.ingredients import ENVIRON, FILE
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position
from taskspec.documents.model import Origin
from taskspec.inputs import Input
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change

_RUNS: Final = {
    Action.CREATE: "runs",
    Action.REPLACE: "runs anew",
    Action.WAIT: "is running",
    Action.SETTLE: "may be running: that is found out first",
    Action.REJUDGE: "is judged first",
    Action.ADOPT: "takes its result of before",
}


def input_changed(name: str, position: Position | None, before: Input, now: Input) -> Reason:
    """Say that something that a template uses has another value, and who gives it."""
    given = f", given by {_named(now.giver)}" if now.giver else ""
    former = f" ({_named(before.giver)} gave it before)" if before.giver and before.giver != now.giver else ""
    what = "is not there any more" if now.digest == "absent" else "has another value"
    return Reason(code="input_changed", text=f"`{name}` {what}{given}{former}", position=position)


def input_added(field: str, name: str, position: Position | None, now: Input) -> Reason:
    """Say that a condition or a loop uses what was not used before: its value may be as it was, or another one."""
    given = f", given by {_named(now.giver)}" if now.giver else ""
    text = f"`{field}` depends on `{name.removeprefix(FILE)}` now, and did not before{given}"
    return Reason(code="input_added", text=text, position=position)


def input_dropped(name: str, position: Position) -> Reason:
    """Say that nothing uses what was used before; the line that did is gone."""
    word = name.removeprefix(FILE).rpartition("/")[2] if name.startswith(FILE) else name
    text = f"`{name.removeprefix(FILE)}` is not used any more"
    return Reason(code="input_dropped", text=text, position=position, removed=f"- {word}")


def differs_too(field: str, position: Position) -> Reason:
    """Say that a field is another one in a further place."""
    return Reason(code="differs_too", text=f"`{field}` differs here too", position=position)


def file_changed(file: str, position: Position, removed: str = "") -> Reason:
    """Say that a file of the project holds something else."""
    is_gone = removed if not position.line else ""
    return Reason(code="file_changed", text=f"`{file}` has another content", position=position, removed=is_gone)


def text_edited(field: str, position: Position, removed: str) -> Reason:
    """Say that the template itself was edited too."""
    return Reason(code="text_edited", text=f"`{field}` itself was edited", position=position, removed=removed)


def upstream_answered(name: str, address: Address, upstream: Change | None, position: Position) -> Reason:
    """Say that another task gave another answer than the one that was used."""
    generation = upstream.record.generation.number if upstream is not None and upstream.record is not None else 0
    which = f" in g{generation}" if generation else ""
    text = f"`{address}` gave another answer{which}: `{name}` is another one"
    return Reason(code="upstream_answered", text=text, position=position)


def members_unknown(name: str, address: Address, position: Position) -> Reason:
    """Say that a list of results is another one, where nobody noted which members it had."""
    text = f"`{name}` is another one: `{address}` has other members, another order, or another answer"
    return Reason(code="members_changed", text=text, position=position)


def upstream_runs(address: Address, action: Action, because: tuple[Reason, ...]) -> Reason:
    """Say what is to be done about a task that is waited for, and why."""
    return Reason(code="upstream_runs", text=f"`{address}` {_RUNS.get(action, action)}", because=because)


def default_changed(field: str, origin: Origin, former: str | None, because: Sequence[Reason]) -> Reason:
    """Say which default gives a field, and what gave it before; `former` is None where that was not noted."""
    text = f"`{field}` is given by `{origin.giver}`"
    if former is not None and former != origin.giver:
        text += f" (`{former}` gave it before)" if former else " (no default gave it before)"
    return Reason(code="default_changed", text=text, because=tuple(because))


def default_gone(field: str, former: str, position: Position | None, removed: str, because: Sequence[Reason]) -> Reason:
    """Say that a default which gave a field gives it no longer: because of a label, or because it is gone."""
    text = f"`{former}` gave `{field}` before, and gives it no longer"
    if because:
        return Reason(code="default_gone", text=text, because=tuple(because))
    return Reason(code="default_gone", text=text, position=position, removed=removed)


def written(name: str, value: Any) -> str:
    """Return how a field was written, by what of it is least like anything else."""
    if isinstance(value, Mapping) and value:
        return max((written(key, inner) for key, inner in sorted(value.items())), key=len)
    is_short = isinstance(value, bool | int | float) or (isinstance(value, str) and value and "\n" not in value)
    return f"{name}: {value_text(value)}" if is_short else f"{name}:"


def label_changed(task: DesiredTask, name: str, before: str | None) -> Reason:
    """Say that a label, which chooses defaults, has another value."""
    now = task.labels.get(name)
    position = task.source.document.position(("metadata", "labels", name))
    text = f"the label `{name}` is `{now}`" if now is not None else f"the label `{name}` is gone"
    text += f" (`{before}` before)" if before is not None else " (it had none before)"
    return Reason(
        code="label_changed", text=text, position=position, removed="" if now is not None else f"{name}: {before}"
    )


def removed_from(reason: Reason, file: str, name: str) -> Reason:
    """Say of a task that is no longer declared which file declared it."""
    text = f"{reason.text}; `{file}` did"
    return replace(reason, text=text, position=Position(file=file, line=0), removed=f"name: {name}")


def _named(giver: str) -> str:
    return giver if giver == ENVIRON else f"`{giver}`"
