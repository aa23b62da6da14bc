"""Lines to a remote, of one socket each, that block. The one home of httpx; repeats nothing and knows no calls."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from taskspec.errors import OutcomeUnknownError, RemoteError, UnreachableError
from taskspec.taskapi.drivers.deadlines import Deadline, Deadlines
from taskspec.taskapi.drivers.dialling import CODINGS, CONNECT_TIMEOUT, Dial, Root
from taskspec.taskapi.importing import without_module
from taskspec.taskapi.messages import Heard, Opened, Request, Response

if TYPE_CHECKING:
    import httpx

AHEAD = 16
"""So many pieces of a stream are read before they are asked for."""


class FarEnd(Protocol):
    """Who is at the other end of a line, and what its answers and troubles are. A `Dial` is one."""

    headers: Mapping[str, str]
    tls: ssl.SSLContext | None

    @property
    def max_response(self) -> int:
        """How many bytes of an answer are taken."""

    def url(self, request: Request) -> str:
        """Return the whole URL of a request."""

    def proxy(self, root: Root) -> str | None:
        """Return the URL of the proxy on the way; it may hold a password."""

    def received(
        self, request: Request, status: int, headers: Iterable[tuple[str, str]], content: bytes, took: float
    ) -> Response:
        """Return an answer without secrets."""

    def unreachable(self, request: Request, error: BaseException, reason: str = "") -> UnreachableError:
        """Return the error of a request that never left."""

    def unsendable(self, request: Request) -> UnreachableError:
        """Return the error of a request whose headers cannot be written."""

    def broken(self, request: Request, error: BaseException) -> OutcomeUnknownError:
        """Return the error of a request that left and has no whole answer."""

    def unusable(self, request: Request, what: str) -> OutcomeUnknownError:
        """Return the error of an answer that cannot be taken."""

    def too_large(self, request: Request, status: int, headers: Iterable[tuple[str, str]]) -> OutcomeUnknownError:
        """Return the error of an answer that does not end."""

    def late(self, request: Request, *, begun: bool) -> UnreachableError | OutcomeUnknownError:
        """Return the error of a request whose time is over, before it was begun or after."""


class Line:
    """A client of one socket, which another thread can cut.

    httpx's own pool takes time that grows with the square of the requests in flight; a pool of one does not.
    """

    def __init__(self, dial: FarEnd, root: Root, deadlines: Deadlines) -> None:
        import httpx

        self._dial = dial
        self._deadlines = deadlines
        self._client = httpx.Client(
            headers=dict(dial.headers),
            verify=dial.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=dial.proxy(root),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )
        self._socket: socket.socket | None = None
        self._reads = 0
        self.is_clean = True
        """False once an answer came that is not the one to the last request: nobody may ask over this line again."""

    def exchange(self, request: Request, left: float) -> Response:
        """Send a request and return the whole answer; raises UnreachableError and OutcomeUnknownError.

        `left` is the time that the request has, in seconds: a connection may take half of it.
        """
        from httpx import HTTPError, InvalidURL

        started = time.monotonic()
        trouble: RemoteError
        with self.within(left) as deadline:
            try:
                with self.asking(request, left, deadline) as answer:
                    content = self._content(answer, request)
                    headers = answer.headers.multi_items()
                    took = time.monotonic() - started
                    return self._dial.received(request, answer.status_code, headers, content, took)
            except (HTTPError, InvalidURL) as error:
                trouble = _trouble(self._dial, request, error, late=deadline.is_over)
        raise trouble

    def within(self, seconds: float) -> AbstractContextManager[Deadline]:
        """Cut the line if the block takes longer, however many bytes come meanwhile."""
        return self._deadlines.within(seconds, self.cut)

    @contextmanager
    def asking(
        self, request: Request, left: float, deadline: Deadline, *, endless: bool = False
    ) -> Iterator["httpx.Response"]:
        """Send a request and lend its answer; UnreachableError where its time is over before a byte was sent."""
        import httpx

        def heed(event: str, details: Mapping[str, Any]) -> None:
            if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                self._watch(details["return_value"])
            if event == "http11.send_request_headers.started":
                self._reads = 0
                if deadline.is_over:
                    raise UnreachableError(f"No connection within {left:g} s ({request.method} {request.path}).")

        with self._client.stream(
            request.method,
            self._dial.url(request),
            headers=dict(request.headers),
            content=request.content,
            timeout=httpx.Timeout(None if endless else left, connect=min(CONNECT_TIMEOUT, left / 2)),
            extensions={"trace": heed},
        ) as answer:
            self._client.cookies.clear()
            self.is_clean = self._reads > 0
            if not self.is_clean:
                raise self._dial.unusable(request, "was there before it was asked for")
            yield answer

    def cut(self) -> None:
        """Break the socket off, so that whoever reads from it stops."""
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._client.close()

    def _watch(self, stream: Any) -> None:
        """Keep the socket of a new connection, and count what is read from it.

        An answer for which nothing was read after its request is the rest of what an earlier answer brought too much.
        """
        self._socket = stream.get_extra_info("socket")
        read = stream.read

        def counted(most: int, timeout: float | None = None) -> bytes:
            self._reads += 1
            content: bytes = read(most, timeout)
            return content

        stream.read = counted

    def _content(self, answer: "httpx.Response", request: Request) -> bytes:
        if answer.headers.get("content-encoding", "").lower() not in CODINGS:
            raise self._dial.unusable(request, "has a coding that was not asked for")
        parts, size = [], 0
        for part in answer.iter_bytes():
            size += len(part)
            if size > self._dial.max_response:
                raise self._dial.too_large(request, answer.status_code, answer.headers.multi_items())
            parts.append(part)
        return b"".join(parts)


class Stream:
    """An answer that goes on and on, one at a time; a thread reads ahead, so that a silence does not end it."""

    def __init__(self, dial: Dial, deadlines: Deadlines) -> None:
        self._dial = dial
        self._deadlines = deadlines
        self._resources = ExitStack()
        self._line: Line | None = None
        self._heard: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = threading.Semaphore(AHEAD)

    def open(self, request: Request) -> Opened | None:
        """Open it over a line of its own; None where nothing answers in time."""
        from httpx import HTTPError, InvalidURL

        self.close()
        seconds = self._dial.seconds(request)
        with ExitStack() as stack:
            line = stack.enter_context(closing(Line(self._dial, request.root, self._deadlines)))
            try:
                with line.within(seconds) as deadline:
                    answer = stack.enter_context(line.asking(request, seconds, deadline, endless=True))
            except (HTTPError, InvalidURL, UnreachableError):
                return None
            stack.callback(self._start(line, answer))
            self._resources, self._line = stack.pop_all(), line
        kind = answer.headers.get("content-type", "")
        return Opened(status=answer.status_code, content_type=kind, at=time.monotonic())

    def read(self, seconds: float) -> Heard | None:
        """Return what comes in time; None at the end."""
        try:
            content = self._heard.get(timeout=seconds)
        except Empty:
            return Heard(content=b"", at=time.monotonic())
        if content is None:
            self._heard.put(None)
            return None
        self._room.release()
        return Heard(content=content, at=time.monotonic())

    def cut(self) -> None:
        """End it, from any thread; whoever reads from it is told so."""
        if self._line is not None:
            self._line.cut()

    def close(self) -> None:
        """Close the socket."""
        self._resources.close()

    def _start(self, line: Line, answer: "httpx.Response") -> Callable[[], None]:
        """Start reading ahead, and return what ends it."""
        heard: SimpleQueue[bytes | None] = SimpleQueue()
        room, left = threading.Semaphore(AHEAD), threading.Event()
        self._heard, self._room = heard, room
        thread = threading.Thread(target=_listen, args=(answer, heard, room, left), name="taskspec-events", daemon=True)
        thread.start()

        def end() -> None:
            left.set()
            room.release()
            line.cut()
            thread.join()

        return end


def _listen(
    answer: "httpx.Response", heard: "SimpleQueue[bytes | None]", room: threading.Semaphore, left: threading.Event
) -> None:
    """Put what comes into the queue while there is room, and None at the end."""
    from httpx import HTTPError

    try:
        for part in answer.iter_bytes():
            heard.put(part)
            room.acquire()
            if left.is_set():
                return
    except (HTTPError, OSError, ValueError):
        return
    finally:
        heard.put(None)


def _trouble(dial: FarEnd, request: Request, error: Exception, *, late: bool) -> RemoteError:
    """Return what an exception of httpx means: whether the request can have left."""
    import httpx

    match error:
        case httpx.ProxyError():
            return dial.unreachable(request, error, f"the proxy answered {error}")
        case httpx.LocalProtocolError():
            return dial.unsendable(request)
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return dial.unreachable(request, error, "it takes too long")
        case httpx.ConnectError() | httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return dial.unreachable(request, error)
        case httpx.TimeoutException():
            return dial.late(request, begun=True)
        case _:
            return dial.late(request, begun=True) if late else dial.broken(request, error)


def load_httpx() -> None:
    """Import httpx without its command line, whose imports take as long as all the rest of it."""
    with without_module("httpx._main"):
        import_module("httpx")
