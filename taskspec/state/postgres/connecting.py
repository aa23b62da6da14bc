"""The connection to a server: made when it is needed, made again when it is lost, cut when no answer comes.

It keeps nothing in a session, so that a pooler may hand each transaction to another one: no setting, no lock of a
session, no prepared statement, no cursor outside a transaction. Decides nothing about a state.
"""

import math
import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, Final, LiteralString, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from taskspec.state.postgres.tables import query
from taskspec.state.postgres.targets import Target
from taskspec.state.postgres.trouble import LostError, is_final, is_lost, is_passing, is_rolled_back

READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

PATIENCE: Final = 20.0
"""Seconds for which a server that is lost is looked for again."""
ANSWER: Final = 60.0
"""Seconds after which a server that has not answered a statement is taken to be lost."""

_SLOWEST: Final = 200_000
"""Bytes a second that a network must take at least: a large statement is given more time by that."""
_PAUSES: Final = (0.05, 1.0)
"""Seconds between two tries: at first, and at most."""

Connection = psycopg.Connection[tuple[Any, ...]]
Values = Mapping[str, object]
T = TypeVar("T")


class Session:
    """A connection that is there, and the schema that statements are about."""

    def __init__(self, connection: Connection, target: Target, answer: float) -> None:
        self.place = target.place
        self.schema = target.schema
        self._connection = connection
        self._answer = answer

    def rows(
        self, text: LiteralString, values: Values | None = None, *, size: int = 0, binary: bool = False
    ) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows; `size` in bytes, of what is sent or expected where that is much."""
        with self._answered(size):
            cursor = self._connection.execute(query(text, self.schema), values, binary=binary)
            return cursor.fetchall() if cursor.description else []

    def script(self, text: LiteralString) -> None:
        """Execute several statements that have no values."""
        with self._answered(0):
            self._connection.execute(query(text, self.schema))

    @contextmanager
    def transaction(self, kind: LiteralString) -> Iterator[None]:
        """Do everything in the block or nothing; `kind` is READING or WRITING."""
        self.rows(kind)
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
                with suppress(psycopg.Error):
                    self.rows("ROLLBACK")
            raise

    @contextmanager
    def _answered(self, size: int) -> Iterator[None]:
        """Cut the connection where the answer does not come: whoever waits for it then hears that it is lost."""
        wire = socket.socket(fileno=os.dup(self._connection.fileno()))
        timer = Timer(self._answer + size / _SLOWEST, _cut, (wire,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            wire.close()


class Link:
    """The way to a server: one connection at a time, for one thread at a time."""

    def __init__(self, target: Target, *, patience: float, answer: float) -> None:
        self._target = target
        self._patience = patience
        self._answer = answer
        self._connection: Connection | None = None
        self._has_met = False

    def patiently(self, act: Callable[[Session], T], *, at_most: float = math.inf) -> T:
        """Do what may be done twice, again as often as the connection is lost on the way; return what it returns.

        A server that was never there, or that lets nobody in, is not waited for. Raises LostError when patience ends,
        and psycopg.Error for what the server refuses.
        """
        began: float | None = None
        pause, longest = _PAUSES
        is_open = False  # something was sent, and what came of it is not known
        while True:
            connecting = True
            try:
                session = self._session()
                connecting = False
                return self._done(act, session)
            except psycopg.Error as error:
                now = time.monotonic()
                began = began or now
                left = began + min(self._patience, at_most) - now
                is_open = is_open or (not connecting and is_lost(error))
                if connecting:
                    again = not is_final(error) and (self._has_met or is_passing(error))
                else:
                    again = is_lost(error) or is_rolled_back(error)
                if not again or left <= 0:
                    if not connecting and not is_open:
                        raise
                    raise LostError(error, connecting=connecting, sent=is_open, waited=now - began) from error
            time.sleep(min(pause, left))
            pause = min(2 * pause, longest)

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _session(self) -> Session:
        if self._connection is None or self._connection.closed or _has_news(self._connection):
            self.close()
            self._connection = psycopg.connect(self._target.conninfo, autocommit=True, prepare_threshold=None)
            self._has_met = True
        return Session(self._connection, self._target, self._answer)

    def _done(self, act: Callable[[Session], T], session: Session) -> T:
        try:
            return act(session)
        except psycopg.Error as error:
            if is_lost(error):
                self.close()
            raise
        finally:
            connection = self._connection
            if connection is not None and connection.info.transaction_status is not TransactionStatus.IDLE:
                self.close()  # it was left in the middle of something


def _has_news(connection: Connection) -> bool:
    """Tell whether a server says something unasked, which is mostly that it goes: nothing is sent to it any more."""
    waiting = select.poll()
    waiting.register(connection.fileno())
    return any(event & ~select.POLLOUT for _, event in waiting.poll(0))


def _cut(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
