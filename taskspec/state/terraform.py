"""A register on a server of Terraform's HTTP state protocol, as GitLab and Gitea offer it. Knows nothing of the text.

A server that counts (GitLab, Gitea) takes each serial once: a write is a swap. Another is looked at before each write,
and its lock keeps the others out.
"""

import hashlib
import os
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from taskspec.errors import OutcomeUnknownError, StateError, UnreachableError
from taskspec.state.model import Holder
from taskspec.state.register import ConflictError, Held, ServerLock, UncertainError
from taskspec.state.servertime import Bounds, heard
from taskspec.state.store import Fencing
from taskspec.state.terraform_access import Access, Target
from taskspec.state.terraform_bodies import (
    ForeignError,
    NewerError,
    UnlikeError,
    decode_lock,
    decode_state,
    described,
    encode_lock,
    encode_state,
    encode_unlock,
    wire_id,
)
from taskspec.state.terraform_trouble import foreign, newer, refused, timeless, unknown, unreached
from taskspec.state.trouble import damaged
from taskspec.taskapi.drivers.asking import Server
from taskspec.taskapi.messages import Request, Response

TIMEOUT: Final = 20.0
"""Seconds that a question has, but for what a large text takes."""
SLOWEST: Final = 256 * 1024
"""A text is sent at no fewer bytes a second."""
PATIENCE: Final = 20.0
"""Seconds after which a question is not asked again."""
LARGEST_BODY: Final = 256 * 1024 * 1024
FRESH: Final = 30.0
"""Seconds for which the server's clock, once read, is not read again."""
_LONGEST_WAIT: Final = 10.0
_PROBE_TTL: Final = 5.0

_DONE: Final = frozenset({200, 201, 204})
_NOTHING: Final = frozenset({204, 404})
_TAKEN: Final = frozenset({409, 412, 423})
"""Somebody else has written, or has the lock."""
_INVALID: Final = frozenset({400, 422})
"""A serial that is there already (GitLab), or something else that is wrong with the write."""
_UNSETTLED: Final = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530})
"""The server, or a proxy before it, failed: what it did before is not known."""
_TOO_OFTEN: Final = 429
_NOT_FOUND: Final = 404

_UNCOUNTED: Final = (
    "The server is none that is known to take each serial once, as GitLab and Gitea do: a write that reaches it very "
    "late could undo a newer one."
)
_UNGUARDED: Final = (
    "The server takes writes from anybody, whoever has its lock: a command that stood still while another one took the "
    "lock over could write once more."
)


class TerraformRegister:
    """A `Register` at a URL. May be used from several threads, which it lets in one after the other."""

    has_pieces = False
    has_lock = True

    def __init__(self, access: Access, *, timeout: float = TIMEOUT) -> None:
        self.place = access.place
        self._access = access
        self._timeout = timeout
        self._servers: dict[str, Server] = {}
        self._turn = threading.RLock()
        self._bounds: Bounds | None = None
        self._wires: dict[str, str] = {}
        self._counts = access.counts_serials
        self._is_learned = access.counts_serials
        self._guards = True

    @property
    def fencing(self) -> Fencing:
        """What keeps out the writes of a holder that has lost its lease, as far as it has shown."""
        return Fencing.LOCK if self._counts or self._guards else Fencing.LOOK

    @property
    def notice(self) -> str:
        """What is known to be weak about the server, in a sentence; empty where nothing is."""
        if self._counts:
            return ""
        return _UNCOUNTED if self._guards else _UNGUARDED

    def load(self) -> Held | None:
        """Return what is there; None where nothing is."""
        response = self._asked(self._access.read, "be read")
        if response.status in _NOTHING:
            if response.status == _NOT_FOUND and "project not found" in described(response.content).lower():
                raise refused(self._access, "be read", response)
            return None
        if response.status != 200:
            raise refused(self._access, "be read", response)
        return self._held(response) if response.content else None

    def swap(self, content: bytes, before: Held | None, *, number: int, lock: str | None) -> Held:  # noqa: ARG002
        """Put a text in the place of exactly what was read before, and return it.

        The serial that the server is told follows from that of `before`: who has read the same would tell it the same.
        """
        with self._turn:
            if not self._counts and (found := self._looked(content, before)) is not None:
                return found
            serial = 1 if before is None else _serial(before.tag) + 1
            body = encode_state(content, serial)
            if len(body) > LARGEST_BODY:
                raise StateError(
                    f"The state at {self.place} would be larger than {LARGEST_BODY} bytes.",
                    hint="Keep it in PostgreSQL or an object store.",
                )
            wire = self._wires.get(lock, lock) if lock is not None else None
            response = self._written(body, wire)
            if response.status in _DONE and not _is_page(response):
                self._learn(body, wire)
                return Held(content=content, tag=_tag(content, serial))
            return self._settled(response, content, before)

    def clock(self) -> float:
        """Return about what time it is at the server; asks only if it has never been asked."""
        bounds = self._bounds
        return self.now() if bounds is None else bounds.time(_elapsed())

    def now(self) -> float:
        """Return what time it is at the server, to a second; its last answers must not be old."""
        bounds = self._bounds
        if bounds is None or _elapsed() - bounds.at > FRESH:
            read = self._access.read
            self._asked(Target(method="HEAD", origin=read.origin, path=read.path), "be looked at", any_answer=True)
            bounds = self._bounds
        if bounds is None:
            raise timeless(self._access)
        return bounds.time(_elapsed())

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
        wire = wire_id(wanted.id, wanted.ttl)
        with self._turn:
            self._wires[wanted.id] = wire
            try:
                response = self._asked(self._access.lock, "be locked", encode_lock(wanted))
            except StateError:
                # An answer may have been lost: the lock would be in everybody's way until its time is over.
                with suppress(StateError, UnreachableError, OutcomeUnknownError):
                    self._ask(self._access.unlock, encode_unlock(wire), query=(("ID", wire),))
                raise
            if response.status in _DONE and not _is_page(response):
                return None
            if response.status not in _TAKEN:
                raise refused(self._access, "be locked", response)
            seen = decode_lock(response.content, wanted, self.clock())
            if seen.wire == wire:  # the answer to an earlier try was lost
                return None
            self._wires[seen.lock.id] = seen.wire
            return seen.lock

    def unlock(self, identifier: str) -> None:
        """Give the server's lock back, or break it; one that is not held under this id is no error."""
        with self._turn:
            wire = self._wires.get(identifier) or self._wire_of(identifier)
            if wire is None:
                return
            response = self._asked(self._access.unlock, "be unlocked", encode_unlock(wire), query=(("ID", wire),))
            if response.status not in _DONE | _TAKEN | {_NOT_FOUND}:
                raise refused(self._access, "be unlocked", response)

    def close(self) -> None:
        """Let go of all connections."""
        with self._turn:
            for server in self._servers.values():
                server.close()
            self._servers.clear()

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

    def _written(self, body: bytes, wire: str | None) -> Response:
        """Send a write, and again only if it never left or was not looked at; raises UncertainError."""
        query = (("ID", wire),) if wire is not None else ()
        start = time.monotonic()
        attempt = 0
        while True:
            try:
                response = self._ask(self._access.write, body, query=query)
            except UnreachableError as error:
                if not self._waited(attempt, start):
                    raise unreached(self._access, error.message, error.hint) from error
            except OutcomeUnknownError as error:
                raise UncertainError(error.message) from error
            else:
                if response.status != _TOO_OFTEN or not self._waited(attempt, start, response):
                    return response
            attempt += 1

    def _settled(self, response: Response, content: bytes, before: Held | None) -> Held:
        """Return what a write that was not accepted has led to, or raise what it means.

        An earlier try of the same write may be what this one met (GitLab: 500 after success, then 422).
        """
        status = response.status
        if status in _UNSETTLED or status in _DONE:
            raise UncertainError(f"the server answered with HTTP {status}")
        if status not in _TAKEN | _INVALID:
            raise refused(self._access, "be written", response)
        try:
            found = self.load()
        except StateError as error:
            raise UncertainError(error.message) from error
        if found is not None and found.content == content:
            return found
        if status in _TAKEN or (found and found.tag) != (before and before.tag):
            raise ConflictError(described(response.content) or f"HTTP {status}")
        raise refused(self._access, "be written", response)

    def _learn(self, body: bytes, wire: str | None) -> None:
        """Find out, once, what the server refuses: the same write again, and then for another's lock.

        Neither changes anything, whatever it takes.
        """
        if self._is_learned:
            return
        self._is_learned = True
        with suppress(UncertainError, StateError):
            if self._written(body, wire).status in _TAKEN | _INVALID:
                self._counts = True
            elif wire is not None:
                self._guards = self._written(body, uuid.uuid4().hex).status not in _DONE

    def _wire_of(self, identifier: str) -> str | None:
        """Return under which id the server knows a lock; None where it is not that one that is held."""
        now = self.clock()
        me = Holder(user="taskspec", host="taskspec", pid=os.getpid(), command="taskspec", since=now)
        probe = ServerLock(id=uuid.uuid4().hex, holder=me, ttl=_PROBE_TTL, since=now)
        seen = self.lock(probe)
        if seen is None:
            self.unlock(probe.id)
        return self._wires[identifier] if seen is not None and seen.id == identifier else None

    def _asked(
        self,
        target: Target,
        what: str,
        body: bytes | None = None,
        *,
        query: tuple[tuple[str, str], ...] = (),
        any_answer: bool = False,
    ) -> Response:
        """Ask what may be asked twice, until there is a usable answer or patience ends; raises StateError."""
        start = time.monotonic()
        attempt = 0
        while True:
            try:
                response = self._ask(target, body, query=query)
            except (UnreachableError, OutcomeUnknownError) as error:
                if not self._waited(attempt, start):
                    raise unreached(self._access, error.message, error.hint) from error
            else:
                is_usable = response.status not in _UNSETTLED and response.status != _TOO_OFTEN
                if any_answer or is_usable:
                    return response
                if not self._waited(attempt, start, response):
                    raise refused(self._access, what, response)
            attempt += 1

    def _ask(self, target: Target, body: bytes | None, *, query: tuple[tuple[str, str], ...] = ()) -> Response:
        """Ask once, and look at the server's clock."""
        seconds = self._timeout + len(body or b"") / SLOWEST
        request = Request(
            method=target.method,
            path=target.path,
            query=query,
            headers=_headers(body),
            content=body,
            timeout=seconds,
        )
        with self._turn:
            server = self._servers.get(target.origin)
            if server is None:
                server = Server(
                    target.origin,
                    headers=self._access.headers,
                    secrets=self._access.secrets,
                    max_response=LARGEST_BODY,
                )
                self._servers[target.origin] = server
            asked = _elapsed()
            response = server.ask(request)
            date = response.headers.get("date", "")
            self._bounds = heard(self._bounds, date, asked=asked, answered=_elapsed())
            return response

    def _waited(self, attempt: int, start: float, response: Response | None = None) -> bool:
        """Wait before the next attempt; return False, and wait not, where there is none."""
        pause = self._access.retries.pause(attempt)
        asked_for = response.headers.get("retry-after", "") if response is not None else ""
        if asked_for.isascii() and asked_for.isdigit():
            pause = min(_LONGEST_WAIT, max(pause, float(asked_for)))
        if attempt >= self._access.retries.most or time.monotonic() + pause - start > PATIENCE:
            return False
        time.sleep(pause)
        return True


def _headers(body: bytes | None) -> Mapping[str, str]:
    if body is None:
        return {"cache-control": "no-cache"}
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return {"content-type": "application/json", "content-md5": b64encode(digest).decode()}


def _tag(content: bytes, serial: int) -> str:
    return f"{serial}.{hashlib.sha256(content).hexdigest()}"


def _serial(tag: str) -> int:
    return int(tag.partition(".")[0])


def _is_page(response: Response) -> bool:
    """Tell whether an answer is meant for a browser: that of a proxy, which nobody has asked for."""
    return "html" in response.headers.get("content-type", "").lower()


def _elapsed() -> float:
    """Return the seconds of a clock that never goes back, and also counts while the machine sleeps."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
