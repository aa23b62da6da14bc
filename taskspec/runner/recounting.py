"""state list, state show, history: what is recorded, and what has happened. Takes no lock, and asks no remote."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, takewhile

from taskspec.address import Address, is_address, matches
from taskspec.diagnostics import nearest
from taskspec.errors import UnchainedError, UsageError
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.picking import pick_recorded
from taskspec.runner.planning import read_state
from taskspec.state.chaining import follow
from taskspec.state.model import HistoryEntry, Record, Snapshot
from taskspec.state.store import StateReader
from taskspec.state.verifying import Verified

LEEWAY = 3600.0
"""Seconds by which a clock may have been set back: an entry that is so much older than asked for ends the telling."""


def recorded(invocation: Invocation, ports: Ports) -> tuple[Snapshot, list[Record]]:
    """Return the state, and the records that are selected of it, in the order of their addresses."""
    snapshot = read_state(project_of(invocation), ports)
    chosen = pick_recorded(invocation, ports, snapshot)
    return snapshot, sorted(chosen, key=lambda record: record.address)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Everything that is kept of an address; `record` is None where it has left the state."""

    snapshot: Snapshot
    record: Record | None
    history: Sequence[HistoryEntry]
    """Newest first."""


def everything(invocation: Invocation, ports: Ports, address: str) -> Recorded:
    """Return what is kept of an address; raise UsageError where nothing ever was."""
    with _reading(invocation, ports) as store:
        found = Address(address)
        snapshot = store.read(only=[found])
        history = list(store.history(found))
        if not history and found not in snapshot.records:
            raise unheard_of(address, store.read().records)
        return Recorded(snapshot=snapshot, record=snapshot.records.get(found), history=history)


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What has happened, newest first, and the head of the whole history; entries are read as they are asked for."""

    head: str
    entries: Iterator[HistoryEntry]


@contextmanager
def history(
    invocation: Invocation, ports: Ports, address: str | None, *, limit: int | None, since: float | None
) -> Iterator[Telling]:
    """Open what has happened to an address, or to all; `since` is a moment, in seconds since the epoch."""
    with _reading(invocation, ports) as store:
        found = store.history(None if address is None else Address(address), limit=limit)
        first = next(found, None)
        if first is None and address is not None and Address(address) not in (records := store.read().records):
            raise unheard_of(address, records)
        yield Telling(head=store.head(), entries=_since(chain([first] if first else [], found), since))


def verified(invocation: Invocation, ports: Ports, given: str | None) -> Verified:
    """Compute the whole chain anew; raise UnchainedError for a history that has none yet."""
    with _reading(invocation, ports) as store:
        snapshot = store.read(only=())
        if snapshot.lineage and not snapshot.head:
            raise UnchainedError(
                "The history was written by an older taskspec, and has no hashes yet: nothing can be verified.",
                hint="The next command that takes the lock, such as `taskspec apply`, chains it.",
            )
        heads = frozenset({snapshot.head} | ({given} if given else set()))
        chain = follow(store.history(), snapshot.lineage, heads)
        known = snapshot.head in chain.found or not snapshot.lineage
        return Verified(
            chain=chain,
            head=snapshot.head,
            shortened=not known,
            # whoever has written meanwhile has moved the head on too
            lengthened=bool(snapshot.lineage) and known and chain.head != snapshot.head == store.head(),
            missing=given if given is not None and given not in chain.found else None,
        )


@contextmanager
def _reading(invocation: Invocation, ports: Ports) -> Iterator[StateReader]:
    store = ports.open_state(project_of(invocation), read_only=True)
    try:
        yield store
    finally:
        store.close()


def _since(entries: Iterable[HistoryEntry], since: float | None) -> Iterator[HistoryEntry]:
    if since is None:
        return iter(entries)
    recent = takewhile(lambda entry: entry.note.at >= since - LEEWAY, entries)
    return (entry for entry in recent if entry.note.at >= since)


def unheard_of(address: str, records: Iterable[Address]) -> UsageError:
    """Return the error for an address of which there is nothing; one that means several names these."""
    known = list(records)
    cells = [other for other in known if is_address(address) and matches(address, other)]
    if cells:
        hint = f"It has cells: `taskspec state list {address}` lists them."
    else:
        hint = nearest(address, known) or "`taskspec state list` lists what is recorded."
    return UsageError(f"Nothing is recorded of `{address}`, and nothing has happened to it.", hint=hint)
