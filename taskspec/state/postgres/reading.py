"""What a state in PostgreSQL holds, read with few of its texts in memory at a time. Writes nothing."""

from collections.abc import Collection
from typing import Final

from taskspec.address import Address
from taskspec.state import entries
from taskspec.state.chaining import root
from taskspec.state.decoding import collecting_nothing, decoded
from taskspec.state.model import Record, ResultRef, Snapshot
from taskspec.state.postgres import statements
from taskspec.state.postgres.connecting import READING, Session
from taskspec.state.postgres.rows import PAGE, Identity, Row, look

LARGEST: Final = 8_000_000
"""After how many bytes no further result is read at the same time."""
ENTRIES: Final = 500
"""How many entries of the history are read at a time."""
_FAULTS: Final = 3


def read_snapshot(session: Session, identity: Identity, only: Collection[Address] | None) -> Snapshot:
    """Return every record, or those of some addresses, as the server shows them at one moment."""
    with session.transaction(READING):
        row = look(session, identity)
        if row is None:
            return Snapshot(lineage="", serial=0, records={})
        with collecting_nothing():
            records = _all(session, row) if only is None else _some(session, row, only)
    return Snapshot(lineage=row.lineage, serial=row.serial, records=records, head=row.head)


def content_of(session: Session, identity: Identity, digest: str, size: int) -> bytes | None:
    """Return the bytes of a kept result; None where it is missing."""
    row = look(session, identity)
    return None if row is None else dict(_contents(session, row.id, {digest: size})).get(digest)


def results_after(session: Session, identity: Identity, last: str) -> list[tuple[ResultRef, bytes]]:
    """Return the next few results, by their digests; none where there are no more."""
    row = look(session, identity)
    if row is None:
        return []
    sizes: dict[str, int] = {}
    for digest, size in session.rows(statements.NEXT_RESULTS, {"state": row.id, "last": last, "page": PAGE}):
        if sizes and sum(sizes.values()) + size > LARGEST:
            break
        sizes[digest] = size
    found = _contents(session, row.id, sizes)
    return [(ResultRef(digest=digest, size=sizes[digest], format="text"), content) for digest, content in found]


def entries_before(
    session: Session, identity: Identity, address: Address | None, before: int, size: int
) -> list[entries.Row]:
    """Return entries of the history, newest first: those of an address, or all, from before the one of an id on."""
    row = look(session, identity)
    if row is None:
        return []
    values = {"state": row.id, "before": before, "page": size}
    if address is None:
        found = session.rows(statements.NEXT_ENTRIES, values)
    else:
        found = session.rows(statements.NEXT_ENTRIES_OF, {**values, "address": address})
    return [(number, serial, about, note, digest) for number, serial, about, note, digest in found]


def faults(session: Session, identity: Identity) -> list[str]:
    """Return what does not fit together, the first few things."""
    with session.transaction(READING):
        row = look(session, identity)
        if row is None:
            return []
        newest = session.rows(statements.NEWEST_ENTRY, {"state": row.id})
        cut = session.rows(statements.CUT_RESULTS, {"state": row.id, "page": _FAULTS})
    head = newest[0][0] if newest else root(row.lineage)
    unfit = [] if head == row.head else ["the newest entry of its history is not the one that it names"]
    return [*unfit, *(f"the kept result {digest} is not as long as it was" for (digest,) in cut)]


def _all(session: Session, row: Row) -> dict[Address, Record]:
    records: dict[Address, Record] = {}
    last = ""
    while page := session.rows(statements.NEXT_RECORDS, {"state": row.id, "last": last, "page": PAGE}):
        records.update(decoded([(address, text) for address, text in page], row.format, session.place))
        last = page[-1][0]
        if len(page) < PAGE:
            break
    return records


def _some(session: Session, row: Row, only: Collection[Address]) -> dict[Address, Record]:
    records: dict[Address, Record] = {}
    wanted = sorted(only)
    for start in range(0, len(wanted), PAGE):
        values = {"state": row.id, "addresses": wanted[start : start + PAGE]}
        page = session.rows(statements.SOME_RECORDS, values)
        records.update(decoded([(address, text) for address, text in page], row.format, session.place))
    return records


def _contents(session: Session, state: int, sizes: dict[str, int]) -> list[tuple[str, bytes]]:
    values = {"state": state, "digests": list(sizes)}
    found = session.rows(statements.CONTENTS, values, size=sum(sizes.values()), binary=True)
    return [(digest, content) for digest, content in found]
