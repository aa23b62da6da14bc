"""Causing: the reasons of changes → the same with what is behind them, each down to a line. Decides nothing.

What is behind a changed field are the inputs of its rendering that are not as they were recorded, the template itself
where that was edited, and what the project's defaults give. What is behind a change that waits are its upstream's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from taskspec.address import Address, task_name
from taskspec.desired.making import DEFAULTS, FILE, TEXT, FieldPath, Making, result_of
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Position, path_text
from taskspec.inputs import Input
from taskspec.plan import cause_reasons as causes
from taskspec.plan.diffing import Edit, edits
from taskspec.plan.model import Change, FieldDiff, Missing, Plan, Reason
from taskspec.plan.unsent_reasons import CODE as UNSENT
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN, changed_at, unsent_changed
from taskspec.state.model import Record

DEEPEST: Final = 5
"""How many tasks that wait for each other a reason goes through."""
MOST: Final = 5
"""How many causes are told of one reason."""
_UPSTREAM: Final = frozenset({"known_after", "waits_for_upstream"})

_WRITTEN: Final = frozenset({"text_edited", "default_changed"})
"""What is behind a field where that itself is written otherwise."""

Placed = Callable[[str], str]
"""Tells how a file of the project is shown."""


def caused(plan: Plan, placed: Placed) -> Plan:
    """Return a plan whose reasons tell what is behind them."""
    done: dict[Address, Change] = {}
    for change in plan.changes:
        done[change.address] = _caused(change, done, placed)
    return replace(plan, changes=tuple(done.values()))


def _caused(change: Change, done: Mapping[Address, Change], placed: Placed) -> Change:
    found: list[Reason] = []
    for reason in change.reasons:
        if reason.code == "spec_changed" and reason.field:
            found += _of_field(reason, change, done)
        elif reason.code in _UPSTREAM:
            because = tuple(_of_upstream(change, done))
            found.append(replace(reason, position=_used_at(change) or reason.position, because=because))
        elif reason.code == "no_longer_declared" and change.record is not None and change.record.file:
            found.append(causes.removed_from(reason, placed(change.record.file), task_name(change.address)))
        elif reason.code == "not_recorded" and change.task is not None:
            found.append(causes.declared(reason, change.task))
        elif reason.code == "assertions_changed" and change.task is not None and change.record is not None:
            found.append(replace(reason, position=changed_at(change.task, change.record, "assertions")))
        else:
            found.append(reason)
    if change.task is not None and change.record is not None:
        found += [one for one in unsent_changed(change.task, change.record) if not _is_told(one, found)]
    return change if tuple(found) == change.reasons else replace(change, reasons=tuple(found))


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """A field of a declared task that differs from what was asked for last."""

    name: str
    diffs: tuple[FieldDiff, ...]
    task: DesiredTask
    making: Making
    record: Record
    done: Mapping[Address, Change]

    @property
    def first(self) -> FieldDiff:
        return self.diffs[0]


def _of_field(reason: Reason, change: Change, done: Mapping[Address, Change]) -> Iterator[Reason]:
    """Yield the reason of a changed field with its place, and with what is behind it."""
    task, record = change.task, change.record
    diffs = tuple(diff for diff in change.diffs if diff.path[0] == reason.field)
    if not isinstance(task, DesiredTask) or task.making is None or record is None or not diffs:
        yield reason
        return
    field = _Field(name=reason.field, diffs=diffs, task=task, making=task.making, record=record, done=done)
    place, removed = _place(field)
    because = (*_inputs(field), *_template(field), *_defaults(field), *_files(field))
    if any(one.code not in _WRITTEN for one in because):
        removed = ""
    is_elsewhere = any(one.code == "default_gone" for one in because)
    yield replace(reason, position=None if is_elsewhere else place, removed=removed, because=because[:MOST])


def _place(field: _Field, *, literal: bool = False) -> tuple[Position, str]:
    """Return where a field begins to differ, and the line that is gone where nothing else is there.

    `literal`: where its template itself does, and not what was put into it.
    """
    diff, making = field.first, field.making
    if diff.after is Missing.MISSING:
        return field.task.source.position(diff.path), f"{diff.path[-1]}:"
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
    return segment is None or segment.is_literal


def _inputs(field: _Field) -> Iterator[Reason]:
    """Yield the inputs that are not as they were."""
    before = field.record.generation.inputs
    if before is None:
        return
    now = field.making.inputs()
    for name in field.making.uses(field.name):
        one, other = before.get(name), now.get(name)
        if one is None or other is None or one == other or (one.digest == other.digest and one.digest):
            continue
        if one.digest == other.digest == "" and one.giver == other.giver:
            continue
        if name == f"{FILE}{field.making.items}":
            continue  # the item that it gives is told, with its line
        yield _input(field, name, one, other)


def _input(field: _Field, name: str, before: Input, now: Input) -> Reason:
    making = field.making
    if name.startswith(FILE):
        file = name.removeprefix(FILE)
        lines = [line for diff in field.diffs for line in _new_lines(diff)]
        return causes.file_changed(file, making.line_in(file, lines), _gone(field))
    address = result_of(name)
    if address is not None:
        upstream = field.done.get(address)
        return causes.upstream_answered(name, address, upstream, _use(field, name))
    return causes.input_changed(name, making.giver(name), before, now)


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


def _template(field: _Field) -> Iterator[Reason]:
    """Yield that the template itself was edited, where something else is behind the change too."""
    before = field.record.generation.inputs
    if before is None:
        return
    now = field.making.inputs()
    names = [name for name in {**before, **now} if _is_text_of(name, field.name)]
    if not any(before.get(name) != now.get(name) for name in names) or not any(_inputs(field)):
        return
    position, removed = _place(field, literal=True)
    yield causes.text_edited(field.name, position, removed)


def _is_text_of(name: str, field_name: str) -> bool:
    return name.startswith(TEXT) and name.removeprefix(TEXT).replace("[", ".").partition(".")[0] == field_name


def _defaults(field: _Field) -> Iterator[Reason]:
    """Yield which default gives the field now, or gave it before."""
    before = field.record.generation.inputs
    for diff in field.diffs[:MOST]:
        origin, _ = field.task.source.origin(diff.path)
        recorded = _given(before or {}, diff.path)
        if origin is None and recorded is None:
            continue
        giver = origin.giver if origin is not None else ""
        labels = _labels(field) if before is not None and (recorded.giver if recorded else "") != giver else ()
        former = recorded.giver if recorded is not None else "" if before is not None else None
        if origin is None:
            yield causes.default_gone(path_text(diff.path), former or "", _former_place(field), labels)
        else:
            yield causes.default_changed(path_text(diff.path), origin, former, labels)


def _former_place(field: _Field) -> Position | None:
    """Return the file in which the project's defaults stand."""
    document = field.making.maker.project.document
    return Position(file=document.file, line=0) if document is not None else None


def _given(inputs: Mapping[str, Input], path: FieldPath) -> Input | None:
    """Return what the defaults were recorded to give at a path, or around it."""
    whole = (inputs.get(f"{DEFAULTS}{path_text(path[:length])}") for length in range(len(path), 0, -1))
    return next((one for one in whole if one is not None), None)


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
