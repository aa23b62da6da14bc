"""The state in a register as it is read: from the page that is there, and a copy of what it names. Writes nothing."""

import hashlib
from collections.abc import Collection, Iterator
from typing import Final

from taskspec.address import Address
from taskspec.state import entries
from taskspec.state.model import HistoryEntry, Holding, ResultRef, Snapshot
from taskspec.state.reading import read_snapshot, read_some
from taskspec.state.registers.fetching import MissingPieceError, part, side_by_side
from taskspec.state.registers.following import Follower
from taskspec.state.registers.leases import Leases
from taskspec.state.registers.port import Register
from taskspec.state.registers.replica import Place
from taskspec.state.registers.spilling import HISTORY, NAMES, RECORDS, RESULTS
from taskspec.state.results import fitting, missing
from taskspec.state.store import Capabilities

PAGE: Final = 500
"""How many entries of the history are read at a time."""

_TEXTS: Final = 32
"""How many results are fetched at a time, by whoever reads all of them."""


class RegisteredReader:
    """A `StateReader` of a register."""

    def __init__(self, register: Register, environment: str, ttl: float, owner: str | None = None) -> None:
        self._register = register
        self._environment = environment
        self._ttl = ttl
        self._follower = Follower(register, environment, owner)
        self._leases = Leases(register, environment, ttl)

    @property
    def capabilities(self) -> Capabilities:
        """Return what the store is like."""
        register = self._register
        return Capabilities(
            place=register.place,
            shared=True,
            ttl=self._ttl,
            fencing=register.fencing,
            whole=not register.has_pieces,
            notice=register.notice,
        )

    def read(self, only: Collection[Address] | None = None) -> Snapshot:
        """Return every record at one serial, or those of some addresses."""
        names = () if only is not None and not only else (RECORDS,)
        with self._follower.copied(*names) as copy:
            if copy is None:
                return Snapshot(lineage="", serial=0, records={})
            connection, place = copy[1].connection, self._register.place
            return read_snapshot(connection, place) if only is None else read_some(connection, place, only)

    def digest(self) -> tuple[int, str]:
        """Return the serial, and a digest that only equal records of one lineage at one serial have."""
        kept = self._follower.look()
        if kept is None:
            return 0, ""
        page = kept.page
        told = f"{page.form}\0{page.lineage}\0{page.serial}\0{page.commit}"
        return page.serial, hashlib.blake2b(told.encode()).hexdigest()

    def result(self, ref: ResultRef) -> str:
        """Return a kept result; raise StateError where it is missing or does not match its digest."""
        with self._follower.as_it_is() as replica:
            row = replica.result_at(ref.digest)
        content = None if row is None else self._text(row)
        if content is None:
            with self._follower.copied(RESULTS) as copy:
                row = None if copy is None else copy[1].result_at(ref.digest)
            content = None if row is None else self._text(row)
        if content is None:
            raise missing(ref, self._register.place)
        return fitting(content, ref)

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield every kept result with its digest, in the order of the digests."""
        with self._follower.copied(RESULTS) as copy:
            rows = [] if copy is None else copy[1].results_after("", _TEXTS)
        while rows:
            refs = [ResultRef(digest=row[0], size=row[1], format="text") for row in rows]
            for ref, content in zip(refs, side_by_side(self._text, [row[1:] for row in rows]), strict=True):
                if content is None:
                    raise missing(ref, self._register.place)
                yield ref.digest, fitting(content, ref)
            with self._follower.as_it_is() as replica:
                rows = replica.results_after(rows[-1][0], _TEXTS)

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, to one address or to all, newest first."""
        before, left = entries.NEWEST, entries.NEWEST if limit is None else limit
        if address is None and left <= PAGE:
            yield from [entries.entry_of(row, self._register.place) for row in self._follower.newest(left)]
            return
        if left > 0:
            with self._follower.copied(HISTORY) as copy:
                left = 0 if copy is None else left
        while left > 0:
            with self._follower.as_it_is() as replica:
                rows = entries.page(replica.connection, address, before, min(PAGE, left))
            for row in rows:
                yield entries.entry_of(row, self._register.place)
                before = row[0]
            left = left - len(rows) if len(rows) == PAGE else 0

    def head(self) -> str:
        """Return the hash of the newest entry of the history, or what the first one will follow from."""
        kept = self._follower.look()
        return "" if kept is None else kept.page.head

    def holding(self) -> Holding | None:
        """Return how the lock is held at this moment; None where it is free."""
        return self._leases.holding(self._follower.look())

    def faults(self) -> list[str]:
        """Return which pieces are not there; one that is there and cannot be read is told by an error."""
        with self._follower.copied(*NAMES) as copy:
            if copy is None or not self._register.has_pieces:
                return []
            gone = copy[1].pieces() - {name for name, _ in self._register.pieces()}
        return [f"the piece {name}, which holds results, is gone" for name in sorted(gone)]

    def close(self) -> None:
        """Let go of everything."""
        self._follower.close()
        self._register.close()

    def _text(self, row: Place) -> bytes | None:
        """Return the bytes of a result; None where its piece is gone."""
        size, piece, place = row
        if piece is None:
            return str(place).encode()
        try:
            return part(self._register, piece, int(place), size)
        except MissingPieceError:
            return None
