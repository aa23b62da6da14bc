"""A register on a server of Terraform's HTTP state protocol, as GitLab and Gitea offer it. Knows nothing of the text.

A server that counts (GitLab, Gitea) takes each serial once: a write is a swap. Another is looked at before each write,
and its lock keeps the others out; one whose lock keeps nobody out is refused.
"""

import hashlib
import os
import socket
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from taskspec.errors import OutcomeUnknownError, StateError, UnreachableError
from taskspec.state.model import Holder
from taskspec.state.registers.port import AwayError, ConflictError, Held, ServerLock, UncertainError
from taskspec.state.store import Fencing
from taskspec.state.terraform.access import Access, Target
from taskspec.state.terraform.asking import LARGEST_BODY, TIMEOUT, UNSETTLED, Questions
from taskspec.state.terraform.bodies import (
    ForeignError,
    NewerError,
    SeenLock,
    UnlikeError,
    decode_lock,
    decode_state,
    described,
    encode_lock,
    encode_state,
    encode_unlock,
    wire_id,
)
from taskspec.state.terraform.trouble import TOO_OFTEN, foreign, newer, refused, unguarded, unknown
from taskspec.state.trouble import damaged
from taskspec.taskapi.messages import Response

_DONE: Final = frozenset({200, 201, 204})
_NOTHING: Final = frozenset({204, 404})
_TAKEN: Final = frozenset({409, 412, 423})
"""Somebody else has written, or has the lock."""
_INVALID: Final = frozenset({400, 422})
"""A serial that is there already (GitLab), or something else that is wrong with the write."""
_MISLOCKED: Final = frozenset({409, 423, 500})
"""What a write under a lock that is not there is answered with (GitLab: 500)."""
_OK: Final = 200
_NOT_FOUND: Final = 404
_FAILED: Final = 500
_MOMENT: Final = 5.0
"""Seconds that a lock lasts which is only taken to see which one is held."""

_UNCOUNTED: Final = (
    "The server is none that is known to take each serial once, as GitLab and Gitea do: a write that reaches it very "
    "late could undo a newer one."
)


class _Write:
    """A text to be written under a serial."""

    def __init__(self, content: bytes, serial: int) -> None:
        self.held = Held(content=content, tag=_tag(content, serial))
        self.body = encode_state(content, serial)


class TerraformRegister:
    """A `Register` at a URL. May be used from several threads, which it lets in one after the other."""

    has_pieces = False
    has_lock = True
    fencing = Fencing.LOCK

    def __init__(self, access: Access, *, timeout: float = TIMEOUT) -> None:
        self.place = access.place
        self._access = access
        self._questions = Questions(access, timeout)
        self._turn = threading.RLock()
        self._wires: dict[str, str] = {}
        """By their ids, under which ids the server knows locks."""
        self._taken: dict[str, ServerLock] = {}
        self._counts = access.counts_serials
        self._is_learned = access.counts_serials
        self.notice = "" if self._counts else _UNCOUNTED

    def load(self) -> Held | None:
        """Return what is there; None where nothing is."""
        response = self._questions.insist(self._access.read, "be read")
        if response.status in _NOTHING:
            if response.status == _NOT_FOUND and "project not found" in described(response.content).lower():
                raise refused(self._access, "be read", response)
            return None
        if response.status != _OK:
            raise refused(self._access, "be read", response)
        return self._held(response) if response.content else None

    def swap(self, content: bytes, before: Held | None, *, number: int, lock: str | None) -> Held:  # noqa: ARG002
        """Put a text in the place of exactly what was read before, and return it.

        The serial that the server is told follows from that of `before`: who has read the same would tell it the same.
        """
        with self._turn:
            wire = None if lock is None else self._wire_of(lock) or lock
            if not self._counts and (found := self._looked(content, before)) is not None:
                return found
            if before is not None:
                self._learn(before, wire)
            write = _Write(content, 1 if before is None else _serial(before.tag) + 1)
            if len(write.body) > LARGEST_BODY:
                raise StateError(
                    f"The state at {self.place} would be larger than {LARGEST_BODY} bytes.",
                    hint="Keep it in PostgreSQL or an object store.",
                )
            response = self._questions.write(write.body, _query(wire))
            if lock is not None and response.status in _MISLOCKED and self._retaken(lock):
                wire = self._wires[lock]
                response = self._questions.write(write.body, _query(wire))
                if response.status not in _DONE:
                    with suppress(StateError):
                        self.unlock(lock)
            if response.status not in _DONE or _is_page(response):
                return self._settled(response, write, before)
            self._learn(write.held, wire)
            return write.held

    def clock(self) -> float:
        """Return what time it is at the server, or up to a second later; asks only if it has never been asked."""
        return self._questions.clock()

    def now(self) -> float:
        """Return what time it is at the server, or up to a second earlier: no lease ends before its time."""
        return self._questions.now()

    def put(self, name: str, content: bytes) -> None:
        """Keep no piece: there is one text."""
        raise NotImplementedError

    def get(self, name: str, start: int = 0, length: int | None = None) -> bytes:  # noqa: ARG002
        """Return no piece: there is none."""
        raise KeyError(name)

    def drop(self, names: Iterable[str]) -> None:
        """Remove no piece: there is none."""

    def pieces(self) -> Iterable[tuple[str, float]]:
        """Yield no piece: there is none."""
        return ()

    def lock(self, wanted: ServerLock) -> ServerLock | None:
        """Take the server's lock and return None, or return the lock that is in the way."""
        with self._turn:
            try:
                seen = self._lock_in_the_way(wanted)
            except StateError:
                # An answer may have been lost: the lock would be in everybody's way until its time is over.
                wire = wire_id(wanted.id, wanted.ttl)
                with suppress(UnreachableError, OutcomeUnknownError):
                    self._questions.ask(self._access.unlock, encode_unlock(wire), query=_query(wire))
                raise
            if seen is None or seen.wire == self._wires[wanted.id]:  # then the answer to an earlier try was lost
                self._taken[wanted.id] = wanted
                return None
            self._wires[seen.lock.id] = seen.wire
            return seen.lock

    def unlock(self, identifier: str) -> None:
        """Give the server's lock back, or break it; one that is not held under this id is no error."""
        with self._turn:
            wire = self._wire_of(identifier)
            if wire is None:
                return
            response = self._questions.insist(
                self._access.unlock, "be unlocked", encode_unlock(wire), query=_query(wire)
            )
            if response.status not in _DONE | _TAKEN | {_NOT_FOUND}:
                raise refused(self._access, "be unlocked", response)

    def close(self) -> None:
        """Let go of all connections."""
        self._questions.close()

    def _held(self, response: Response) -> Held:
        try:
            content, serial = decode_state(response.content)
        except ForeignError:
            raise foreign(self._access) from None
        except UnlikeError as error:
            what = "is a page for people, perhaps one to sign in" if _is_page(response) else str(error)
            raise unknown(self._access, what) from None
        except NewerError:
            raise newer(self._access) from None
        except ValueError as error:
            raise damaged(self.place, str(error)) from None
        return Held(content=content, tag=_tag(content, serial))

    def _looked(self, content: bytes, before: Held | None) -> Held | None:
        """Return what is to be written where it is there already; raise ConflictError where something else is."""
        found = self.load()
        if found is not None and found.content == content:
            return found
        if (found and found.tag) != (before and before.tag):
            raise ConflictError("another write is there")
        return None

    def _settled(self, response: Response, write: _Write, before: Held | None) -> Held:
        """Return what a write that was not accepted has led to, or raise what it means.

        An earlier try of the same write may be what this one met (GitLab: 500 after success, then 422).
        """
        status = response.status
        if status == _FAILED and self._access.counts_serials and self._is_version(write):
            return write.held
        if status in UNSETTLED or status in _DONE:
            raise UncertainError(f"the server answered with HTTP {status}")
        if status not in _TAKEN | _INVALID:
            raise refused(self._access, "be written", response)
        try:
            found = self.load()
        except StateError as error:
            raise UncertainError(error.message) from error
        if found is not None and found.content == write.held.content:
            return found
        if status in _TAKEN or (found and found.tag) != (before and before.tag):
            raise ConflictError(described(response.content) or f"HTTP {status}")
        raise refused(self._access, "be written", response)

    def _is_version(self, write: _Write) -> bool:
        """Tell whether a write that met a failure is kept, whatever came after it.

        Raises ConflictError where another write has its serial: then it can never happen. GitLab also fails where the
        lock is another's, who may have written much since.
        """
        read = self._access.read
        path, _, query = read.path.partition("?")
        version = f"{path}/versions/{_serial(write.held.tag)}" + (f"?{query}" if query else "")
        with suppress(StateError):
            response = self._questions.insist(Target(method="GET", origin=read.origin, path=version), "be read")
            if response.status == _OK:
                if self._held(response).content == write.held.content:
                    return True
                raise ConflictError("another write has its serial")
        return False

    def _learn(self, kept: Held, wire: str | None) -> None:
        """Find out, once, what the server refuses: what it keeps, written again; then the same for another's lock.

        Neither changes anything, whatever it takes. Raises StateError where it takes both, and UncertainError where the
        first may still arrive: late, it would undo what is written next.
        """
        if self._is_learned:
            return
        body = encode_state(kept.content, _serial(kept.tag))
        with suppress(AwayError):
            status = self._questions.write(body, _query(wire)).status
            if status in _TAKEN | _INVALID:
                self._counts = self._is_learned = True
                self.notice = ""
            elif status in _DONE:
                status = self._questions.write(body, _query(uuid.uuid4().hex)).status
                if status in _DONE:
                    raise unguarded(self._access)
                self._is_learned = status not in UNSETTLED | {TOO_OFTEN}

    def _lock_in_the_way(self, wanted: ServerLock) -> SeenLock | None:
        """Take the server's lock and return None, or return the one that is held: it may be this very one."""
        self._wires[wanted.id] = wire_id(wanted.id, wanted.ttl)
        response = self._questions.insist(self._access.lock, "be locked", encode_lock(wanted))
        if response.status in _DONE and not _is_page(response):
            return None
        if response.status not in _TAKEN:
            raise refused(self._access, "be locked", response)
        return decode_lock(response.content, wanted, self.clock())

    def _retaken(self, lock: str) -> bool:
        """Take a lock again that somebody removed on the server, if it is free: the text says whose turn it is."""
        with suppress(StateError):
            return self._lock_in_the_way(self._taken.get(lock) or self._own_lock(lock)) is None
        return False

    def _wire_of(self, identifier: str) -> str | None:
        """Return under which id the server knows a lock; None where it is not that one that is held."""
        if identifier not in self._wires:
            probe = self._own_lock(uuid.uuid4().hex)
            seen = self._lock_in_the_way(probe)
            if seen is None:
                self.unlock(probe.id)
            elif seen.lock.id == identifier:
                self._wires[identifier] = seen.wire
        return self._wires.get(identifier)

    def _own_lock(self, identifier: str) -> ServerLock:
        """Return a lock that is only held for a moment."""
        now = self.clock()
        me = Holder(user="taskspec", host=socket.gethostname(), pid=os.getpid(), command="taskspec", since=now)
        return ServerLock(id=identifier, holder=me, ttl=_MOMENT, since=now)


def _query(wire: str | None) -> tuple[tuple[str, str], ...]:
    return () if wire is None else (("ID", wire),)


def _tag(content: bytes, serial: int) -> str:
    return f"{serial}.{hashlib.sha256(content).hexdigest()}"


def _serial(tag: str) -> int:
    return int(tag.partition(".")[0])


def _is_page(response: Response) -> bool:
    """Tell whether an answer is meant for a browser: that of a proxy, which nobody has asked for."""
    return "html" in response.headers.get("content-type", "").lower()
