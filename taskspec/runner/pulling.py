"""state pull: the whole state of a project as one document, at one serial. Takes no lock, and changes nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from taskspec.errors import StateError, TaskspecError, UnchainedError
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.state.chaining import linked, root
from taskspec.state.folders import write_pieces
from taskspec.state.model import HistoryEntry, Snapshot
from taskspec.state.parsing import results_of
from taskspec.state.store import StateReader
from taskspec.state.writing import pieces


@contextmanager
def pulled(invocation: Invocation, ports: Ports, *, results: bool) -> Iterator[Iterator[str]]:
    """Open the text of the document of the state, piece by piece."""
    project = project_of(invocation)
    store = ports.open_state(project, read_only=True)
    try:
        snapshot = store.read()
        if not snapshot.lineage:
            raise TaskspecError(
                f"Nothing is kept yet for environment `{project.environment}`.", hint="`taskspec apply` begins a state."
            )
        if not snapshot.head:
            raise UnchainedError(
                "The history was written by an older taskspec, and has no hashes yet.",
                hint="The next command that takes the lock, such as `taskspec apply`, chains it.",
            )
        kept = with_all_named(snapshot, store.results()) if results else None
        yield pieces(snapshot, project.name, project.environment, _until(snapshot, store), kept)
    finally:
        store.close()


def pull_to(file: Path, text: Iterator[str]) -> None:
    """Write the document to a file that only its owner may read; it is there as a whole, or not at all."""
    try:
        write_pieces(file, (piece.encode() for piece in text))
    except OSError as error:
        raise TaskspecError(f"`{file}` cannot be written: {error.strerror}.") from error


def with_all_named(snapshot: Snapshot, results: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the kept results; StateError where one that a record names is not among them: nobody could push that."""
    missing = {ref.digest: record.address for record in snapshot.records.values() for ref in results_of(record)}
    for digest, content in results:
        missing.pop(digest, None)
        yield digest, content
    for digest, address in missing.items():
        raise StateError(
            f"The result {digest}, which `{address}` names, is not kept any more.",
            hint="`--no-results` pulls everything but the results' texts; `taskspec doctor` tells what else is lost.",
        )


def _until(snapshot: Snapshot, store: StateReader) -> Iterator[HistoryEntry]:
    """Yield the entries up to a snapshot, newest first.

    Raises StateError where another state was put there since, or where they are not those that the state goes by.
    """
    last: HistoryEntry | None = None
    for entry in store.history():
        if last is None and entry.hash != snapshot.head:
            continue  # somebody has written meanwhile
        last = entry
        yield entry
    newest = root(snapshot.lineage)
    if last is None and snapshot.head != newest:
        raise _astray(snapshot, store)
    if last is not None and linked(newest, last.serial, last.note) != last.hash:
        raise _astray(snapshot, store)


def _astray(snapshot: Snapshot, store: StateReader) -> StateError:
    """Return why the history does not lead to a snapshot."""
    now = store.read(only=())
    if (now.lineage, now.serial, now.head) == (snapshot.lineage, snapshot.serial, snapshot.head):
        return StateError(
            "The history is damaged: it does not lead from its beginning to what the state goes by.",
            hint="`taskspec history verify` says where it breaks. Restore the state from a backup.",
        )
    return StateError(
        "The state was replaced by another one while it was read.", hint="Nothing was written. Run the command again."
    )
