"""When the stream of one task calls for a look at the task's status, and when it is dead. Has no clock."""

SILENCE = 10.0
"""After so many seconds without an event the task's status is read, while the stream stays open."""
FARTHEST_LOOK = 60.0
"""The longest time between two looks at the status, however much a stream tells."""
AGAIN = 2.0
"""So many seconds after a status that denies the end which the stream told, it is read again."""
DEAD = 45.0
"""A stream that brings no byte for so long, not even a keep-alive, is given up."""


class Vigil:
    """When one stream is due for a look at the task's status, and when it is dead. Times are those of its answers."""

    def __init__(self, now: float) -> None:
        self._bytes_at = self._quiet_since = self._looked_at = now
        self._distance = SILENCE

    def heard(self, now: float) -> None:
        """Note that bytes came."""
        self._bytes_at = now

    def told(self, now: float) -> None:
        """Note that they held an event."""
        self._quiet_since, self._distance = now, SILENCE

    def looked(self, now: float, *, again: bool = False) -> None:
        """Note a look at the status: the next one is farther away, until an event comes, or near (`again`)."""
        self._quiet_since = self._looked_at = now
        self._distance = AGAIN if again else min(2 * self._distance, FARTHEST_LOOK)

    def is_due(self, now: float) -> bool:
        """Tell whether the status is to be read."""
        return now >= self._due

    def is_dead(self, now: float) -> bool:
        """Tell whether the stream is to be given up."""
        return now >= self._bytes_at + DEAD

    def left(self, now: float) -> float:
        """Return the seconds until either is true."""
        return max(0.0, min(self._due, self._bytes_at + DEAD) - now)

    @property
    def _due(self) -> float:
        return min(self._quiet_since + self._distance, self._looked_at + FARTHEST_LOOK)
