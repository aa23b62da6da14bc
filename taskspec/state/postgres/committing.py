"""A commit to PostgreSQL: it may be repeated, takes effect once, and is read back. Decides nothing."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from taskspec.errors import UnknownCommitError
from taskspec.state.document import StateDocument
from taskspec.state.holding import moved_on
from taskspec.state.postgres import schema, statements
from taskspec.state.postgres.changing import Writing
from taskspec.state.postgres.connecting import WRITING, Session
from taskspec.state.postgres.rows import Held, Identity, Row, look, lost_by, of_lease
from taskspec.state.trouble import damaged


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What is written, from which serial to which, and the nonce by which it is known again."""

    held: Held
    serial: int
    new_serial: int
    writing: Writing = field(repr=False)
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)
    document: StateDocument | None = field(default=None, repr=False)
    """The whole state that takes the place of all that is there; None for changes."""

    @property
    def lineage(self) -> str:
        """Return the lineage of the state afterwards."""
        return self.held.lineage if self.document is None else self.document.lineage

    def values(self) -> dict[str, Any]:
        """Return what moves the row of the state on, and under which condition."""
        return {
            **of_lease(self.held),
            "lineage": self.held.lineage,
            "serial": self.serial,
            "head": self.held.head,
            "number": schema.newest(),
            "new_lineage": self.lineage,
            "new_serial": self.new_serial,
            "new_head": self.writing.head,
            "nonce": self.nonce,
            "entries": self.writing.entries,
        }


def carry_out(session: Session, identity: Identity, commit: Commit, *, again: bool) -> None:
    """Make a commit durable, or find that an earlier try has; `again` tells that there was one without an answer.

    Raises LostLeaseError, StaleError and StateError where it did not happen and never will, and UnknownCommitError
    where others have written since, so that nobody can tell.
    """
    if _has_moved(session, commit):
        return
    row = look(session, identity)
    if row is not None and row.nonce == commit.nonce:
        return
    if row is not None and row.is_held_by(commit.held):
        if row.serial != commit.serial:
            raise moved_on(identity.environment, row.serial, commit.serial)
        raise damaged(session.place, "its lineage or its head was changed while it was locked")
    if again and row is not None and _is_open(commit, row) and _is_told(session, commit):
        return
    raise lost_by(identity, commit.held, row)


def _has_moved(session: Session, commit: Commit) -> bool:
    pieces = commit.writing.pieces
    if commit.document is None and len(pieces) == 1:
        values = {**commit.values(), **pieces[0].values()}
        return bool(session.rows(statements.COMMIT, values, size=pieces[0].size))
    with session.transaction(WRITING):
        found = session.rows(statements.ADVANCE, commit.values())
        if not found:
            return False
        state, told, *_ = found[0]
        if commit.document is not None:
            _clear(session, state, commit.document)
        for piece in pieces:
            session.rows(statements.FILL, {"state": state, "told": told, **piece.values()}, size=piece.size)
            told += len(piece.told)
    return True


def _clear(session: Session, state: int, document: StateDocument) -> None:
    for statement in statements.CLEAR:
        session.rows(statement, {"state": state})
    if document.results is not None:
        session.rows(statements.CLEAR_RESULTS, {"state": state})


def _is_open(commit: Commit, row: Row) -> bool:
    """Tell whether a commit under a lease that is lost may have happened, as the state is not where it was before."""
    if (row.lineage, row.serial, row.head) == (commit.held.lineage, commit.serial, commit.held.head):
        return False
    return commit.document is not None or row.serial != commit.new_serial  # of that serial, there is one commit


def _is_told(session: Session, commit: Commit) -> bool:
    """Tell whether the newest entry of a commit is in the history, to which others have added since."""
    last = commit.writing.last
    if last is None:
        raise UnknownCommitError(
            f"Nobody can tell whether the last change of the state at {session.place} is kept: the connection broke "
            "off, and somebody else has the lock, and has written since.",
            hint="See with `taskspec status` how it stands.",
        )
    values = {"state": commit.held.state, "address": last.address, "serial": last.serial, "hash": last.hash}
    return bool(session.rows(statements.IS_TOLD, values))
