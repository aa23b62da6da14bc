"""Deadlines of what blocks: one thread calls whatever ends a wait, when its time is over. Knows no sockets."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IDLE = 5.0
"""The thread ends when for so many seconds there was nothing to watch."""


class Deadline:
    """The end of one wait; `is_over` once it has come."""

    def __init__(self, at: float, end: Callable[[], None]) -> None:
        self.at = at
        self.end = end
        self.is_over = False


class Deadlines:
    """The waits of one connection."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: set[Deadline] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def within(self, seconds: float, end: Callable[[], None]) -> Iterator[Deadline]:
        """Call `end` from another thread if the block takes longer; never once it is left."""
        deadline = Deadline(time.monotonic() + seconds, end)
        with self._changed:
            self._open.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="taskspec-deadlines", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes_at:
                self._changed.notify()
        try:
            yield deadline
        finally:
            with self._changed:
                self._open.discard(deadline)

    def close(self) -> None:
        """End the thread as soon as nothing is watched."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for deadline in [deadline for deadline in self._open if deadline.at <= now]:
                    self._open.discard(deadline)
                    deadline.is_over = True
                    deadline.end()
                if self._closed and not self._open:
                    break
                idle = not self._open
                self._wakes_at = min((deadline.at for deadline in self._open), default=now + IDLE)
                self._changed.wait(self._wakes_at - now)
                if idle and not self._open:
                    break
            self._thread = None
