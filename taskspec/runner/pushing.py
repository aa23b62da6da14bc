"""state push: a document takes the place of the state of a project. Asks no remote, and starts nothing.

Everything is checked before anything is written; then all of it is written, or nothing.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from taskspec.errors import StaleError, StateError, TaskspecError
from taskspec.report.pushing import Replacement
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.state.document import StateDocument
from taskspec.state.model import Snapshot
from taskspec.state.parsing import parse, results_of
from taskspec.state.replacing import forced_serial, goes_on, is_same, refusal
from taskspec.state.store import StateReader

Approve = Callable[[Replacement], bool]
"""Shows what takes the place of what, and tells whether it is to be."""


async def push(
    invocation: Invocation, ports: Ports, file: Path, approve: Approve, *, force: bool
) -> Replacement | None:
    """Put the document of a file in the place of the state; return what was done, or None where it was not approved.

    Raises StaleError for a document that may not take its place, unless forced, and StateError for one that is wrong.
    """
    project = project_of(invocation)
    document = parse(_read(file))
    async with locked(project, ports, invocation.lock_timeout, though_moved=force) as (store, lease):
        snapshot = store.read()
        why = refusal(snapshot, document, project.environment)
        same = is_same(snapshot, document) and _has_results(document, store)
        if why is not None and not force and not same:
            raise StaleError(
                f"Nothing was pushed: {why}.",
                hint="Look at both (`taskspec state pull`); `--force` replaces the state all the same.",
            )
        _require_results(document, store)
        if force and why is not None and not same:
            document = replace(document, serial=forced_serial(snapshot, document))
        replacement = Replacement(
            before=snapshot, after=document, same=same, lost=_lost(snapshot, document, store), forced_over=why or ""
        )
        if same:
            return replacement
        if not approve(replacement):
            return None
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        store.replace(lease, snapshot.serial, document)
    return replacement


def _read(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode()
    except UnicodeDecodeError as error:
        raise StateError(f"`{file}` is no state that can be pushed: it is not UTF-8 text.") from error
    except OSError as error:
        raise TaskspecError(f"`{file}` cannot be read: {error.strerror}.") from error


def _lost(snapshot: Snapshot, document: StateDocument, store: StateReader) -> int:
    """Return how many entries of the history are not in the document."""
    if goes_on(snapshot, document):
        return 0
    kept = {entry.hash for entry in document.history}
    return sum(entry.hash not in kept for entry in store.history())


def _require_results(document: StateDocument, store: StateReader) -> None:
    """Raise StateError for a document without its results where the state does not have them either."""
    if document.results is not None:
        return
    for record in document.records.values():
        for ref in results_of(record):
            try:
                store.result(ref)
            except StateError as error:
                raise StateError(
                    f"The document has no results, and one that `{record.address}` names is not here: {error.message}",
                    hint="Pull it with its results. Nothing was changed.",
                ) from error


def _has_results(document: StateDocument, store: StateReader) -> bool:
    """Tell whether the results of a document are kept already."""
    if document.results is None:
        return True
    try:
        return dict(store.results()) == document.results
    except StateError:
        return False
