"""The state in a PostgreSQL database: `StateStore` for whoever reaches it. Decides nothing.

The lease is a row with an epoch and a time stamp of the server's clock; it ends by itself. Every write is made under
the condition that the lease, the serial and the head are those that the writer knows, so that one which was held up, or
is sent twice because no answer came, changes nothing a second time.
"""

import hashlib
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import Final, TypeVar

import psycopg

from taskspec.address import Address
from taskspec.errors import LostLeaseError, StateError, UnknownCommitError
from taskspec.state import entries
from taskspec.state.document import StateDocument
from taskspec.state.holders import encode_holder
from taskspec.state.holding import held
from taskspec.state.model import HistoryEntry, Holder, Holding, ResultRef, Snapshot, StateChange
from taskspec.state.postgres import reading, statements
from taskspec.state.postgres.changing import written, written_whole
from taskspec.state.postgres.committing import Commit, carry_out
from taskspec.state.postgres.connecting import ANSWER, PATIENCE, Link, Session
from taskspec.state.postgres.rows import Held, Identity, Row, held_by, holding_of, look, lost_by, make, of_lease, take
from taskspec.state.postgres.targets import target_of
from taskspec.state.postgres.trouble import LostError, in_words, unknown
from taskspec.state.results import fitting, missing
from taskspec.state.store import Capabilities, Fencing, Lease

LAST: Final = 3.0
"""Seconds for which a server is looked for only to give a lease back, which ends by itself anyway."""
T = TypeVar("T")


class PostgresState:
    """A `StateStore` in a schema of a database; nothing is made in it before the first `acquire`."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        project: str,
        environment: str,
        read_only: bool,
        ttl: float,
        patience: float = PATIENCE,
        answer: float = ANSWER,
    ) -> None:
        self._target = target_of(url)
        self._place = self._target.place
        self._identity = Identity(name=name, environment=environment)
        self._project = project
        self._environment = environment
        self._read_only = read_only
        self._ttl = ttl
        self._link = Link(self._target, patience=patience, answer=answer)
        self._held: Held | None = None
        self._guard = threading.Lock()  # a connection serves one thread at a time

    @property
    def capabilities(self) -> Capabilities:
        """Return what the store is like."""
        return Capabilities(
            place=f"{self._place} (state `{self._identity.name}`)",  # there may be others of the same environment
            shared=True,
            ttl=self._ttl,
            fencing=Fencing.EPOCH,
            notice=self._target.notice,
        )

    def read(self, only: Collection[Address] | None = None) -> Snapshot:
        """Return every record at one serial, or those of some addresses."""
        return self._ask(lambda session: reading.read_snapshot(session, self._identity, only))

    def digest(self) -> tuple[int, str]:
        """Return the serial, and a digest that only equal records of one lineage at one serial have."""
        row = self._ask(self._look)
        if row is None:
            return 0, ""
        text = f"{row.format}\0{row.lineage}\0{row.serial}\0{row.nonce}"
        return row.serial, hashlib.blake2b(text.encode()).hexdigest()

    def result(self, ref: ResultRef) -> str:
        """Return a kept result; raise StateError where it is missing or does not match its digest."""
        content = self._ask(lambda session: reading.content_of(session, self._identity, ref.digest, ref.size))
        if content is None:
            raise missing(ref, self._place)
        return fitting(content, ref)

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield every kept result with its digest, in the order of the digests."""
        last = ""
        while page := self._results_after(last):
            for ref, content in page:
                yield ref.digest, fitting(content, ref)
                last = ref.digest

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, to one address or to all, newest first."""
        before, left = entries.NEWEST, entries.NEWEST if limit is None else limit
        while left > 0:
            page = self._entries_before(address, before, min(reading.ENTRIES, left))
            for row in page:
                yield entries.entry_of(row, self._place)
                before = row[0]
            left = left - len(page) if len(page) == reading.ENTRIES else 0

    def head(self) -> str:
        """Return the hash of the newest entry of the history, or what the first one will follow from."""
        row = self._ask(self._look)
        return "" if row is None else row.head

    def faults(self) -> list[str]:
        """Return what does not fit together in the tables, the first few things."""
        return self._ask(lambda session: reading.faults(session, self._identity))

    def holding(self) -> Holding | None:
        """Return how the lock is held at this moment; None where it is free."""
        return holding_of(self._ask(self._look))

    def acquire(self, holder: Holder) -> Lease:
        """Take the lock, and make the state where there is none."""
        if self._read_only:
            raise StateError("The state was opened for reading only.")
        text, taken, lineage = encode_holder(holder), uuid.uuid4().hex, uuid.uuid4().hex
        with self._guard, in_words(self._place):
            self._held = self._link.patiently(lambda session: self._taken(session, text, taken, lineage))
            return self._held.lease

    def renew(self, lease: Lease) -> None:
        """Say that the holder lives; raise LostLeaseError where the lease is not the newest any more."""
        with self._guard, in_words(self._place):
            mine = self._mine(lease)
            if not self._link.patiently(lambda session: session.rows(statements.RENEW, of_lease(mine))):
                raise self._lost()

    def commit(self, lease: Lease, serial: int, changes: Sequence[StateChange]) -> int:
        """Make all changes durable, in their order, or none; return the new serial."""
        with self._guard, in_words(self._place):
            mine = self._mine(lease)
            with _kept():
                writing = written(changes, serial + 1, mine.head)
            return self._carry_out(Commit(held=mine, serial=serial, new_serial=serial + 1, writing=writing))

    def replace(self, lease: Lease, serial: int, document: StateDocument) -> int:
        """Put a whole state in the place of the one that is at `serial`, or nothing of it; return its own serial."""
        with self._guard, in_words(self._place):
            mine = self._mine(lease)
            with _kept():
                writing = written_whole(document)
            return self._carry_out(
                Commit(held=mine, serial=serial, new_serial=document.serial, writing=writing, document=document)
            )

    def release(self, lease: Lease) -> None:
        """Give the lock back; a lease that is no longer held is no error."""
        with self._guard:
            if self._held is not None and self._held.lease == lease:
                self._let_go()

    def force_release(self, epoch: int, by: Holder) -> None:
        """Take the lock from the lease of that epoch for good: whatever is still written under it is refused."""
        text, taken = encode_holder(by), uuid.uuid4().hex
        self._ask(lambda session: self._displace(session, epoch, text, taken))

    def close(self) -> None:
        """Let go of everything, a lease that is still held included."""
        with self._guard:
            self._let_go()
            self._link.close()

    def _ask(self, act: Callable[[Session], T]) -> T:
        with self._guard, in_words(self._place):
            return self._link.patiently(act)

    def _look(self, session: Session) -> Row | None:
        return look(session, self._identity)

    def _taken(self, session: Session, holder: str, taken: str, lineage: str) -> Held:
        row = look(session, self._identity, will_make=True)
        if row is None:
            row = make(session, self._identity, project=self._project, lineage=lineage)
        if row.taken == taken:  # an earlier try, whose answer was lost
            return held_by(row)
        if not row.is_free:
            raise held(self._environment, holding_of(row))
        found = take(session, row, holder, taken=taken, ttl=self._ttl, project=self._project)
        # else somebody was quicker: that one is named
        return found if found is not None else self._taken(session, holder, taken, lineage)

    def _displace(self, session: Session, epoch: int, by: str, taken: str) -> None:
        row = self._look(session)
        if row is not None and row.taken == taken:
            return
        values = {"epoch": epoch, "holder": by, "taken": taken}
        if row is None or not session.rows(statements.DISPLACE, {"state": row.id, **values}):
            raise held(self._environment, holding_of(row))

    def _mine(self, lease: Lease) -> Held:
        """Return what is known of a lease, with the head; raise LostLeaseError where it is not this store's."""
        if self._held is None or self._held.lease != lease:
            raise self._lost()
        if not self._held.head:  # what became of the last commit was not known
            row = self._link.patiently(self._look)
            if row is None or not row.is_held_by(self._held):
                raise lost_by(self._identity, self._held, row)
            self._held = held_by(row)
        return self._held

    def _lost(self) -> LostLeaseError:
        row: Row | None = None
        with suppress(LostError, psycopg.Error, StateError):
            row = self._link.patiently(self._look)
        return lost_by(self._identity, self._held, row)

    def _carry_out(self, commit: Commit) -> int:
        tries = count()
        try:
            self._link.patiently(lambda session: carry_out(session, self._identity, commit, again=next(tries) > 0))
        except (LostError, UnknownCommitError) as error:
            self._held = replace(commit.held, head="")
            if isinstance(error, LostError) and error.sent:
                raise unknown(self._place, error) from error
            raise
        self._held = replace(commit.held, lineage=commit.lineage, head=commit.writing.head)
        return commit.new_serial

    def _let_go(self) -> None:
        """Give the lease back, if one is held; where the server cannot be told, it ends by itself."""
        mine, self._held = self._held, None
        if mine is not None:
            with suppress(LostError, psycopg.Error):
                self._link.patiently(lambda session: session.rows(statements.RELEASE, of_lease(mine)), at_most=LAST)

    def _results_after(self, last: str) -> list[tuple[ResultRef, bytes]]:
        return self._ask(lambda session: reading.results_after(session, self._identity, last))

    def _entries_before(self, address: Address | None, before: int, size: int) -> list[entries.Row]:
        return self._ask(lambda session: reading.entries_before(session, self._identity, address, before, size))


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        raise StateError(f"A change cannot be kept: {error}.", hint="This is a bug; please report it.") from error
