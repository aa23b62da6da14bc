"""Work on many items, shared with processes of its own where there are cores for them. Knows not what the work is.

A share that goes wrong in its process, in whatever way, is done again in this one: so sharing changes nothing but time.
"""

import marshal
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, Final, TypeVar

Item = TypeVar("Item")

FEWEST: Final = 2000
"""Below that a second process costs more than it spares."""
_MOST: Final = 4


def share(work: Callable[[Sequence[Item]], list[Any]], items: Sequence[Item]) -> list[Any]:
    """Return what the work makes of each item, in order: plain values, which go from process to process."""
    processes = _processes() if len(items) >= FEWEST else 1
    bounds = [len(items) * number // processes for number in range(processes + 1)]
    shares = [items[begin:end] for begin, end in pairwise(bounds)]
    others = [_Other(work, one) for one in shares[1:]]
    try:
        found = work(shares[0])
        for one, other in zip(shares[1:], others, strict=True):
            made = other.result()
            found += made if made is not None else work(one)
    finally:
        for other in others:
            other.end()
    return found


def _processes() -> int:
    """Return how many processes there may be; one where a copy of this one could be in an unsound state."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


class _Other:
    """A share of the work, done by a copy of this process."""

    def __init__(self, work: Callable[[Sequence[Item]], list[Any]], items: Sequence[Item]) -> None:
        self._pid: int | None = None
        self._pipe: int | None = None
        try:
            self._pipe, end = os.pipe()
        except OSError:
            return
        try:
            self._pid = os.fork()
        except OSError:
            os.close(end)
            return
        if self._pid == 0:
            _work_and_leave(work, items, end)
        os.close(end)

    def result(self) -> list[Any] | None:
        """Return what the process made; None where it did not come to its end."""
        if self._pid is None or self._pipe is None:
            return None
        with open(self._pipe, "rb", closefd=False) as pipe:  # a descriptor, no path
            content = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        self._pid = None
        found: list[Any] | None = marshal.loads(content) if status == 0 else None  # noqa: S302 - our own process
        return found

    def end(self) -> None:
        """Let go of the pipe, and of the process if nobody has waited for it."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._pid is not None:
            with suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._pid = None


def _work_and_leave(work: Callable[[Sequence[Item]], list[Any]], items: Sequence[Item], end: int) -> None:
    """Do the work, write what it gave, and end the process without a word, whatever happens."""
    try:
        content = marshal.dumps(work(items))
        with open(end, "wb") as pipe:  # a descriptor, no path
            pipe.write(content)
        os._exit(0)
    finally:
        os._exit(1)
