"""Flows over calls: repeating what may be repeated, with growing, jittered pauses. Has no clock and no dice."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from taskspec.errors import OutcomeUnknownError, ProtocolError, RemoteError, UnreachableError
from taskspec.taskapi.classifying import RATE_LIMITED, is_transient, requested_wait
from taskspec.taskapi.messages import Call, ClosedError, Pause, Request, Response, T, TooLargeError, exchange

P = ParamSpec("P")
Step = TypeVar("Step")
Told = TypeVar("Told")

READS = frozenset({"GET", "HEAD"})
LONGEST_WAIT = 60.0
"""A remote that asks to wait longer than this, in seconds, is not waited for: its refusal is the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How often and how slowly a request is repeated. Times in seconds."""

    jitter: Callable[[], float]
    """A number in [0, 1) at each call; the driver brings the dice."""
    attempts: int = 4
    first: float = 0.5
    longest: float = LONGEST_WAIT

    def pause(self, failures: int, stated: float | None = None) -> float | None:
        """Return the pause after so many failures in a row, or None to give up."""
        if failures >= self.attempts or (stated is not None and stated > self.longest):
            return None
        jittered = min(self.longest, self.first * 2.0 ** (failures - 1)) * self.jitter()
        return jittered if stated is None else stated + self.first * self.jitter()


def advance(steps: Generator[Step, Told, T], told: Told | RemoteError | ClosedError) -> Step:
    """Tell a generator what came of its last step (None at first), and return its next one."""
    return steps.throw(told) if isinstance(told, RemoteError | ClosedError) else steps.send(told)


def reading(make: Callable[P, Call[T]]) -> Callable[P, Call[T]]:
    """Make a call that only reads say so: where no usable answer came, nothing was changed (UnreachableError)."""

    @wraps(make)
    def read(*args: P.args, **kwargs: P.kwargs) -> Call[T]:
        try:
            return (yield from make(*args, **kwargs))
        except ProtocolError:
            raise
        except OutcomeUnknownError as error:
            raise UnreachableError(error.message, hint=error.hint, status=error.status, detail=error.detail) from error

    return read


def until_sent(request: Request, patience: Patience) -> Call[Response]:
    """Send a request that may not be sent twice, again only where no byte of it left."""
    failures = 0
    while True:
        try:
            return (yield from exchange(request))
        except UnreachableError:
            failures += 1
            pause = None if request.repeatable else patience.pause(failures)
            if pause is None:
                raise
        yield Pause(seconds=pause)


def retrying(call: Call[T], patience: Patience) -> Call[T]:
    """Run a call, repeating each of its repeatable requests while a later try may succeed.

    Each request has its own count, so that a long list is not read again from its first page.
    """
    told: Response | RemoteError | ClosedError | None = None
    while True:
        try:
            step = advance(call, told)
        except StopIteration as end:
            value: T = end.value
            return value
        told = None
        if isinstance(step, Pause):
            yield step
            continue
        try:
            told = yield from _patiently(step, patience)
        except (UnreachableError, OutcomeUnknownError, ClosedError) as error:
            told = error


def _patiently(request: Request, patience: Patience) -> Call[Response]:
    failures, unsettled = 0, False
    while True:
        try:
            response = yield from exchange(request)
        except ClosedError as error:
            if not unsettled or request.method in READS:
                raise
            text = f"The client was closed before an answer came ({request.method} {request.path})."
            raise OutcomeUnknownError(text, hint="Look at what it was to change before you repeat it.") from error
        except (UnreachableError, OutcomeUnknownError) as error:
            failures += 1
            unsettled = unsettled or isinstance(error, OutcomeUnknownError)
            helps = request.repeatable and not isinstance(error, TooLargeError)
            pause = patience.pause(failures) if helps else None
            if pause is None and unsettled and isinstance(error, UnreachableError):
                raise OutcomeUnknownError(error.message, hint=error.hint) from error
            if pause is None:
                raise
        else:
            if not (request.repeatable and is_transient(response)):
                return response
            failures += 1
            unsettled = unsettled or response.status != RATE_LIMITED
            pause = patience.pause(failures, requested_wait(response))
            if pause is None:
                return response
        yield Pause(seconds=pause)
