"""Restoring: result files that are missing are made again from the state. Touches nothing else."""

from taskspec.apply.model import Emit
from taskspec.apply.publishing import ResultsFolder
from taskspec.errors import StateError
from taskspec.events import ResultUnreadable
from taskspec.state.model import Snapshot
from taskspec.state.store import StateReader


def restore(snapshot: Snapshot, store: StateReader, results: ResultsFolder, emit: Emit) -> None:
    """Write the files of every accepted result that is not in the results folder as it is recorded.

    One that the state cannot give any more, or that cannot be written, is told, and keeps the others from nothing.
    """
    for record in snapshot.records.values():
        accepted = record.accepted
        if accepted is None or results.is_there(record.address, accepted.result):
            continue
        try:
            content = store.result(accepted.result)
        except StateError as error:
            emit(ResultUnreadable(address=record.address, detail=error.message))
            continue
        emit(results.publish(record.address, accepted, content))
