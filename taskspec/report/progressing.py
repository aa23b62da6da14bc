"""Lines of progress where nothing can be drawn: a log in which nothing was said for a while is told how far it is."""

import threading
from collections.abc import Callable
from typing import Final

from taskspec.events import ApplyFinished, ApplyStarted, Event
from taskspec.report.board import Board
from taskspec.report.narrating import Narrator
from taskspec.report.table import progress
from taskspec.report.text import Paint

EVERY: Final = 30.0
"""So many seconds of silence are borne."""


class Progress:
    """A view that writes the narrator's lines, and one of its own after each silence."""

    def __init__(
        self,
        write: Callable[[str], None],
        board: Board,
        narrator: Callable[[Callable[[str], None]], Narrator],
        paint: Paint,
        now: Callable[[], float],
    ) -> None:
        self._really_write = write
        self._board = board
        self._paint = paint
        self._now = now
        self._last: float | None = None
        """When something was said last; None where nothing is awaited."""
        self._writing = threading.RLock()
        self._closed = threading.Event()
        self._narrator = narrator(self._write)
        self._waiter = threading.Thread(target=self._wait, name="progress", daemon=True)
        self._waiter.start()

    def on(self, event: Event) -> None:
        """Write what the narrator has to say."""
        with self._writing:
            self._board.on(event)
            if isinstance(event, ApplyStarted):
                self._last = self._now()
            self._narrator.on(event)
            if isinstance(event, ApplyFinished):
                self._last = None

    def close(self) -> None:
        """End; every line is written already."""
        self._closed.set()
        self._waiter.join()
        self._narrator.close()

    def speak(self) -> float:
        """Write how far it is, where the silence was long enough; return in how many seconds it may be so."""
        with self._writing:
            if self._last is None:
                return EVERY
            silent = self._now() - self._last
            if silent < EVERY:
                return EVERY - silent
            self._write(self._paint(f"  {progress(self._board)}", "dim"))
            return EVERY

    def _write(self, line: str) -> None:
        self._really_write(line)
        if self._last is not None:
            self._last = self._now()

    def _wait(self) -> None:
        pause = EVERY
        while not self._closed.wait(pause):
            try:
                pause = self.speak()
            except OSError:  # nobody reads any more: whoever writes the next line hears of it
                return
