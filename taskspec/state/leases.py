"""Whether the lease of a page is live, and the lock that a server itself keeps beside it. Writes no page."""

import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from taskspec.errors import LockHeldError, StateError
from taskspec.moments import utc
from taskspec.state import processes
from taskspec.state.holding import held
from taskspec.state.model import Holder, Holding
from taskspec.state.register import Register, ServerLock
from taskspec.state.swapping import Kept

_TRIES: Final = 3
_LOOKS: Final = 10
_PAUSE: Final = 0.1
"""Seconds between two looks for the lease of who has just taken the server's lock."""


class Leases:
    """The leases and locks of one environment's state."""

    def __init__(self, register: Register, environment: str, ttl: float) -> None:
        self._register = register
        self._environment = environment
        self._ttl = ttl

    def holding(self, kept: Kept | None) -> Holding | None:
        """Return how the lease of a page is held; None where there is none, or it has ended by itself."""
        lease = None if kept is None else kept.page.lease
        if kept is None or lease is None:
            return None
        written = lease.beat if kept.held.written is None else kept.held.written
        silent = max(0.0, self._register.now() - written)
        if silent >= lease.ttl:
            return None
        holder = lease.holder
        here = holder.started is not None and holder.host == socket.gethostname()
        return Holding(
            holder=holder,
            epoch=kept.page.epoch,
            silent=silent,
            suspended=here and processes.is_suspended(holder.pid, holder.started),
            ttl=lease.ttl,
            lapses=True,
        )

    def require_free(self, kept: Kept | None) -> None:
        """Raise LockHeldError where the lease of a page is live."""
        holding = self.holding(kept)
        if holding is not None:
            raise held(self._environment, holding)

    def lock(self, holder: Holder, look: Callable[[], Kept | None]) -> str | None:
        """Take the server's own lock, if it has one, and return its id; raise LockHeldError where that is in use.

        That of a holder whose lease has ended is broken; that of one who never came to write a lease, once it is as old
        as a lease would be. The page decides who may write: this lock only keeps out those who do not know the page.
        """
        if not self._register.has_lock:
            return None
        wanted = ServerLock(id=str(uuid.uuid4()), holder=holder, ttl=self._ttl, since=self._register.clock())
        for _ in range(_TRIES):
            other = self._register.lock(wanted)
            if other is None or other.id == wanted.id:
                return wanted.id
            kept = look()
            self.require_free(kept)
            if not self._is_over(other, kept):
                break
            self._register.unlock(other.id)
        else:
            other = self._register.lock(wanted)
            if other is None or other.id == wanted.id:
                return wanted.id
        if other.ttl is not None:  # its holder is about to write a lease, which tells more of it
            for _ in range(_LOOKS):
                time.sleep(_PAUSE)
                self.require_free(look())
        raise self._in_the_way(other)

    def unlock(self, identifier: str | None) -> None:
        """Give the server's own lock back; where that fails it ends as a lease does."""
        if identifier is not None:
            with suppress(StateError):
                self._register.unlock(identifier)

    def _is_over(self, other: ServerLock, kept: Kept | None) -> bool:
        lease = None if kept is None else kept.page.lease
        if lease is not None and lease.lock == other.id:
            return True
        return other.ttl is not None and self._register.now() - other.since >= other.ttl

    def _in_the_way(self, other: ServerLock) -> LockHeldError:
        if other.ttl is not None:
            silent = max(0.0, self._register.now() - other.since)
            holding = Holding(holder=other.holder, epoch=0, silent=silent, ttl=other.ttl, lapses=True)
            return held(self._environment, holding)
        doing = f"`{other.holder.command}`, " if other.holder.command else ""
        who = f"{other.holder.user} on {other.holder.host}" if other.holder.host else other.holder.user
        return LockHeldError(
            f"The state at {self._register.place} is locked by {who} since {utc(other.since)}, with another tool "
            f"({doing}lock {other.id}).",
            hint="Wait until it is unlocked, or unlock it with that tool: this lock does not end by itself.",
        )
