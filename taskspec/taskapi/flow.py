"""Flows over calls: repeating what may be repeated, with growing, jittered pauses. Has no clock and no dice."""

from collections.abc import Callable
from dataclasses import dataclass

from taskspec.errors import NotSentError, RemoteError, UnansweredError
from taskspec.taskapi.classifying import is_transient, requested_wait
from taskspec.taskapi.messages import Call, Pause, Request, Response, T, exchange


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How often and how slowly a request is repeated. Times in seconds."""

    jitter: Callable[[], float]
    """A number in [0, 1) at each call; the driver brings the dice."""
    attempts: int = 4
    first: float = 0.5
    longest: float = 60.0
    """A remote that asks to wait longer than this is not waited for: its refusal is the answer."""

    def pause(self, failures: int, stated: float | None = None) -> float | None:
        """Return the pause after so many failures in a row, or None to give up."""
        if failures >= self.attempts or (stated is not None and stated > self.longest):
            return None
        jittered = min(self.longest, self.first * 2.0 ** (failures - 1)) * self.jitter()
        return jittered if stated is None else stated + self.first * self.jitter()


def retrying(call: Call[T], patience: Patience) -> Call[T]:
    """Run a call, repeating each of its repeatable requests while a later try may succeed.

    Each request has its own count, so that a long list is not read again from its first page.
    """
    told: Response | None = None
    trouble: RemoteError | None = None
    while True:
        try:
            step = call.send(told) if trouble is None else call.throw(trouble)
        except StopIteration as end:
            value: T = end.value
            return value
        told, trouble = None, None
        if isinstance(step, Pause):
            yield step
            continue
        try:
            told = yield from _patiently(step, patience)
        except (NotSentError, UnansweredError) as error:
            trouble = error


def _patiently(request: Request, patience: Patience) -> Call[Response]:
    failures = 0
    while True:
        try:
            response = yield from exchange(request)
        except (NotSentError, UnansweredError):
            failures += 1
            pause = patience.pause(failures) if request.repeatable else None
            if pause is None:
                raise
        else:
            if not (request.repeatable and is_transient(response)):
                return response
            failures += 1
            pause = patience.pause(failures, requested_wait(response))
            if pause is None:
                return response
        yield Pause(seconds=pause)
