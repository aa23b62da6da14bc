"""The async driver: carries requests over HTTP and tells time. The one home of httpx; decides nothing of the API."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from importlib import import_module
from typing import TYPE_CHECKING, Self

from taskspec import __version__
from taskspec.errors import NotSentError, RemoteError, UnansweredError, UsageError
from taskspec.taskapi.flow import Patience, retrying
from taskspec.taskapi.following import SILENCE, Following, look_between
from taskspec.taskapi.importing import without_module
from taskspec.taskapi.messages import Call, Pause, Request, Response, T
from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.redacting import reason_of, without
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits
from taskspec.taskapi.roots import is_loopback
from taskspec.taskapi.sse import EventParser

if TYPE_CHECKING:
    import ssl

    import httpx

IN_FLIGHT = 32
CONNECT_TIMEOUT = 10.0
MAX_RESPONSE = 64 * 1024 * 1024

Trace = Callable[[str], None]


class Connection:
    """A remote that can be asked: runs calls, repeats what may be repeated, follows tasks.

    `trace` is told one line for each request; no key is ever in it. Use it in one event loop only.
    """

    def __init__(
        self, endpoint: Endpoint, identity: RemoteIdentity, traits: Traits, *, trace: Trace | None = None
    ) -> None:
        if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
            raise UsageError("The API key holds characters that cannot be sent.", hint="Copy the key again.")
        _load_httpx()
        self.identity = identity
        self.traits = traits
        self._endpoint = endpoint
        self._clients = _Clients(endpoint)
        self._trace = trace
        self._patience = Patience(jitter=random.random)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all sockets."""
        await self._clients.aclose()

    async def run(self, call: Call[T]) -> T:
        """Carry out a call and return its value; raises what the call raises (RemoteError and below)."""
        told: Response | None = None
        trouble: RemoteError | None = None
        with closing(retrying(call, self._patience)) as steps:
            while True:
                try:
                    step = steps.send(told) if trouble is None else steps.throw(trouble)
                except StopIteration as end:
                    value: T = end.value
                    return value
                told, trouble = None, None
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    continue
                try:
                    told = await self._exchange(step)
                except (NotSentError, UnansweredError) as error:
                    trouble = error

    async def events(self, task_id: str) -> AsyncGenerator[TaskEvent, None]:
        """Yield the events of a task as they come, each once, until it has ended; the last is `task_finished`.

        Reconnects by itself. Wrap it in `contextlib.aclosing` if you may leave it early.
        """
        following = Following(task_id, poll_interval=self.traits.poll_interval)
        while not following.over:
            if following.streams:
                async with aclosing(self._stream(following)) as news:
                    async for event in news:
                        yield event
            if not following.over:
                seen = await self.run(look_between(following, random.random))
                if seen is not None:
                    yield seen

    async def _exchange(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()
        started, begun = loop.time(), False
        try:
            waiting = None if request.repeatable else request.timeout
            async with asyncio.timeout(waiting) as limit, self._clients.lend(request, self.traits) as client:
                begun = True
                if request.repeatable:
                    limit.reschedule(loop.time() + request.timeout)
                response = await self._send(client, request)
        except TimeoutError as error:
            where = f"{request.method} {request.path}"
            if not begun:
                raise NotSentError(f"No connection was free within {request.timeout:g} s ({where}).") from error
            raise UnansweredError(f"The remote did not answer within {request.timeout:g} s ({where}).") from error
        if self._trace is not None:
            took = loop.time() - started
            self._trace(f"{request.method} {request.path} {response.status} {len(response.content)} B {took:.3f} s")
        return response

    async def _send(self, client: "httpx.AsyncClient", request: Request) -> Response:
        async with self._answering(client, request) as answer:
            parts, size = [], 0
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > MAX_RESPONSE:
                    raise UnansweredError(f"The remote's answer is larger than {MAX_RESPONSE} bytes ({request.path}).")
                parts.append(part)
            content = b"".join(parts)
        if not answer.is_success:
            content = without(self._endpoint.api_key, content)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, headers=headers, content=content, at=time.time())

    async def _stream(self, following: Following) -> AsyncGenerator[TaskEvent, None]:
        """Yield what one stream tells that is new, until it ends, breaks or falls silent."""
        from httpx import HTTPError

        loop = asyncio.get_running_loop()
        request, parser = following.request(), EventParser()
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self._clients.fresh())
            try:
                async with asyncio.timeout(request.timeout):
                    answer = await stack.enter_async_context(self._answering(client, request))
            except (TimeoutError, NotSentError, UnansweredError):
                return
            if not following.opened(answer.status_code, answer.headers.get("content-type", "")):
                return
            chunks = answer.aiter_bytes()
            deadline = loop.time() + SILENCE
            while not following.over:
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks)
                except (StopAsyncIteration, TimeoutError, HTTPError):
                    return
                for event in filter(None, map(following.accept, parser.feed(chunk))):
                    deadline = loop.time() + SILENCE
                    yield event

    @asynccontextmanager
    async def _answering(self, client: "httpx.AsyncClient", request: Request) -> AsyncIterator["httpx.Response"]:
        """Send a request and lend its answer, turning httpx's exceptions into ours."""
        import httpx

        root = self._endpoint.rest_root if request.root == "rest" else self._endpoint.events_root
        connecting = httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError
        limits = httpx.Timeout(None, connect=min(CONNECT_TIMEOUT, request.timeout))
        key, where = self._endpoint.api_key, f"{request.method} {root}{request.path}"
        try:
            query, headers = request.query or None, dict(request.headers)
            async with client.stream(
                request.method,
                root + request.path,
                params=query,
                headers=headers,
                content=request.content,
                timeout=limits,
            ) as answer:
                yield answer
        except (*connecting, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            hint = "Check that the remote is up and that its base URL is right."
            raise NotSentError(f"No connection to the remote: {reason_of(error, key)} ({where}).", hint=hint) from error
        except httpx.HTTPError as error:
            raise UnansweredError(f"The connection to the remote broke: {reason_of(error, key)} ({where}).") from error


class _Clients:
    """Clients of one socket each, lent to one request at a time, the last used first.

    httpx's own pool takes time that grows with the square of the requests in flight; a pool of one does not.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: list[httpx.AsyncClient] = []
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._tls = _tls_context(endpoint)
        self._closed = False

    @asynccontextmanager
    async def lend(self, request: Request, traits: Traits) -> AsyncIterator["httpx.AsyncClient"]:
        """Lend a client; one with a fresh socket where a stale one could leave the outcome unknown."""
        async with self._gate:
            if not (request.repeatable or traits.honours_idempotency_keys):
                async with self.fresh() as client:
                    yield client
                return
            client = self._idle.pop() if self._idle else self.fresh()
            try:
                yield client
            finally:
                if self._closed:
                    await client.aclose()
                else:
                    self._idle.append(client)

    def fresh(self) -> "httpx.AsyncClient":
        """Return a new client that its caller closes."""
        import httpx

        return httpx.AsyncClient(
            headers={"x-api-key": self._endpoint.api_key, "accept": "*/*", "user-agent": f"taskspec/{__version__}"},
            verify=self._tls,
            trust_env=not is_loopback(self._endpoint.rest_root),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )

    async def aclose(self) -> None:
        """Close the idle clients now, and those that are lent when they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


def _tls_context(endpoint: Endpoint) -> "ssl.SSLContext":
    """Return a context; without https, one that trusts nobody: loading certificates takes 20 ms."""
    import ssl

    from httpx import create_ssl_context

    secure = "https://" in (endpoint.rest_root[:8], endpoint.events_root[:8])
    return create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _load_httpx() -> None:
    """Import httpx without its command line, whose imports take as long as all the rest of it."""
    with without_module("httpx._main"):
        import_module("httpx")
