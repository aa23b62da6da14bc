"""What a call of the task API says to its driver, and is told: requests, pauses, streams, answers. Sends nothing."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import quote

from taskspec.errors import OutcomeUnknownError, UsageError

T = TypeVar("T")

READ_TIMEOUT = 30.0
"""The total time in seconds of a request, where nobody says another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request, still without its origin and key."""

    method: str
    path: str
    root: Literal["rest", "events"] = "rest"
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    """The exact bytes of the body; JSON unless `headers` names another content type."""
    timeout: float | None = None
    """The total time in seconds, from asking for a connection to the last byte of the answer; None for the limit of
    the connection."""
    repeatable: bool = False
    """Sending it twice does what sending it once does."""
    punctual: bool = False
    """Its time counts from when it is asked for, whatever it has to wait for: it never leaves later than that."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What it holds that no word about it may repeat."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A wait before the call goes on."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """A whole answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    at: float = 0.0
    """When it came, in seconds since the epoch: pure code has no clock of its own."""


class TooLargeError(OutcomeUnknownError):
    """An answer is larger than a driver takes; the same request would get it again."""


Call = Generator[Request | Pause, Response | None, T]
"""A call yields requests, is sent a response for each (None after a pause), and returns its value.

Where no response came, the driver throws UnreachableError or OutcomeUnknownError into it, and ClosedError where the
request was not sent because the connection is closed.
"""


class ClosedError(UsageError):
    """The connection was closed before a request was sent."""

    def __init__(self) -> None:
        super().__init__("This client is closed.", hint="Make a new one: Tasks(configuration=…).")


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A stream to open. Told `Opened`, or None where nothing answered."""

    request: Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The head of the answer to a stream's request. `at` is in seconds of a clock that never goes back."""

    status: int
    content_type: str
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A wait of at most so many seconds for the next bytes of the stream. Told `Heard`, or None at its end."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a stream brought in time: nothing where it was silent. `at` is of the same clock as that of `Opened`."""

    content: bytes = field(repr=False)
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """The stream is no longer wanted."""


def exchange(request: Request) -> Generator[Request | Pause, Response | None, Response]:
    """Yield one request and return its response."""
    response = yield request
    assert response is not None, "a request is answered by a response"
    return response


def path_of(*segments: str) -> str:
    """Join path segments, each quoted so that an id can never change the path."""
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise UsageError(f"`{segment}` cannot be an id of the remote.", hint="Check the agent or run id.")
        if not is_unicode(segment):
            raise UsageError("An id holds characters that cannot be sent.", hint="Check the agent or run id.")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def is_sendable(text: str) -> bool:
    """Tell whether a header can carry a text as it is: visible ASCII, and spaces within it."""
    return bool(text) and text == text.strip() and text.isascii() and text.isprintable()


def is_unicode(text: str) -> bool:
    """Tell whether a URL can carry a text: half of a surrogate pair cannot be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
