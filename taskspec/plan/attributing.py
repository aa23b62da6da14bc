"""Attributing: a changed field of a task → what is behind it, and where it begins to differ. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from taskspec.address import Address, addresses_in
from taskspec.desired.giving import given_at
from taskspec.desired.ingredients import DEFAULTS, FILE, ITSELF, TEXT, FieldPath, result_of
from taskspec.desired.making import Looked, Making
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position, path_text
from taskspec.inputs import Input
from taskspec.plan import cause_reasons as causes
from taskspec.plan.causes import Reason
from taskspec.plan.cell_reasons import Cells
from taskspec.plan.diffing import Edit, edits
from taskspec.plan.member_reasons import members_changed
from taskspec.plan.model import Change, FieldDiff, Missing
from taskspec.state.model import Record

MOST: Final = 5
"""How many causes are told of one reason."""
_WRITTEN: Final = frozenset({"text_edited", "default_changed", "differs_too"})
"""What is behind a field where that itself is written otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """A field of a declared task that differs from what was asked for last."""

    name: str
    diffs: tuple[FieldDiff, ...]
    task: DesiredTask
    making: Making
    record: Record
    looked: Looked
    done: Mapping[Address, Change]
    siblings: Mapping[str, Cells]

    @property
    def first(self) -> FieldDiff:
        return self.diffs[0]


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
    field = _Field(
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
    defaults = tuple(_defaults(field))
    is_elsewhere = field.first.after is Missing.MISSING and any(one.code == "default_gone" for one in defaults)
    if is_elsewhere:
        dropped = tuple(replace(one, position=None, removed="") for one in dropped)
    because = (*inputs, *dropped, *_template(field, inputs), *defaults, *_files(field), *_too(field, place))
    if any(one.code not in _WRITTEN for one in because):
        is_elsewhere = is_elsewhere or (bool(removed) and bool(dropped))  # beside what is gone stands another's line
        removed = ""
    return replace(reason, position=None if is_elsewhere else place, removed=removed, because=because[:MOST])


def _dropped(field: _Field, place: Position) -> Iterator[Reason]:
    """Yield the inputs that no template of the task uses any more."""
    before, now = field.record.generation.inputs or {}, field.looked.inputs
    if not any(_is_text_of(name, field.name) for name in before):
        return
    for name in before:
        if name not in now and not name.startswith((TEXT, DEFAULTS)):
            yield causes.input_dropped(name, place)


def _too(field: _Field, place: Position) -> Iterator[Reason]:
    """Yield where a field differs too, as it is written."""
    told = {place.line}
    for diff in field.diffs[:MOST]:
        for position in _places(field, diff):
            if position.line not in told:
                told.add(position.line)
                yield causes.differs_too(path_text(diff.path), position)


def _places(field: _Field, diff: FieldDiff) -> Iterator[Position]:
    making = field.making
    if diff.after is Missing.MISSING or making.template_of(diff.path) not in {None, diff.path}:
        return
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        yield making.position(diff.path)
        return
    for edit in edits(diff.before, diff.after)[: MOST * 2]:
        if edit.lines and _is_written(edit, diff.path, making) and edit.offset < len(diff.after):
            yield making.position(diff.path, diff.after, edit.offset)


def _place(field: _Field, *, literal: bool = False) -> tuple[Position, str]:
    """Return where a field begins to differ, and the line that is gone where nothing else is there.

    `literal`: where its template itself does, and not what was put into it.
    """
    diff, making = field.first, field.making
    if diff.after is Missing.MISSING:
        gone = causes.written(str(diff.path[-1]), diff.before)
        return field.task.source.document.position(("spec", *diff.path)), gone
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        return making.position(diff.path), ""
    found = edits(diff.before, diff.after)
    if literal:
        found = tuple(one for one in found if _is_written(one, diff.path, making)) or found
    if not found:
        return making.position(diff.path), ""
    first = found[0]
    removed = "" if first.lines else next((line.strip() for line in first.removed if line.strip()), "")
    return making.position(diff.path, diff.after, min(first.offset, max(len(diff.after) - 1, 0))), removed


def _is_written(edit: Edit, path: FieldPath, making: Making) -> bool:
    segment = making.segment(path, edit.offset)
    return segment.is_literal if segment is not None else making.template_of(path) is None


def _inputs(field: _Field) -> Iterator[Reason]:
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


def _decides(field: _Field, name: str) -> bool:
    """Tell whether a name stands in a condition or a loop, so that its value decides what else is written."""
    making = field.making
    cut = [(path, one) for path in making.paths(field.name) for one in making.segments(path) if name in one.names]
    return any(making.markup(path, one).startswith("{%") for path, one in cut)


def _input(field: _Field, name: str, before: Input, now: Input) -> Iterator[Reason]:
    making = field.making
    if name.startswith(FILE):
        file = name.removeprefix(FILE)
        yield causes.file_changed(file, making.line_in(file, _lines(field)), _gone(field))
    elif (address := result_of(name)) is None:
        yield causes.input_changed(name, given_at(making, name, _lines(field)), before, now)
    else:
        yield from _result(field, name, address, before, now)


def _result(field: _Field, name: str, address: Address, before: Input, now: Input) -> Iterator[Reason]:
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


def _lines(field: _Field) -> list[str]:
    """Return the lines that are new in what was rendered."""
    return [line for diff in field.diffs for line in _new_lines(diff)]


def _new_lines(diff: FieldDiff) -> Iterator[str]:
    if isinstance(diff.before, str) and isinstance(diff.after, str):
        for one in edits(diff.before, diff.after):
            yield from one.lines


def _gone(field: _Field) -> str:
    """Return the first line that is gone where no line is new."""
    diff = field.first
    if not (isinstance(diff.before, str) and isinstance(diff.after, str)):
        return ""
    found = edits(diff.before, diff.after)
    if any(line.strip() for one in found for line in one.lines):
        return ""
    return next((line.strip() for one in found for line in one.removed if line.strip()), "")


def _use(field: _Field, name: str) -> Position:
    """Return where the text uses a name."""
    for path in field.making.paths(field.name):
        for segment in field.making.segments(path):
            if name in segment.names:
                return field.making.position(path, None, segment.begin)
    return field.making.position((field.name,))


def _template(field: _Field, others: Sequence[Reason]) -> Iterator[Reason]:
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


def _defaults(field: _Field) -> Iterator[Reason]:
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


def _former_place(field: _Field) -> Position | None:
    """Return the file in which the project's defaults stand."""
    document = field.making.maker.project.document
    return Position(file=document.file, line=0) if document is not None else None


def _former(field: _Field, path: FieldPath) -> str | None:
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


def _labels(field: _Field) -> tuple[Reason, ...]:
    """Return the labels that are not as they were: they choose the defaults."""
    unsent = field.record.unsent
    if unsent is None:
        return ()
    before, now = unsent.get("labels", {}), field.task.labels
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return tuple(causes.label_changed(field.task, name, before.get(name)) for name in changed[:MOST])


def _files(field: _Field) -> Iterator[Reason]:
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
