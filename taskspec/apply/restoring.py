"""Restoring: the results folder is made what the state says. Touches no file but those of accepted results."""

from taskspec.apply.model import Emit
from taskspec.apply.publishing import ResultsFolder
from taskspec.errors import StateError
from taskspec.events import ResultUnreadable
from taskspec.state.model import Record, Snapshot
from taskspec.state.store import StateReader


def restore(snapshot: Snapshot, store: StateReader, results: ResultsFolder, emit: Emit) -> None:
    """Write the files of every accepted result that is not there as recorded; remove those of results taken back.

    One that the state cannot give any more, or that cannot be written, is told, and keeps the others from nothing.
    """
    for record in snapshot.records.values():
        accepted = record.accepted
        if accepted is None:
            withdraw(record, results, emit)
        elif not results.is_there(record.address, accepted):
            try:
                content = store.result(accepted.result)
            except StateError as error:
                emit(ResultUnreadable(address=record.address, detail=error.message))
                continue
            emit(results.publish(record.address, accepted, content))


def withdraw(record: Record, results: ResultsFolder, emit: Emit) -> None:
    """Remove the files of a result whose acceptance was taken away."""
    for attempt in record.generation.attempts:
        if attempt.rejudged and attempt.result is not None:
            told = results.withdraw(record.address, attempt.result)
            if told is not None:
                emit(told)
