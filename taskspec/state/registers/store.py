"""The state in a register: one page that is replaced by compare-and-swap, and pieces beside it. Knows no server.

The page holds the lease, the serial and what was written last: so one swap is lease, fence and commit at once, and no
write of a holder that was displaced can happen.
"""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from taskspec.errors import LostLeaseError, StateError, UnknownCommitError
from taskspec.state.document import StateDocument
from taskspec.state.encoding import FORMAT, encode_record
from taskspec.state.holding import held, lost, moved_on
from taskspec.state.model import TTL, Holder, PutResult, StateChange
from taskspec.state.reading import read_snapshot
from taskspec.state.registers.basing import Base
from taskspec.state.registers.changing import (
    Commit,
    Taker,
    added,
    displaced,
    empty,
    entries_of,
    released,
    renewed,
    taken,
)
from taskspec.state.registers.fetching import MissingPieceError
from taskspec.state.registers.pages import Page
from taskspec.state.registers.port import Register
from taskspec.state.registers.recalling import RegisteredReader
from taskspec.state.registers.segments import LIMITS, Limits
from taskspec.state.registers.spilling import RECORDS, RESULTS, Added, Grown, Spiller, new_log, nonce
from taskspec.state.registers.swapping import PATIENCE, Kept, LockedError, UnansweredError
from taskspec.state.registers.sweeping import Sweeper
from taskspec.state.results import checked
from taskspec.state.store import Lease
from taskspec.state.trouble import damaged

_GOODBYE: Final = 3.0
"""Seconds for which a server is asked to take a lease back: it ends by itself as well."""


class RegisteredState(RegisteredReader):
    """A `StateStore` in a register; nothing is written there before the first `acquire`."""

    def __init__(
        self,
        register: Register,
        project: str,
        environment: str,
        *,
        read_only: bool,
        owner: str | None = None,
        ttl: float = TTL,
        patience: float = PATIENCE,
        limits: Limits = LIMITS,
    ) -> None:
        super().__init__(register, environment, ttl, owner)
        self._project = project
        self._read_only = read_only
        self._base = Base(register, self._follower, patience)
        self._goodbye = min(patience, _GOODBYE)
        self._spiller = Spiller(register, limits)
        self._sweeper = Sweeper(register, limits)
        self._lease: tuple[Lease, str] | None = None  # with its lineage
        self._writing = threading.RLock()  # one change at a time; a heartbeat needs no turn, and so is never late

    def acquire(self, holder: Holder) -> Lease:
        """Take the lock, and make the state where there is none."""
        self._require_writable()
        with self._writing:
            self._base.forget()
            self._leases.require_free(self._base.known())
            lock = self._leases.lock(holder, self._follower.look)
            taker = Taker(holder=holder, project=self._project, ttl=self._ttl, lock=lock)
            if lock is not None:  # its holder may have written until it was ours
                self._base.forget()
            try:
                with self._answered():
                    page = self._base.change(lambda kept: self._taken(kept, taker)).page
            except BaseException:
                self._leases.unlock(lock)
                raise
            lease = Lease(epoch=page.epoch)
            self._lease = lease, page.lineage
            return lease

    def renew(self, lease: Lease) -> None:
        """Say that the holder lives; raise LostLeaseError where the lease is not the newest any more."""
        with self._answered():
            self._base.change(lambda kept: renewed(self._checked(kept, lease), self._register.clock()))

    def commit(self, lease: Lease, serial: int, changes: Sequence[StateChange]) -> int:
        """Make all changes durable, in their order, or none; return the new serial."""
        with self._writing:
            page = self._current(lease, serial)
            with _in_words("A change"):
                lines, results, head = added(changes, serial + 1, page.head)
                index = self._spiller.keep(self._unknown(results, page), page)
            has_dropped = bool(lines.results)  # what held their texts is swept when the lock is given back
            lines = replace(lines, results=[*lines.results, *index])
            logs = self._grown(page, lines, lease)
            commit = Commit(
                nonce=nonce(), serial=serial + 1, head=head, logs=logs, lineage=page.lineage, littered=has_dropped
            )
            kept = self._advanced(lease, serial, commit)
            self._follower.append(page, kept.page, lines)
            return serial + 1

    def replace(self, lease: Lease, serial: int, document: StateDocument) -> int:
        """Put a whole state in the place of the one that is at `serial`, or nothing of it; return its own serial."""
        with self._writing:
            page = self._current(lease, serial)
            results = document.results
            with _in_words("The document"):
                texts = {digest: text.encode() for digest, text in (results or {}).items()}
                lines = Added(
                    records=[(record.address, encode_record(record)) for record in document.records.values()],
                    history=entries_of(document),
                    results=self._spiller.keep(texts, page),
                )
            index = page.results if results is None else new_log()
            logs = self._grown(replace(page, records=new_log(), history=new_log(), results=index), lines, lease)
            commit = Commit(
                nonce=nonce(),
                serial=document.serial,
                head=document.head,
                logs=logs,
                lineage=document.lineage,
                littered=True,
            )
            with self._base.turn():  # a heartbeat knows the state by its lineage
                self._advanced(lease, serial, commit)
                self._lease = lease, document.lineage
            return document.serial

    def release(self, lease: Lease) -> None:
        """Give the lock back; a lease that is no longer held is no error."""
        with self._writing:
            if self._lease is None or self._lease[0] != lease:
                return
            lock: str | None = None
            with suppress(StateError, UnansweredError, LockedError):  # it ends by itself
                page = self._checked(self._base.known(), lease)
                lock = page.lease.lock if page.lease is not None else None
                clean = page.littered and self._swept(lease)
                self._base.change(
                    lambda kept: released(self._checked(kept, lease), clean=clean), patience=self._goodbye
                )
            self._leases.unlock(lock)
            self._lease = None

    def force_release(self, epoch: int, by: Holder) -> None:
        """Take the lock from the lease of that epoch for good: whatever is still written under it is refused."""
        self._require_writable()

        def taken_away(kept: Kept | None) -> Page:
            if kept is None or kept.page.epoch != epoch:
                raise held(self._environment, self._leases.holding(kept))
            return displaced(kept.page, by)

        with self._writing:
            self._base.forget()
            kept = self._base.known()
            lock = kept.page.lease.lock if kept is not None and kept.page.lease is not None else None
            with self._answered():
                self._base.change(taken_away)
            self._leases.unlock(lock)

    def close(self) -> None:
        """Let go of everything, a lease that is still held included."""
        with self._writing:
            if self._lease is not None:
                self.release(self._lease[0])
            self._base.forget()
            super().close()

    def _taken(self, kept: Kept | None, taker: Taker) -> Page:
        """Return the page in which a lease is taken that nobody else has."""
        self._leases.require_free(kept)
        page = empty(uuid.uuid4().hex, self._project, self._environment) if kept is None else kept.page
        return taken(self._upgraded(page), taker, self._register.clock())

    def _upgraded(self, page: Page) -> Page:
        """Return a page with every record in today's format."""
        if page.form == FORMAT:
            return page
        try:
            with self._follower.at_hand(page, RECORDS) as replica:
                records = read_snapshot(replica.connection, self._register.place).records.values()
        except MissingPieceError as error:
            raise damaged(self._register.place, f"its piece {error} is gone") from error
        lines = Added(records=[(record.address, encode_record(record)) for record in records])
        logs = self._spiller.grown(replace(page, records=new_log()), lines)
        return replace(page, form=FORMAT, records=logs.records, littered=True)

    def _current(self, lease: Lease, serial: int) -> Page:
        """Return the page that is at a serial, under a lease; raise LostLeaseError or StaleError."""
        page = self._checked(self._base.known(), lease)
        if page.serial != serial:
            self._base.forget()
            self._checked(self._base.known(), lease, serial)
        return page

    def _checked(self, kept: Kept | None, lease: Lease, serial: int | None = None) -> Page:
        page = None if kept is None else kept.page
        if page is None or page.lease is None or page.epoch != lease.epoch or self._lease != (lease, page.lineage):
            raise self._lost(page)
        if serial is not None and page.serial != serial:
            raise moved_on(self._environment, page.serial, serial)
        return page

    def _lost(self, page: Page | None = None) -> LostLeaseError:
        is_later = page is not None and self._lease is not None and self._lease[0].epoch < page.epoch
        by = page.taken if page is not None and is_later else None
        return lost(self._environment, by, f"the state at {self._register.place} was taken over, moved or deleted")

    def _unknown(self, results: Sequence[PutResult], page: Page) -> dict[str, bytes]:
        """Return the results that are not kept yet, by their digests."""
        contents = {one.ref.digest: checked(one) for one in results}
        if not contents:
            return {}
        try:
            with self._follower.at_hand(page, RESULTS) as replica:
                return {name: content for name, content in contents.items() if replica.result_at(name) is None}
        except MissingPieceError:
            return contents  # keeping one again does no harm

    def _grown(self, page: Page, lines: Added, lease: Lease) -> Grown:
        """Return the logs of a page with lines added."""
        try:
            return self._spiller.grown(page, lines)
        except MissingPieceError as error:
            self._base.forget()
            self._checked(self._base.known(), lease)  # whoever has the lease now may have dropped it
            raise damaged(self._register.place, f"its piece {error} is gone") from error

    def _advanced(self, lease: Lease, serial: int, commit: Commit) -> Kept:
        """Bring a commit in, and return the page that it is in."""
        waste = self._sweeper.drop(self._current(lease, serial), commit.logs.replaced)

        def decide(kept: Kept | None) -> Page:
            return commit.on(self._checked(kept, lease, serial), waste, self._register.clock())

        with self._answered():
            try:
                return self._base.change(decide, is_done=commit.is_in)
            except UnansweredError as error:
                place = self._register.place
                raise UnknownCommitError(
                    f"Nobody can tell whether the last change is kept in the state at {place} ({error}).",
                    hint="Check that the server can be reached, then run the command again.",
                ) from error

    def _swept(self, lease: Lease) -> bool:
        """Drop the pieces that no page has ever named; tell whether there are none any more."""
        with suppress(StateError, MissingPieceError):  # who may not, leaves them
            now = self._register.now()  # what is kept from here on is young, however long this takes
            self._base.forget()
            page = self._checked(self._base.known(), lease)
            with self._follower.at_hand(page, RESULTS) as replica:
                return self._sweeper.sweep(page, replica.pieces(), now)
        return False

    def _require_writable(self) -> None:
        if self._read_only:
            raise StateError("The state was opened for reading only.")

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Say in words why nothing came of a change, or nobody knows what did."""
        try:
            yield
        except UnansweredError as error:
            raise StateError(
                f"The server of the state at {self._register.place} gives no usable answer ({error}).",
                hint="Check that the server can be reached, then run the command again.",
            ) from error
        except LockedError as error:
            if self._register.has_lock:
                raise self._lost() from error
            raise StateError(
                f"The state at {self._register.place} takes no change, though nobody else has made one.",
                hint="Run the command again.",
            ) from error


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Turn what the encoding says of a value into a StateError."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise StateError(f"{what} cannot be kept: {error}.", hint="This is a bug; please report it.") from error
