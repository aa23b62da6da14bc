"""The row of a state in PostgreSQL: looked at, made, taken, given back. Touches no record, but to upgrade it."""

import socket
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from psycopg import errors

from taskspec.errors import LostLeaseError, StateError
from taskspec.state.chaining import root
from taskspec.state.encoding import FORMAT, decode_record, encode_record
from taskspec.state.holders import decode_holder
from taskspec.state.holding import lost
from taskspec.state.model import Holder, Holding
from taskspec.state.postgres import schema, statements
from taskspec.state.postgres.connecting import WRITING, Session
from taskspec.state.processes import is_suspended
from taskspec.state.store import Lease
from taskspec.state.trouble import damaged

PAGE: Final = 1000
"""How many records are read at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Which of the states in a schema is meant."""

    name: str
    environment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What is known of a state at one moment. `silent` in seconds since the last heartbeat, by the server's clock."""

    id: int
    lineage: str
    format: int
    serial: int
    told: int
    """How many entries its history was ever given."""
    head: str
    nonce: str
    """What the last commit, and no other, has brought along."""
    epoch: int
    taken: str
    """What the last one to take the lease, or to take it away, has brought along."""
    held: bool
    holder: str
    ttl: float
    silent: float

    @property
    def is_free(self) -> bool:
        """Tell whether nobody has the lease, or its holder has given no sign of life for too long."""
        return not self.held or self.silent >= self.ttl

    def is_held_by(self, held: "Held") -> bool:
        """Tell whether a lease is still the newest, and was not given back."""
        return self.held and (self.id, self.epoch, self.taken) == (held.state, held.lease.epoch, held.taken)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """The lease that this store holds, and the state as it was last known to be."""

    lease: Lease
    taken: str
    state: int
    lineage: str
    head: str = field(repr=False)


def of_lease(held: Held) -> dict[str, Any]:
    """Return the values of the condition that a lease is still the newest."""
    return {"state": held.state, "epoch": held.lease.epoch, "taken": held.taken}


def held_by(row: Row) -> Held:
    """Return the lease that the row of a state tells of."""
    return Held(lease=Lease(epoch=row.epoch), taken=row.taken, state=row.id, lineage=row.lineage, head=row.head)


def look(session: Session, identity: Identity, *, will_make: bool = False) -> Row | None:
    """Return the row of a state; None where there is none, or no table.

    Raises StateError for tables or a state that only a newer taskspec knows, and for tables of an older form unless
    whoever asks `will_make` those of today.
    """
    try:
        ((number, *values),) = session.rows(
            statements.LOOK, {"name": identity.name, "environment": identity.environment}
        )
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None
    except ValueError as error:
        raise damaged(session.place, "its tables name no version") from error
    if number > schema.newest():
        raise _newer(session.place, f"its tables are of form {number}; this one knows up to {schema.newest()}")
    if number < schema.newest():
        if will_make:
            return None
        raise StateError(
            f"The tables of the state at {session.place} are of form {number}, which an older taskspec made.",
            hint="The next command that writes, such as `taskspec apply`, brings them to today's form.",
        )
    if values[0] is None:
        return None
    row = Row(**dict(zip(Row.__slots__, values, strict=True)))
    if row.format > FORMAT:
        raise _newer(session.place, f"format {row.format}; this one knows up to {FORMAT}")
    return row


def make(session: Session, identity: Identity, *, project: str, lineage: str) -> Row:
    """Make an empty state where there is none, and return its row, or that of the one which somebody else has made."""
    schema.migrate(session)
    values = {"name": identity.name, "environment": identity.environment, "project": project}
    session.rows(statements.MAKE, {**values, "lineage": lineage, "format": FORMAT, "head": root(lineage)})
    row = look(session, identity)
    if row is None:
        raise damaged(session.place, "some of its tables are missing")
    return row


def take(session: Session, row: Row, holder: str, *, taken: str, ttl: float, project: str) -> Held | None:
    """Take the lease of a state that was seen to be free, and bring the state to today's format; None where it is not.

    That it was free under this epoch is part of the condition: so a try that was held up takes no lease later on.
    """
    values: dict[str, Any] = {"state": row.id, "epoch": row.epoch, "format": row.format, "now": FORMAT}
    values |= {"holder": holder, "taken": taken, "ttl": ttl, "project": project}
    if row.format == FORMAT:
        found = session.rows(statements.TAKE, values)
    else:
        with session.transaction(WRITING):
            found = session.rows(statements.TAKE, values)
            if found:
                _upgrade(session, row)
    return held_by(replace(row, epoch=row.epoch + 1, taken=taken)) if found else None


def holding_of(row: Row | None) -> Holding | None:
    """Return how a lease is held; None where it is free."""
    if row is None or row.is_free:
        return None
    silent = max(0.0, row.silent)
    try:
        holder = decode_holder(row.holder)
    except ValueError:
        return Holding(holder=None, epoch=row.epoch, silent=silent, ttl=row.ttl, lapses=True)
    return Holding(
        holder=holder, epoch=row.epoch, silent=silent, ttl=row.ttl, lapses=True, suspended=_is_suspended(holder)
    )


def lost_by(identity: Identity, held: Held | None, row: Row | None) -> LostLeaseError:
    """Return the error for a lease that is not held any more, as the row of its state is now."""
    by: Holder | None = None
    if row is not None and held is not None and row.epoch > held.lease.epoch:
        with suppress(ValueError):
            by = decode_holder(row.holder)
    return lost(identity.environment, by, "it was given back, or the state was deleted or restored meanwhile")


def _is_suspended(holder: Holder) -> bool:
    here = holder.started is not None and holder.host == socket.gethostname()
    return here and is_suspended(holder.pid, holder.started)


def _upgrade(session: Session, row: Row) -> None:
    last = ""
    while page := session.rows(statements.NEXT_RECORDS, {"state": row.id, "last": last, "page": PAGE}):
        last = page[-1][0]
        upgraded = {address: _upgraded(session, address, text, row.format) for address, text in page}
        values = {"state": row.id, "addresses": list(upgraded), "records": list(upgraded.values())}
        session.rows(statements.PUT_RECORDS, values)


def _upgraded(session: Session, address: str, text: str, form: int) -> str:
    try:
        return encode_record(decode_record(text, form))
    except (ValueError, RecursionError) as error:
        raise damaged(session.place, f"the record of {address} is not readable ({error})") from error


def _newer(place: str, what: str) -> StateError:
    return StateError(f"The state at {place} was made by a newer taskspec ({what}).", hint="Upgrade taskspec.")
