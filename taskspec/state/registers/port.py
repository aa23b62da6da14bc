"""The port of a register: a place for one text, replaced only by who has read what is there. Implements nothing.

An object store is one, and so is a server of Terraform's HTTP protocol. `registers.store` makes a state of either.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from taskspec.errors import StateError
from taskspec.state.model import Holder
from taskspec.state.store import Fencing


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What a register holds at one moment."""

    content: bytes = field(repr=False)
    tag: str
    """What tells it from everything else that the register ever holds."""
    written: float | None = None
    """When it was written, by the clock of the server, in seconds since the epoch; None where that does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerLock:
    """A lock that the server itself keeps, beside the lease in the text. `since` in seconds since the epoch."""

    id: str
    holder: Holder
    ttl: float | None
    """How long it lasts without a sign of life in the text; None for one that another tool has taken."""
    since: float


class ConflictError(Exception):
    """Somebody else has written meanwhile, or has the lock: nothing of this write is there, nor ever will be."""


class UncertainError(Exception):
    """No usable answer came: the write may have happened, and it may still happen."""


class AwayError(StateError):
    """Nobody answers there at this moment: nothing of what was asked for has happened, nor ever will."""


class Register(Protocol):
    """Where the text is.

    Every method may raise StateError, with what the server says, where it is of no use; and AwayError.
    """

    place: str
    """As it may be printed."""
    fencing: Fencing
    notice: str
    """What is known to be weak about it, in a sentence; empty where nothing is."""
    has_pieces: bool
    """Pieces can be kept beside the text, each written once."""
    has_lock: bool
    """The server keeps a lock of its own."""

    def load(self) -> Held | None:
        """Return what is there; None where nothing is."""

    def swap(self, content: bytes, before: Held | None, *, number: int, lock: str | None) -> Held:
        """Put a text in the place of exactly what was read before (None: of nothing), and return it.

        `number` counts the writes: it is greater than that of `before`. `lock` is the id of the server's lock, where it
        has one. Raises ConflictError and UncertainError.
        """

    def clock(self) -> float:
        """Return about what time it is at the server, without asking it."""

    def now(self) -> float:
        """Return what time it is by the clock that `written` and `clock` are of; it may be asked."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a piece; it is durable when this returns. A piece of that name that is there already may stay."""

    def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a piece, or a part of it; raise KeyError where it is missing."""

    def drop(self, names: Iterable[str]) -> None:
        """Remove pieces; one that is not there is no error."""

    def pieces(self) -> Iterable[tuple[str, float]]:
        """Yield every piece that is kept, and when it was written, by the clock of `now`."""

    def lock(self, wanted: ServerLock) -> ServerLock | None:
        """Take the server's lock and return None, or return the lock that is in the way."""

    def unlock(self, identifier: str) -> None:
        """Give the server's lock back, or break it; one that is not held under this id is no error."""

    def close(self) -> None:
        """Let go of all connections."""
