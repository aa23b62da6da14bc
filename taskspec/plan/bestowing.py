"""Bestowing: a field that differs → the default that gives it now, or gave it before. Decides nothing."""

from collections.abc import Iterator

from taskspec.desired.ingredients import DEFAULTS, ITSELF, FieldPath
from taskspec.diagnostics import Position, path_text
from taskspec.plan import cause_reasons as causes
from taskspec.plan.causes import Reason
from taskspec.plan.changed_fields import MOST, ChangedField
from taskspec.plan.model import Missing


def defaults_behind(field: ChangedField) -> Iterator[Reason]:
    """Yield which default gives the field now, or gave it before, where that is another one."""
    before = field.record.generation.inputs
    for diff in field.diffs[:MOST]:
        is_gone = diff.after is Missing.MISSING
        origin = None if is_gone else field.task.source.origin(diff.path)[0]
        former = _former(field, diff.path)
        if former == (origin.giver if origin is not None else ""):
            continue
        labels = _labels(field) if before is not None else ()
        if origin is not None:
            yield causes.default_changed(path_text(diff.path), origin, former, labels)
        elif former and is_gone:
            removed = causes.written(str(diff.path[-1]), diff.before)
            yield causes.default_gone(path_text(diff.path), former, _former_place(field), removed, labels)
        elif former:
            yield causes.default_gone(path_text(diff.path), former, None, "", labels)


def _former_place(field: ChangedField) -> Position | None:
    """Return the file in which the project's defaults stand."""
    document = field.making.maker.project.document
    return Position(file=document.file, line=0) if document is not None else None


def _former(field: ChangedField, path: FieldPath) -> str | None:
    """Return the default that was recorded to give what is at a path: nothing for none, None where nobody can tell."""
    inputs, now, source = field.record.generation.inputs, field.looked.inputs, field.task.source
    if inputs is None:
        return None
    for length in range(len(path), 0, -1):
        name = f"{DEFAULTS}{path_text(path[:length])}"
        found, around = inputs.get(name), source.given.get(path[:length])
        if found is None:
            continue
        is_own = source.given.get(path, around) is None and around is not None and around.giver == found.giver
        if length < len(path) and (is_own or now.get(name) == found):
            return ""  # a field of the task itself, within what a default gives as before
        return found.giver if found.giver != ITSELF else ""
    return ""


def _labels(field: ChangedField) -> tuple[Reason, ...]:
    """Return the labels that are not as they were: they choose the defaults."""
    unsent = field.record.unsent
    if unsent is None:
        return ()
    before, now = unsent.get("labels", {}), field.task.labels
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return tuple(causes.label_changed(field.task, name, before.get(name)) for name in changed[:MOST])
