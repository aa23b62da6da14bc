"""Questions to the server of a state, in Terraform's HTTP protocol: asked again where that is safe. Knows no state.

Each answer tells what time it is there.
"""

import hashlib
import math
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from taskspec.errors import OutcomeUnknownError, StateError, UnreachableError, UsageError
from taskspec.state.registers.port import UncertainError
from taskspec.state.terraform.access import Access, Target
from taskspec.state.terraform.servertime import Bounds, heard
from taskspec.state.terraform.trouble import TOO_OFTEN, refused, timeless, unreached
from taskspec.taskapi.drivers.asking import Server
from taskspec.taskapi.messages import Request, Response

TIMEOUT: Final = 20.0
"""Seconds that a question has, but for what a large text takes."""
PATIENCE: Final = 20.0
"""Seconds after which a question is not asked again."""
LARGEST_BODY: Final = 256 * 1024 * 1024
UNSETTLED: Final = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530})
"""The server, or a proxy before it, failed: what it did before is not known."""
_SLOWEST: Final = 256 * 1024
"""A text is sent at no fewer bytes a second."""
_FRESH: Final = 30.0
"""Seconds for which the server's clock, once read, is not read again."""
_LONGEST_WAIT: Final = 10.0

Query = tuple[tuple[str, str], ...]


class Questions:
    """All that is asked about one state, one question after the other."""

    def __init__(self, access: Access, timeout: float) -> None:
        self._access = access
        self._timeout = timeout
        self._servers: dict[str, Server] = {}
        self._turn = threading.Lock()
        self._bounds: Bounds | None = None

    def ask(self, target: Target, body: bytes | None = None, *, query: Query = ()) -> Response:
        """Ask once, and look at the server's clock; raises UnreachableError and OutcomeUnknownError."""
        request = Request(
            method=target.method,
            path=target.path,
            query=query,
            headers=_headers(body),
            content=body,
            timeout=self._timeout + len(body or b"") / _SLOWEST,
        )
        with self._turn:
            server = self._server(target.origin)
            asked = _elapsed()
            response = server.ask(request)
            date = response.headers.get("date", "")
            self._bounds = heard(self._bounds, date, asked=asked, answered=_elapsed())
            return response

    def insist(
        self, target: Target, what: str, body: bytes | None = None, *, query: Query = (), any_answer: bool = False
    ) -> Response:
        """Ask what may be asked twice, until there is a usable answer or patience ends; raises StateError.

        `what` is asked for, as in "be read".
        """
        start = time.monotonic()
        attempt = 0
        while True:
            try:
                response = self.ask(target, body, query=query)
            except (UnreachableError, OutcomeUnknownError) as error:
                if not self._waited(attempt, start):
                    raise unreached(self._access, error.message, error.hint) from error
            else:
                is_usable = response.status not in UNSETTLED and response.status != TOO_OFTEN
                if any_answer or is_usable:
                    return response
                if not self._waited(attempt, start, response):
                    raise refused(self._access, what, response)
            attempt += 1

    def write(self, body: bytes, query: Query) -> Response:
        """Send a write, and again only if it never left or was not looked at; raises UncertainError and StateError."""
        start = time.monotonic()
        attempt = 0
        while True:
            try:
                response = self.ask(self._access.write, body, query=query)
            except UnreachableError as error:
                if not self._waited(attempt, start):
                    raise unreached(self._access, error.message, error.hint) from error
            except OutcomeUnknownError as error:
                raise UncertainError(error.message) from error
            else:
                if response.status != TOO_OFTEN or not self._waited(attempt, start, response):
                    return response
            attempt += 1

    def clock(self) -> float:
        """Return what time it is at the server at the latest; asks only if nothing was asked before.

        A heartbeat that bears it is never taken for older than it is.
        """
        return self._known(math.inf).latest(_elapsed())

    def now(self) -> float:
        """Return what time it is at the server at the earliest; its last answer must not be old."""
        return self._known(_FRESH).earliest(_elapsed())

    def close(self) -> None:
        """Let go of all connections."""
        with self._turn:
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def _known(self, oldest: float) -> Bounds:
        """Return what is known of the server's clock, as of at most so many seconds ago."""
        if self._bounds is None or _elapsed() - self._bounds.at > oldest:
            read = self._access.read
            self.insist(Target(method="HEAD", origin=read.origin, path=read.path), "be looked at", any_answer=True)
        if self._bounds is None:
            raise timeless(self._access)
        return self._bounds

    def _server(self, origin: str) -> Server:
        if origin not in self._servers:
            headers, secrets = self._access.headers, self._access.secrets
            try:
                server = Server(origin, headers=headers, secrets=secrets, max_response=LARGEST_BODY)
            except UsageError as error:  # of the proxy, or the certificate authorities, that the environment names
                raise StateError(error.message, hint=error.hint) from error
            self._servers[origin] = server
        return self._servers[origin]

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


def _elapsed() -> float:
    """Return the seconds of a clock that never goes back, and also counts while the machine sleeps."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)
