"""A pool of sockets to a remote, in one event loop. The one home of aiohttp; repeats nothing and knows no calls."""

import asyncio
import time
from contextlib import AsyncExitStack
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING

from taskspec.errors import RemoteError
from taskspec.taskapi.drivers import dialling
from taskspec.taskapi.drivers.dialling import CODINGS, CONNECT_TIMEOUT, Dial
from taskspec.taskapi.messages import ClosedError, Heard, Opened, Request, Response

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession


LARGE = 512 * 1024
"""A body of more bytes goes out piece by piece."""


class Pool:
    """Two sessions: one that keeps its sockets, and one that opens a socket for each request."""

    def __init__(self, dial: Dial) -> None:
        import_module("aiohttp")  # now, since it takes longer than some requests have
        self.dial = dial
        self._sessions: dict[bool, ClientSession] = {}
        self._answers: set[ClientResponse] = set()
        self._closed = False
        self._closing = asyncio.Lock()

    async def exchange(self, request: Request, left: float) -> Response:
        """Send a request and return the whole answer; raises UnreachableError and OutcomeUnknownError.

        `left` is the time that the request has, in seconds: a connection may take half of it. The caller ends the rest.
        """
        import aiohttp

        started = time.monotonic()
        trouble: RemoteError
        try:
            answer = await self.ask(request, left, fresh=self.dial.needs_fresh_socket(request))
            try:
                content = await self._content(answer, request)
            finally:
                self.leave(answer)
                answer.release()
            took = time.monotonic() - started
            return self.dial.received(request, answer.status, answer.headers.items(), content, took)
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError) as error:
            trouble = _trouble(self.dial, request, error)
        raise trouble

    async def ask(self, request: Request, left: float, *, fresh: bool) -> "ClientResponse":
        """Send a request and return the head of its answer, to be left when it is read; raises what aiohttp raises."""
        import aiohttp
        import yarl

        answer = await self._session(fresh=fresh).request(
            request.method,
            yarl.URL(self.dial.url(request), encoded=True),
            data=_body(request.content),
            headers={**self.dial.headers, **request.headers},
            proxy=self.dial.proxy(request.root),
            timeout=aiohttp.ClientTimeout(total=None, connect=min(CONNECT_TIMEOUT, left / 2)),
            allow_redirects=False,
        )
        self._answers.add(answer)
        if self._closed:
            _cut(answer)
        return answer

    def leave(self, answer: "ClientResponse") -> None:
        """Note that an answer is not read any more."""
        self._answers.discard(answer)

    async def aclose(self) -> None:
        """Close all sockets, also where this is cancelled meanwhile; whoever comes second waits for the first."""
        self._closed = True
        for answer in self._answers:
            _cut(answer)
        async with self._closing, AsyncExitStack() as stack:
            while self._sessions:
                stack.push_async_callback(self._sessions.popitem()[1].close)

    async def _content(self, answer: "ClientResponse", request: Request) -> bytes:
        if answer.headers.get("content-encoding", "").lower() not in CODINGS:
            raise self.dial.unusable(request, "has a coding that was not asked for")
        parts, size = [], 0
        while part := await answer.content.readany():
            size += len(part)
            if size > dialling.MAX_RESPONSE:
                raise self.dial.too_large(request, answer.status, answer.headers.items())
            parts.append(part)
        return b"".join(parts)

    def _session(self, *, fresh: bool) -> "ClientSession":
        if self._closed:
            raise ClosedError
        session = self._sessions.get(fresh)
        if session is None:
            from aiohttp import ClientSession, DummyCookieJar, TCPConnector

            connector = TCPConnector(limit=0, ssl=self.dial.tls or True, force_close=fresh)
            # The headers are given with each request: those of a session, with the key, would go to a proxy as well.
            session = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
            # aiohttp would repeat some requests by itself; what is repeated is for the flow to say.
            session._retry_connection = False  # noqa: SLF001
            self._sessions[fresh] = session
        return session


class Stream:
    """An answer that goes on and on: none at first, and one at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._answer: ClientResponse | None = None

    async def open(self, request: Request) -> Opened | None:
        """Open it over a socket of its own; None where nothing answers in time."""
        import aiohttp

        self.close()
        seconds = self._pool.dial.seconds(request)
        try:
            async with asyncio.timeout(seconds):
                answer = await self._pool.ask(request, seconds, fresh=True)
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, TimeoutError):
            return None
        self._answer = answer
        kind = answer.headers.get("content-type", "")
        return Opened(status=answer.status, content_type=kind, at=time.monotonic())

    async def read(self, seconds: float) -> Heard | None:
        """Return what comes in time; None at the end."""
        from aiohttp import ClientError

        if self._answer is None:
            return None
        try:
            async with asyncio.timeout(seconds):
                content = await self._answer.content.readany()
        except TimeoutError:
            return Heard(content=b"", at=time.monotonic())
        except ClientError:
            return None
        return Heard(content=content, at=time.monotonic()) if content else None

    def close(self) -> None:
        """Close the socket."""
        if self._answer is not None:
            self._pool.leave(self._answer)
            self._answer.close()
            self._answer = None


def _cut(answer: "ClientResponse") -> None:
    """End the reading of an answer whose socket is closed: aiohttp leaves whoever waits for its next chunk waiting."""
    import aiohttp

    if not answer.content.is_eof():
        answer.content.set_exception(aiohttp.ClientConnectionError("the connection was closed"))


def _body(content: bytes | None) -> bytes | BytesIO | None:
    return BytesIO(content) if content is not None and len(content) > LARGE else content


def _trouble(dial: Dial, request: Request, error: Exception) -> RemoteError:
    """Return what an exception of aiohttp means: whether the request can have left."""
    import aiohttp

    match error:
        case aiohttp.ClientHttpProxyError():
            return dial.unreachable(request, error, f"the proxy answered {error.status} {error.message}")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.InvalidURL():
            return dial.unreachable(request, error)
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or str(error.os_error)
            of_proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
            return dial.unreachable(request, error, f"the proxy: {reason}" if of_proxy else reason)
        case aiohttp.ConnectionTimeoutError():
            return dial.unreachable(request, error, "it takes too long")
        case _:
            return dial.broken(request, error)
