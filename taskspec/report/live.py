"""A live region for terminals: what runs now and for how long, under the lines of the narrator. Needs a terminal.

Lines and the region are written under one lock: each erases what the other has drawn, and has to know how high it is.
"""

import io
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from typing import Final, TextIO

from taskspec.events import Event
from taskspec.report.board import Board
from taskspec.report.narrating import Narrator
from taskspec.report.region import Region, Size
from taskspec.report.table import ASCII, UNICODE, Room, Signs, lines
from taskspec.report.text import Paint

TICK: Final = 0.125
"""The seconds between two looks at whether there is something new to draw."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """A terminal: where it is written to, how large it is at this moment, and its colours."""

    stream: TextIO
    size: Callable[[], Size]
    paint: Paint


class Live:
    """A view that keeps a table of what is open at the foot of the terminal."""

    def __init__(self, screen: Screen, board: Board, narrator: Callable[[Callable[[str], None]], Narrator]) -> None:
        self._screen = screen
        self._board = board
        self._signs = _signs(screen.stream)
        self._writing = threading.RLock()
        self._drawn: object = None
        self._frame: list[str] = []
        self._narrator = narrator(self._write)
        self._region = Region(screen.stream, screen.size)
        self._kept = ExitStack()
        if sys.stderr.isatty():
            above = _Above(self._write)
            self._kept.callback(above.close)
            self._kept.enter_context(redirect_stderr(above))
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="live region", daemon=True)
        self.draw()
        self._ticker.start()

    def on(self, event: Event) -> None:
        """Follow an event in the table, and write its line above."""
        with self._writing:
            self._board.on(event)
            self._narrator.on(event)

    def draw(self) -> None:
        """Draw the region as it is now, if anything of it has changed."""
        with self._writing:
            self._region.draw(self._lines())

    def close(self) -> None:
        """Take the region away; the lines stay."""
        self._closed.set()
        if self._ticker.ident is not None:
            self._ticker.join()
        self._kept.close()
        with self._writing:
            self._region.close()
        self._narrator.close()

    def _tick(self) -> None:
        while not self._closed.wait(TICK):
            try:
                self.draw()
            except OSError:  # the terminal is gone: whoever writes the next line hears of it
                return

    def _write(self, line: str) -> None:
        with self._writing:
            self._region.above([line], self._lines())

    def _lines(self) -> list[str]:
        """Return the region, made anew where there was an event, a second has passed, or the terminal has changed."""
        columns, height = self._screen.size()
        drawn = (self._board.version, int(self._board.elapsed), columns, height)
        if drawn != self._drawn:
            room = Room(width=columns - 1, height=height, signs=self._signs)
            self._frame, self._drawn = lines(self._board, room, self._screen.paint), drawn
        return self._frame


class _Above(io.TextIOBase):
    """Standard error while the region is there: what is written goes above it, line by line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write
        self._begun = ""

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._write(line)
        return len(text)

    def isatty(self) -> bool:
        return True

    def close(self) -> None:
        if self._begun:
            self._write(self._begun)
            self._begun = ""
        super().close()


def _signs(stream: TextIO) -> Signs:
    """Return the signs that a terminal of this encoding can show."""
    try:
        f"{UNICODE.full}{UNICODE.rest}{UNICODE.more}".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE
