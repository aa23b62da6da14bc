"""What both drivers share: how and when a remote is asked, and what its answers and troubles are. Sends nothing."""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import urlencode

from taskspec import __version__
from taskspec.errors import OutcomeUnknownError, RemoteError, UnreachableError, UsageError
from taskspec.taskapi.classifying import RATE_LIMITED, is_billing, is_success, requested_wait
from taskspec.taskapi.drivers.routing import proxy_of, tls_context
from taskspec.taskapi.flow import LONGEST_WAIT
from taskspec.taskapi.messages import READ_TIMEOUT, Request, Response, TooLargeError, is_sendable
from taskspec.taskapi.pacing import Pace
from taskspec.taskapi.redacting import longest, reason_of, without, without_in
from taskspec.taskapi.remotes import Endpoint, Traits, capabilities_of

CONNECT_TIMEOUT = 10.0
MAX_RESPONSE = 64 * 1024 * 1024
MAX_WORDS = 64 * 1024
"""So much of an unsuccessful answer is kept, in bytes."""
CODINGS = frozenset({"", "identity", "gzip", "deflate"})
CAPABILITIES = "taskspec-capabilities"
_QUOTED = frozenset({"content-type", "date", "taskspec-engine"})
"""The headers that our words repeat."""
_USUAL = frozenset({"application/json", "application/json; charset=utf-8"})

Root = Literal["rest", "events"]
Trace = Callable[[str], None]
E = TypeVar("E", bound=RemoteError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much a connection may ask for. Give both colours of one client the same object."""

    max_connections: int = 32
    """Requests in flight; streams are not counted."""
    read_timeout: float = READ_TIMEOUT
    """The total time in seconds of a request that names none."""
    ca_file: str | None = None
    """A PEM file of certificate authorities, in place of the usual ones."""
    pace: Pace | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    """Guards `pace`."""


class Dial:
    """A remote as a driver knows it: its addresses, what it said of itself, when it may be asked again."""

    def __init__(self, endpoint: Endpoint, traits: Traits, limits: Limits, trace: Trace | None) -> None:
        if not is_sendable(endpoint.api_key):
            raise UsageError("The API key holds characters that cannot be sent.", hint="Copy the key again.")
        self.headers: Mapping[str, str] = {
            "x-api-key": endpoint.api_key,
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
            "user-agent": f"taskspec/{__version__}",
        }
        self.traits = traits
        self.limits = limits
        self._endpoint = endpoint
        self._trace = trace
        self._pace = limits.pace or Pace()
        self._announced: str | None = None
        self._roots: dict[Root, str] = {"rest": endpoint.rest_root, "events": endpoint.events_root}
        self._proxies = {root: proxy_of(url) for root, url in self._roots.items()}
        ways = (*self._roots.values(), *filter(None, self._proxies.values()))
        self.tls = tls_context(limits.ca_file) if any(way.startswith("https:") for way in ways) else None
        """The one context of all connections; None where none is encrypted, since loading it takes 20 ms."""

    @property
    def max_response(self) -> int:
        """How many bytes of an answer are taken."""
        return MAX_RESPONSE

    def url(self, request: Request) -> str:
        """Return the whole URL of a request."""
        url = self._roots[request.root] + request.path
        return f"{url}?{urlencode(request.query)}" if request.query else url

    def proxy(self, root: Root) -> str | None:
        """Return the URL of the proxy on the way to a root; it may hold a password."""
        return self._proxies[root]

    def seconds(self, request: Request) -> float:
        """Return the total time that a request has."""
        return self.limits.read_timeout if request.timeout is None else request.timeout

    def needs_fresh_socket(self, request: Request) -> bool:
        """Tell whether a stale socket could leave the outcome of a request unknown for good."""
        return not (request.repeatable or self.traits.honours_idempotency_keys)

    def turn(self) -> float:
        """Take a turn to send at once and return 0, or take none and return the seconds to wait first."""
        with self.limits.lock:
            return self._pace.reserve(time.monotonic())

    def counts_waiting(self, request: Request) -> bool:
        """Tell whether a request spends its time by waiting for a place: only what may not be repeated or late does.

        Where requests are limited nothing does, since each place may be waited for as long as there are places before
        it.
        """
        return request.punctual or not (request.repeatable or self._pace.is_limited)

    def received(
        self, request: Request, status: int, headers: Iterable[tuple[str, str]], content: bytes, took: float
    ) -> Response:
        """Return an answer without our key, after heeding what it says to a driver.

        A refusal is without the secrets of its request too.
        """
        if not 200 <= status < 300:
            content = words(content, self._secrets(request))
        response = Response(status=status, headers=self._headers(headers, request), content=content, at=time.time())
        self._heed(response)
        if self._trace is not None:
            self._trace(f"{request.method} {request.path} {status} {len(content)} B {took:.3f} s")
        return response

    def unreachable(self, request: Request, error: BaseException, reason: str = "") -> UnreachableError:
        """Return the error of a request that never left."""
        secrets = self._secrets(request)
        doubt = distrust(error)
        if doubt is not None:
            text = f"The remote's certificate is not trusted: {doubt} ({self._where(request)})."
            hint = (
                "Name the PEM file of its authority in `ca_file`, or in the environment variable SSL_CERT_FILE, "
                "or correct the base URL."
            )
        else:
            shown = without_in(secrets, reason) if reason else reason_of(error, secrets)
            text = f"No connection to the remote: {shown} ({self._where(request)})."
            hint = "Check that the remote is up and that its base URL is right."
        return caused(UnreachableError(text, hint=hint), error, secrets)

    def unsendable(self, request: Request) -> UnreachableError:
        """Return the error of a request whose headers cannot be written; what they hold is not shown."""
        text = f"The request holds something that HTTP cannot carry ({request.method} {request.path})."
        return UnreachableError(text, hint="Correct the API key, the agent's version or the idempotency key.")

    def broken(self, request: Request, error: BaseException) -> OutcomeUnknownError:
        """Return the error of a request that left and has no whole answer."""
        secrets = self._secrets(request)
        text = f"The connection to the remote broke: {reason_of(error, secrets)} ({self._where(request)})."
        return caused(OutcomeUnknownError(text), error, secrets)

    def unusable(self, request: Request, what: str) -> OutcomeUnknownError:
        """Return the error of an answer that cannot be taken."""
        return OutcomeUnknownError(f"The remote's answer {what} ({self._where(request)}).")

    def too_large(self, request: Request, status: int, headers: Iterable[tuple[str, str]]) -> TooLargeError:
        """Return the error of an answer that does not end, after heeding what its head says."""
        self._heed(Response(status=status, headers=self._headers(headers, request), at=time.time()))
        return TooLargeError(f"The remote's answer is larger than {MAX_RESPONSE} bytes ({self._where(request)}).")

    def late(self, request: Request, *, begun: bool) -> UnreachableError | OutcomeUnknownError:
        """Return the error of a request whose time is over, before it was begun or after."""
        within = f"within {max(0.0, self.seconds(request)):g} s ({request.method} {request.path})."
        if begun:
            return OutcomeUnknownError(f"The remote did not answer {within}")
        return UnreachableError(f"No connection was free {within}")

    def _secrets(self, request: Request) -> frozenset[str]:
        return request.secrets | {self._endpoint.api_key}

    def _headers(self, headers: Iterable[tuple[str, str]], request: Request) -> dict[str, str]:
        return merged(headers, self._secrets(request))

    def _where(self, request: Request) -> str:
        return f"{request.method} {self._roots[request.root]}{request.path}"

    def _heed(self, response: Response) -> None:
        said = response.headers.get(CAPABILITIES)
        if said is not None and said != self._announced:
            self._announced, self.traits = said, self.traits.announced(capabilities_of(said))
        elif said is None and self._announced is not None and _is_json(response):
            self._announced, self.traits = None, self.traits.announced(frozenset())
        if response.status == RATE_LIMITED and not is_billing(response):
            wait = requested_wait(response)
            if wait is not None and wait <= LONGEST_WAIT:
                with self.limits.lock:
                    self._pace.hold(time.monotonic() + wait)


def words(content: bytes, secrets: frozenset[str]) -> bytes:
    """Return the beginning of what a remote says, without secrets; a secret that would be cut is left out whole."""
    if len(content) <= MAX_WORDS:
        return without(secrets, content)
    return without(secrets, content[:MAX_WORDS])[: -longest(secrets) or None]


def merged(headers: Iterable[tuple[str, str]], secrets: frozenset[str]) -> dict[str, str]:
    """Return headers with their names in lower case and those of one name joined, as printable text, no secrets."""
    joined: dict[str, str] = {}
    for given, text in headers:
        name = given.lower()
        value = text
        is_quoted = name in _QUOTED and text not in _USUAL
        if is_quoted or not text.isascii() or any(secret in text for secret in secrets):
            value = without_in(secrets, text.encode(errors="replace").decode())
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _is_json(response: Response) -> bool:
    return is_success(response) and "json" in response.headers.get("content-type", "").lower()


def distrust(error: BaseException | None) -> str | None:
    """Return why a certificate was refused, where that is at the root of an error."""
    seen: set[int] = set()  # a chain may lead back into itself, where one error is raised while another is handled
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ssl.SSLCertVerificationError) and hasattr(error, "verify_message"):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def caused(error: E, cause: BaseException, secrets: frozenset[str]) -> E:
    """Chain an error to its cause, unless the cause holds a secret: some keep the request with all its headers."""
    said = f"{cause}{cause!r}"
    if not hasattr(cause, "request_info") and without_in(secrets, said) == said:
        error.__cause__ = cause
    return error
