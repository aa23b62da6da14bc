"""One server that is asked, one question after the other, and blocks: no remote. Repeats nothing, knows no answer."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from taskspec import __version__
from taskspec.errors import OutcomeUnknownError, UnreachableError
from taskspec.taskapi.drivers.deadlines import Deadlines
from taskspec.taskapi.drivers.dialling import Root, caused, distrust, merged, words
from taskspec.taskapi.drivers.lines import Line, load_httpx
from taskspec.taskapi.drivers.routing import proxy_of, tls_context
from taskspec.taskapi.messages import READ_TIMEOUT, Request, Response
from taskspec.taskapi.redacting import reason_of, without_in

if TYPE_CHECKING:
    import ssl

STALE: Final = 4.0
"""Seconds after which a server may have closed a socket that was idle; a new one asks no question in vain."""
_SUCCESSES: Final = range(200, 300)


class Server:
    """What is behind an origin, asked over one line. Its errors say the reason alone; who asks says who was asked.

    A redirect is an answer like another: what a question holds goes to no other place.
    """

    def __init__(self, origin: str, *, headers: Mapping[str, str], secrets: frozenset[str], max_response: int) -> None:
        self.headers: Mapping[str, str] = {
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
            "user-agent": f"taskspec/{__version__}",
            **headers,
        }
        self._origin = origin
        self._secrets = secrets
        self._max_response = max_response
        self._proxy = proxy_of(origin)
        is_encrypted = any(way.startswith("https:") for way in (origin, self._proxy) if way)
        self.tls: ssl.SSLContext | None = tls_context(None) if is_encrypted else None
        self._deadlines = Deadlines()
        self._turn = threading.Lock()
        self._line: Line | None = None
        self._used = 0.0
        load_httpx()

    def ask(self, request: Request) -> Response:
        """Send a request and return the whole answer, without secrets where it is a refusal.

        Raises UnreachableError, where no byte of it left, and OutcomeUnknownError.
        """
        with self._turn:
            line = self._fresh_line()
            try:
                return line.exchange(request, self._seconds(request))
            except BaseException:
                self._hang_up()
                raise
            finally:
                self._used = time.monotonic()
                if not line.is_clean:
                    self._hang_up()

    def close(self) -> None:
        """Close the socket, when no question is under way."""
        with self._turn:
            self._hang_up()
            self._deadlines.close()

    @property
    def max_response(self) -> int:
        """How many bytes of an answer are taken."""
        return self._max_response

    def url(self, request: Request) -> str:
        """Return the whole URL of a request."""
        url = self._origin + request.path
        return f"{url}{'&' if '?' in url else '?'}{urlencode(request.query)}" if request.query else url

    def proxy(self, root: Root) -> str | None:  # noqa: ARG002  # it has one root
        """Return the URL of the proxy on the way; it may hold a password."""
        return self._proxy

    def received(
        self,
        request: Request,
        status: int,
        headers: Iterable[tuple[str, str]],
        content: bytes,
        took: float,  # noqa: ARG002  # nobody is told
    ) -> Response:
        """Return an answer; a refusal is without secrets."""
        secrets = self._all_secrets(request)
        if status not in _SUCCESSES:
            content = words(content, secrets)
        return Response(status=status, headers=merged(headers, secrets), content=content, at=time.time())

    def unreachable(self, request: Request, error: BaseException, reason: str = "") -> UnreachableError:
        """Return the error of a request that never left."""
        secrets = self._all_secrets(request)
        doubt = distrust(error)
        if doubt is not None:
            text = f"its certificate is not trusted: {doubt}"
            hint = "Name the PEM file of its authority in the environment variable SSL_CERT_FILE, or correct the URL."
            return caused(UnreachableError(text, hint=hint), error, secrets)
        text = without_in(secrets, reason) if reason else reason_of(error, secrets)
        return caused(UnreachableError(text, hint="Check that it is up, and that the URL is right."), error, secrets)

    def unsendable(self, request: Request) -> UnreachableError:  # noqa: ARG002
        """Return the error of a request whose headers cannot be written; what they hold is not shown."""
        return UnreachableError(
            "the user's name or the password holds something that HTTP cannot carry", hint="Copy them again."
        )

    def broken(self, request: Request, error: BaseException) -> OutcomeUnknownError:
        """Return the error of a request that left and has no whole answer."""
        secrets = self._all_secrets(request)
        return caused(OutcomeUnknownError(f"the connection broke: {reason_of(error, secrets)}"), error, secrets)

    def unusable(self, request: Request, what: str) -> OutcomeUnknownError:  # noqa: ARG002
        """Return the error of an answer that cannot be taken."""
        return OutcomeUnknownError(f"its answer {what}")

    def too_large(
        self,
        request: Request,  # noqa: ARG002
        status: int,  # noqa: ARG002
        headers: Iterable[tuple[str, str]],  # noqa: ARG002
    ) -> OutcomeUnknownError:
        """Return the error of an answer that does not end."""
        return OutcomeUnknownError(f"its answer is larger than {self._max_response} bytes")

    def late(self, request: Request, *, begun: bool) -> UnreachableError | OutcomeUnknownError:
        """Return the error of a request whose time is over, before it was begun or after."""
        within = f"within {self._seconds(request):g} s"
        return OutcomeUnknownError(f"no answer {within}") if begun else UnreachableError(f"no connection {within}")

    def _seconds(self, request: Request) -> float:
        return READ_TIMEOUT if request.timeout is None else request.timeout

    def _all_secrets(self, request: Request) -> frozenset[str]:
        return self._secrets | request.secrets

    def _fresh_line(self) -> Line:
        if time.monotonic() - self._used > STALE:
            self._hang_up()
        if self._line is None:
            self._line = Line(self, "rest", self._deadlines)
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
