"""A state that goes to another place, in words: what is carried, what is left to do, and what a person does next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from taskspec.report.text import Paint, in_line, plural
from taskspec.state.document import StateDocument
from taskspec.state.migrating import Left
from taskspec.state.model import Snapshot
from taskspec.state.replacing import is_empty


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """A state that is carried from one place to another. Places are as they may be shown."""

    source: str
    target: str
    before: Snapshot
    """What the new place held."""
    carried: StateDocument
    left: Left
    forced_over: str = ""
    """Why it is refused unless forced."""


def migration_lines(migration: Migration, paint: Paint) -> Iterator[str]:
    """Yield what a migration does."""
    carried, before = migration.carried, migration.before
    yield f"From: {in_line(migration.source)}"
    yield f"To:   {in_line(migration.target)}"
    yield f"  {_count(carried)}, at serial {carried.serial}"
    if migration.left is Left.COPY:
        there = "nothing yet" if is_empty(before) else f"serial {before.serial}, {plural(len(before.records), 'task')}"
        yield f"  there: {there}"
    elif migration.left is Left.STAY:
        yield "  it is used here again, as it was before it was moved"
    elif migration.left is not Left.NOTHING:
        yield "  an interrupted migration is finished: everything is there already"
    if migration.forced_over:
        yield f"  {paint('!', 'warning')} forced: {in_line(migration.forced_over, 600)}"


def done_lines(migration: Migration, written: str | None, paint: Paint) -> Iterator[str]:
    """Yield what was done, and what is to be done now.

    `written` is the place as it may stand in a manifest; None where it holds a secret, `local` where it is the default.
    """
    if migration.left is Left.NOTHING:
        yield f"The state is at {in_line(migration.target)} already: nothing is to be done."
    elif migration.left is Left.STAY:
        yield f"The state is at {in_line(migration.target)} again."
        yield "`taskspec plan --refresh=full` finds what was run since it was moved."
    else:
        yield paint(f"Migrated: {_count(migration.carried)}, all of it read back and compared.", "strong")
        yield "The old place says from now on where the state is, and whoever still uses it is refused (7)."
    if written is None:
        yield "Now set TASKSPEC_STATE to the address that you gave: it holds a secret, which belongs into no file."
    elif written == "local":
        yield "Now take `state` out of `spec` in taskspec.yaml (and TASKSPEC_STATE out of the environment)."
    else:
        yield "Now let `spec` in taskspec.yaml say (and TASKSPEC_STATE, where it is set):"
        yield f"  state: {in_line(written)}"


def migration_json(migration: Migration, *, dry_run: bool) -> dict[str, Any]:
    """Return what a migration does, or has done, for machines."""
    carried = migration.carried
    return {
        "migrated": migration.left is not Left.NOTHING and not dry_run,
        "left": migration.left.value,
        "from": migration.source,
        "to": migration.target,
        "lineage": carried.lineage,
        "serial": carried.serial,
        "head": carried.head,
        "records": len(carried.records),
        "entries": len(carried.history),
        "results": len(carried.results or ()),
        "forcedOver": migration.forced_over or None,
    }


def _count(carried: StateDocument) -> str:
    entries = "1 entry" if len(carried.history) == 1 else f"{len(carried.history)} entries"
    results = plural(len(carried.results or ()), "result")
    return f"{plural(len(carried.records), 'task')}, {entries} of the history, {results}"
