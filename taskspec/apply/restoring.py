"""Restoring: the results folder is made what the state says. Touches no file but those of accepted results."""

from dataclasses import replace
from typing import assert_never

from taskspec.apply.model import Emit
from taskspec.apply.publishing import ResultsFolder
from taskspec.errors import StateError
from taskspec.events import FormerResultRemoved, ResultNotWritten, ResultUnreadable, ResultWithdrawn
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
    _remove_former(snapshot, results, emit)


def withdraw(record: Record, results: ResultsFolder, emit: Emit) -> None:
    """Remove the files of a result whose acceptance was taken away."""
    for attempt in record.generation.attempts:
        if attempt.rejudged and attempt.result is not None:
            told = results.withdraw(record.address, attempt.result)
            if told is not None:
                emit(told)


def _remove_former(snapshot: Snapshot, results: ResultsFolder, emit: Emit) -> None:
    """Remove the files of results that stand under another address now: their run tells that they are the same.

    They are looked for each time, so that a cut between the move and this leaves none for good.
    """
    records = snapshot.records
    homes = {(kept.run, kept.result.digest): one for one in records.values() if (kept := one.accepted) is not None}
    for before, run, digest in list(results.elsewhere(records)):
        home = homes.get((run, digest))
        if home is None or home.accepted is None or not results.is_there(home.address, home.accepted):
            continue
        told = results.withdraw(before, home.accepted.result, f"is the result of {home.address} now")
        match told:
            case ResultWithdrawn(path=path):
                emit(FormerResultRemoved(address=home.address, path=path))
            case ResultNotWritten():
                emit(replace(told, address=home.address))
            case None:
                pass
            case _:
                assert_never(told)
