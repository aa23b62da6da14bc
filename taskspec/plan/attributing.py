"""Attributing: a changed field of a task → what is behind it, and where it begins to differ. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from taskspec.address import Address, addresses_in
from taskspec.desired.giving import given_at
from taskspec.desired.ingredients import DEFAULTS, FILE, TEXT, FieldPath, result_of
from taskspec.desired.making import Looked, Making
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position, path_text
from taskspec.inputs import Input
from taskspec.plan import cause_reasons as causes
from taskspec.plan.bestowing import defaults_behind
from taskspec.plan.causes import Reason
from taskspec.plan.cell_reasons import Cells
from taskspec.plan.changed_fields import MOST, ChangedField
from taskspec.plan.diffing import Edit, edits
from taskspec.plan.member_reasons import members_changed
from taskspec.plan.model import Change, FieldDiff, Missing

_WRITTEN: Final = frozenset({"text_edited", "default_changed", "differs_too"})
"""What is behind a field where that itself is written otherwise."""


def looked_at(change: Change) -> Looked | None:
    """Return what a task was made of; None where nobody can tell."""
    making = change.task.making if isinstance(change.task, DesiredTask) else None
    return making.look() if making is not None else None


def attributed(
    reason: Reason,
    change: Change,
    looked: Looked | None,
    done: Mapping[Address, Change],
    siblings: Mapping[str, Cells],
) -> Reason:
    """Return the reason of a changed field with its place, and with what is behind it."""
    task, record = change.task, change.record
    diffs = tuple(diff for diff in change.diffs if diff.path[0] == reason.field)
    if not isinstance(task, DesiredTask) or task.making is None or looked is None or record is None or not diffs:
        return reason
    field = ChangedField(
        name=reason.field,
        diffs=diffs,
        task=task,
        making=task.making,
        record=record,
        looked=looked,
        done=done,
        siblings=siblings,
    )
    place, removed = _place(field)
    inputs = tuple(_inputs(field))
    dropped = tuple(_dropped(field, place)) if removed or not inputs else ()
    defaults = tuple(defaults_behind(field))
    is_elsewhere = field.first.after is Missing.MISSING and any(one.code == "default_gone" for one in defaults)
    if is_elsewhere:
        dropped = tuple(replace(one, position=None, removed="") for one in dropped)
    because = (*inputs, *dropped, *_template(field, inputs), *defaults, *_files(field), *_too(field, place))
    if any(one.code not in _WRITTEN for one in because):
        removed = dropped[0].removed if removed and dropped else ""  # what stands there now is another's line
    return replace(reason, position=None if is_elsewhere else place, removed=removed, because=because[:MOST])


def _dropped(field: ChangedField, place: Position) -> Iterator[Reason]:
    """Yield the inputs that no template of the task uses any more."""
    before, now = field.record.generation.inputs or {}, field.looked.inputs
    if not any(_is_text_of(name, field.name) for name in before):
        return
    for name in before:
        if name not in now and not name.startswith((TEXT, DEFAULTS)):
            yield causes.input_dropped(name, place)


def _too(field: ChangedField, place: Position) -> Iterator[Reason]:
    """Yield where a field differs too, as it is written."""
    told = {place.line}
    for diff in field.diffs[:MOST]:
        for position in _places(field, diff):
            if position.line not in told:
                told.add(position.line)
                yield causes.differs_too(path_text(diff.path), position)


def _places(field: ChangedField, diff: FieldDiff) -> Iterator[Position]:
    making = field.making
    if diff.after is Missing.MISSING or making.template_of(diff.path) not in {None, diff.path}:
        return
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        yield making.position(diff.path)
        return
    for edit in edits(diff.before, diff.after)[: MOST * 2]:
        if edit.lines and _is_written(edit, diff.path, making) and edit.offset < len(diff.after):
            yield making.position(diff.path, diff.after, edit.offset)


def _place(field: ChangedField, *, literal: bool = False) -> tuple[Position, str]:
    """Return where a field begins to differ, and the line that is gone where nothing else is there.

    `literal`: where its template itself does, and not what was put into it.
    """
    diff, making = field.first, field.making
    if diff.after is Missing.MISSING:
        return field.task.source.document.position(("spec", *diff.path)), f"{diff.path[-1]}:"
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        return making.position(diff.path), ""
    found = edits(diff.before, diff.after)
    if literal:
        found = tuple(one for one in found if _is_written(one, diff.path, making)) or found
    if not found:
        return making.position(diff.path), ""
    first = found[0]
    new, gone = {line.strip() for line in first.lines}, [line.strip() for line in first.removed]
    removed = next((line for line in gone if line and line not in new), "") if new <= set(gone) else ""
    return making.position(diff.path, diff.after, min(first.offset, max(len(diff.after) - 1, 0))), removed


def _is_written(edit: Edit, path: FieldPath, making: Making) -> bool:
    segment = making.segment(path, edit.offset)
    return segment.is_literal if segment is not None else making.template_of(path) is None


def _inputs(field: ChangedField) -> Iterator[Reason]:
    """Yield the inputs that are not as they were."""
    before, now = field.record.generation.inputs, field.looked.inputs
    if before is None:
        return
    for name in field.looked.uses.get(field.name, ()):
        one, other = before.get(name), now.get(name)
        if one is None and other is not None and result_of(name) is None and _decides(field, name):
            yield causes.input_added(field.name, name, given_at(field.making, name), other)
        if one is None or other is None or one == other or (one.digest == other.digest and one.digest):
            continue
        if name == f"{FILE}{field.making.items}":
            continue  # the item that it gives is told, with its line
        written = before.get(f"{TEXT}{name}"), now.get(f"{TEXT}{name}")
        if written[1] is None or written[0] not in {None, written[1]}:
            yield from _input(field, name, one, other)
        elif written[0] is None:  # nobody noted whether the item was edited, or what it is made of is another one
            yield causes.input_changed(name, None, one, other)


def _decides(field: ChangedField, name: str) -> bool:
    """Tell whether a name stands in a condition or a loop, so that its value decides what else is written."""
    making = field.making
    cut = [(path, one) for path in making.paths(field.name) for one in making.segments(path) if name in one.names]
    return any(making.markup(path, one).startswith("{%") for path, one in cut)


def _input(field: ChangedField, name: str, before: Input, now: Input) -> Iterator[Reason]:
    making = field.making
    if name.startswith(FILE):
        file = name.removeprefix(FILE)
        yield causes.file_changed(file, making.line_in(file, _lines(field)), _gone(field))
    elif (address := result_of(name)) is None:
        yield causes.input_changed(name, given_at(making, name, _lines(field)), before, now)
    else:
        yield from _result(field, name, address, before, now)


def _result(field: ChangedField, name: str, address: Address, before: Input, now: Input) -> Iterator[Reason]:
    """Yield what became of the result of another task, or of a list of such."""
    use = _use(field, name)
    if not now.giver:
        yield causes.upstream_answered(name, address, field.done.get(address), use)
        return
    members = members_changed(address, addresses_in(before.giver), addresses_in(now.giver), field.siblings)
    if members is None:
        yield causes.members_unknown(name, address, use)
    else:
        yield from members or (causes.upstream_answered(name, address, None, use),)


def _lines(field: ChangedField) -> list[str]:
    """Return the lines that are new in what was rendered."""
    return [line for diff in field.diffs for line in _new_lines(diff)]


def _new_lines(diff: FieldDiff) -> Iterator[str]:
    if isinstance(diff.before, str) and isinstance(diff.after, str):
        for one in edits(diff.before, diff.after):
            yield from one.lines


def _gone(field: ChangedField) -> str:
    """Return the first line that is gone where no line is new."""
    diff = field.first
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        return ""
    found = edits(diff.before, diff.after)
    if any(line.strip() for one in found for line in one.lines):
        return ""
    return next((line.strip() for one in found for line in one.removed if line.strip()), "")


def _use(field: ChangedField, name: str) -> Position:
    """Return where the text uses a name."""
    for path in field.making.paths(field.name):
        for segment in field.making.segments(path):
            if name in segment.names:
                return field.making.position(path, None, segment.begin)
    return field.making.position((field.name,))


def _template(field: ChangedField, others: Sequence[Reason]) -> Iterator[Reason]:
    """Yield that the template itself was edited, where something else is behind the change too."""
    before, now = field.record.generation.inputs, field.looked.inputs
    if before is None or not others:
        return
    names = [name for name in {**before, **now} if _is_text_of(name, field.name)]
    if any(before.get(name) != now.get(name) for name in names):
        position, removed = _place(field, literal=True)
        yield causes.text_edited(field.name, position, removed)


def _is_text_of(name: str, field_name: str) -> bool:
    return name.startswith(TEXT) and name.removeprefix(TEXT).replace("[", ".").partition(".")[0] == field_name


def _files(field: ChangedField) -> Iterator[Reason]:
    """Yield the attached files that have another content."""
    if field.name != "files":
        return
    declared = field.task.spec.get("files", ())
    for diff in field.diffs[:MOST]:
        if diff.path[-1:] == ("sha256",) and isinstance(diff.path[1], int):
            entry = declared[diff.path[1]]
            path = entry["path"] if isinstance(entry, Mapping) else ""
            if path and not path.startswith("results/"):
                yield causes.file_changed(path, field.making.maker.place(path))
