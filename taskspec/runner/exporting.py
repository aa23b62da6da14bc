"""Exporting: the results that are selected, with what tells them apart, to be written elsewhere. Changes no state."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from taskspec.address import Address, cell_values, task_name
from taskspec.apply.model import Emit
from taskspec.apply.publishing import ResultsFolder
from taskspec.documents.loading import load
from taskspec.errors import StateError
from taskspec.events import ResultNotWritten
from taskspec.plan.recollecting import Recollection, recollected
from taskspec.report.exporting import Export
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.picking import pick_recorded
from taskspec.runner.recalling import Historian, Histories, notes_of
from taskspec.state.migrating import require_here
from taskspec.state.model import Accepted, Record
from taskspec.state.store import StateReader

Axes = Mapping[str, Sequence[str]]
"""The names of the axes of each task, in the order in which they stand in the addresses of its cells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exports:
    """What is exported, one result at a time, as long as the state is open."""

    head: Mapping[str, Any]
    """Of which project and state it is."""
    selected: Sequence[Address]
    axes: Sequence[str]
    results: Iterator[Export]


@contextmanager
def exports(invocation: Invocation, ports: Ports, *, all_generations: bool) -> Iterator[Exports]:
    """Open the accepted results that are selected; with all generations, every result of theirs that is kept."""
    project = project_of(invocation)
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        snapshot = store.read()
        records = sorted(pick_recorded(invocation, ports, snapshot), key=lambda record: record.address)
        axes = _axes(invocation)
        told = Histories(store)
        found = (one for record in records for one in _of(record, store, told, axes, all_generations=all_generations))
        names = [name for record in records for name, _ in _placed(record.address, axes)]
        yield Exports(
            head={
                "project": project.name,
                "environment": project.environment,
                "lineage": snapshot.lineage,
                "serial": snapshot.serial,
            },
            selected=[record.address for record in records],
            axes=list(dict.fromkeys(names)),
            results=found,
        )
    finally:
        store.close()


def write_files(found: Exports, folder: Path, emit: Emit, *, all_generations: bool) -> bool:
    """Write each result and its provenance to a folder, and tell it; return False where one could not be written.

    With all generations, those of each are in a folder of their own. What nobody here has written stays as it is.
    """
    is_whole = True
    for one in found.results:
        where = folder / f"g{one.accepted.generation}" if all_generations else folder
        try:
            where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"The folder {where} cannot be made: {error.strerror}.") from error
        told = ResultsFolder(where, str(where)).publish(one.address, one.accepted, one.read())
        is_whole = is_whole and not isinstance(told, ResultNotWritten)
        emit(told)
    return is_whole


def _of(record: Record, store: StateReader, told: Historian, axes: Axes, *, all_generations: bool) -> Iterator[Export]:
    accepted = record.accepted
    make = partial(Export, address=record.address, axes=dict(_placed(record.address, axes)))
    if not all_generations:
        if accepted is not None:
            yield make(accepted=accepted, read=partial(store.result, accepted.result))
        return
    for one in recollected(record, notes_of(record.address, told)):
        kept = _as_accepted(one)
        if kept is not None and not one.is_gone:
            current = accepted is not None and accepted.generation == one.number
            yield make(accepted=kept, is_current=current, read=partial(store.result, kept.result))


def _as_accepted(one: Recollection) -> Accepted | None:
    """Return the result of a generation, accepted or not, as its provenance tells it."""
    kept = one.kept
    if kept is None:
        return None
    return Accepted(
        generation=one.number,
        fingerprint=one.fingerprint or "",
        plan=one.plan or "",
        agent=kept.agent or one.agent,
        agent_version=None if one.spec is None else one.spec.get("agentVersion"),
        attempt=kept.attempt,
        result=kept.result,
        at=kept.at,
    )


def _axes(invocation: Invocation) -> Axes:
    """Return the names of the axes as the documents write them; nothing is rendered for that."""
    found: dict[str, Sequence[str]] = {}
    for task in load(invocation.target, invocation.environment).manifests.tasks:
        matrix = task.spec.get("matrix")
        if isinstance(matrix, Mapping):
            found[task.address] = [name for name in matrix if name not in {"include", "exclude"}]
        elif "forEach" in task.spec:
            found[task.address] = ["key"]
    return found


def _placed(address: Address, axes: Axes) -> Iterator[tuple[str, str]]:
    """Yield the axes of a cell with its values; those that nothing declares any more by their number."""
    values, names = cell_values(address), axes.get(task_name(address), ())
    if len(names) != len(values):
        names = [str(number) for number in range(1, len(values) + 1)]
    yield from zip(names, values, strict=True)
