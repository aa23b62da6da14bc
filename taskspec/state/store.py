"""The port of the state stores: what a planner may read and an executor may write. Implements nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from taskspec.address import Address
from taskspec.state.document import StateDocument
from taskspec.state.model import HistoryEntry, Holder, Holding, ResultRef, Snapshot, StateChange


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to write. Epochs only grow: a write under an older one is refused."""

    epoch: int


class Fencing(Enum):
    """What keeps out the writes of a holder that has lost its lease."""

    EPOCH = "epoch"  # each write is made under the condition that its epoch is the newest
    SWAP = "swap"  # each write replaces exactly what the writer has read, the lease included
    LOCK = "lock"  # the server takes writes from the holder of its lock alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a store is like, as data: nobody asks which store it is."""

    place: str
    """Where the state is, as it may be printed: without a password."""
    shared: bool
    """Other machines can reach it."""
    ttl: float | None
    """Seconds after which the lease of a holder that gives no sign of life ends by itself; None: it ends with the
    holder's process, and never before."""
    fencing: Fencing
    whole: bool = False
    """Each commit writes all that is kept: its cost grows with the state."""
    files: tuple[Path, ...] = ()
    """The folder of a state that is in files, and those of them that a writer writes."""
    notice: str = ""
    """What is known to be weak about the place where it is, in a sentence."""


class StateReader(Protocol):
    """What a planner gets. Reading needs no lock, and works while another process writes."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what the store is like; needs no look at it."""

    def read(self, only: Collection[Address] | None = None) -> Snapshot:
        """Return every record at one serial; where nothing is kept yet, an empty snapshot without a lineage.

        `only` leaves out all records but those of some addresses: that is quick, however many there are.

        Raises StateError where the state cannot be read, is damaged, or was made by a newer taskspec.
        """

    def digest(self) -> tuple[int, str]:
        """Return the serial, and a digest that only equal records of one lineage at one serial have.

        Raises StateError as `read` does, but for what the records hold.
        """

    def result(self, ref: ResultRef) -> str:
        """Return a kept result; raise StateError where it is missing or does not match its digest."""

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield every kept result with its digest, in the order of the digests; raise StateError as `result` does."""

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, to one address or to all, newest first."""

    def head(self) -> str:
        """Return the hash of the newest entry of the history, or what the first one will follow from.

        Empty where nothing is kept yet, or where an older taskspec wrote the history, which has no hashes then.
        """

    def holding(self) -> Holding | None:
        """Return how the lock is held at this moment; None where it is free."""

    def faults(self) -> list[str]:
        """Return what the store itself finds wrong with what it keeps, the first few things; it changes nothing.

        Raises StateError where it cannot be reached or opened.
        """

    def close(self) -> None:
        """Let go of everything, a lease that is still held included."""


class StateStore(StateReader, Protocol):
    """What an executor gets."""

    def acquire(self, holder: Holder) -> Lease:
        """Take the lock, and make the state (its lineage, serial 0) where there is none.

        Raises LockHeldError, which names the holder, and StateError where the state cannot be written. A holder that
        dies loses its lease by itself: at once, or `ttl` seconds after its last sign of life. One that lives, and
        renews its lease, never does.
        """

    def renew(self, lease: Lease) -> None:
        """Say that the holder lives; raise LostLeaseError where the lease is not the newest any more."""

    def commit(self, lease: Lease, serial: int, changes: Sequence[StateChange]) -> int:
        """Make all changes durable, in their order, or none; return the new serial, which is `serial` + 1.

        Raises StaleError where the state is not at `serial`, LostLeaseError where the lease is not the newest,
        UnknownCommitError where nobody can tell whether it happened (read back by serial), and StateError where
        it did not happen. Of one result the last change counts. A result that is dropped is not told from then on, but
        a reader that has a copy may still give its text; that no record names it is for the caller to know.
        """

    def replace(self, lease: Lease, serial: int, document: StateDocument) -> int:
        """Put a whole state in the place of the one that is at `serial`, or nothing of it; return its own serial.

        Its lineage, its records and its history, with the hashes that they have, are the document's then; so are the
        kept results, where it has any. Whether that is right, and the document sound, is for the caller to know. Raises
        as `commit` does. A store that keeps one document, and accepts it under a condition, needs no more than that.
        """

    def release(self, lease: Lease) -> None:
        """Give the lock back; a lease that is no longer held is no error."""

    def force_release(self, epoch: int, by: Holder) -> None:
        """Take the lock from the lease of that epoch for good: whatever is still written under it is refused.

        Whether it lives is for the caller to ask. Raises LockHeldError where the lock is held under another epoch.
        """
