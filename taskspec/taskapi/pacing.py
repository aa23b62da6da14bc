"""Pacing: how long a request has to wait so that no window of time holds too many. Has no clock, never waits."""

from collections import deque

from taskspec.errors import UsageError

MINUTE, HOUR = 60.0, 3600.0
SLACK = 0.25
"""A request may travel faster than the one before it: each window is this much longer, in seconds."""


class Pace:
    """The requests of the last minute and hour, and until when a remote has asked for silence.

    Times are seconds of one clock that never goes back. Whoever shares one among threads locks it.
    """

    def __init__(self, per_minute: int | None = None, per_hour: int | None = None) -> None:
        given = ((per_minute, MINUTE), (per_hour, HOUR))
        self._windows = tuple((most, seconds + SLACK) for most, seconds in given if most is not None)
        if any(most < 1 for most, _ in self._windows):
            raise UsageError("A limit of requests must be at least 1.", hint="Leave it out to have no limit.")
        self._sent: deque[float] = deque(maxlen=max((most for most, _ in self._windows), default=0))
        self._silent_until = 0.0

    def reserve(self, now: float) -> float:
        """Take a place in the windows for one request and return 0, or take none and return the seconds to wait first.

        Nothing is taken ahead of its time, so that whoever gives up while waiting leaves nothing behind.
        """
        moment = max(now, self._silent_until)
        for most, seconds in self._windows:
            if len(self._sent) >= most:
                moment = max(moment, self._sent[-most] + seconds)
        if moment <= now:
            self._sent.append(now)
        return moment - now

    def hold(self, until: float) -> None:
        """Let nobody send before a moment."""
        self._silent_until = max(self._silent_until, until)

    @property
    def is_limited(self) -> bool:
        """Tell whether requests are limited at all, but for the silences of the remote."""
        return bool(self._windows)
