"""Restoring: result files that are missing are made again from the state. Touches nothing else."""

from taskspec.apply.model import Emit
from taskspec.apply.publishing import ResultsFolder
from taskspec.events import ResultWritten
from taskspec.state.model import Snapshot
from taskspec.state.store import StateReader


def restore(snapshot: Snapshot, store: StateReader, results: ResultsFolder, emit: Emit) -> None:
    """Write the files of every accepted result that is not in the results folder as it is recorded."""
    for record in snapshot.records.values():
        accepted = record.accepted
        if accepted is None or results.is_there(record.address, accepted.result):
            continue
        results.write(record.address, accepted, store.result(accepted.result))
        emit(ResultWritten(address=record.address, path=results.shown(record.address, accepted.result)))
