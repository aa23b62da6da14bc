"""A live region for terminals: what runs now and for how long, under the lines of the narrator. Needs a terminal.

Lines and the region are written under one lock: each erases what the other has drawn, and has to know how high it is.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from taskspec.events import (
    ApplyStarted,
    ChangeDecided,
    ChangeFinished,
    Event,
    RunAdopted,
    RunCreated,
    RunEnded,
    RunStatusChanged,
)
from taskspec.plan.model import IDLE
from taskspec.report.narrating import Narrator
from taskspec.report.text import duration, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN = 12
"""How many active runs are listed at most."""
TICK = 0.125
"""The seconds between two drawings of the region."""


class Live:
    """A view that keeps a table of active runs at the foot of the terminal."""

    def __init__(self, stream: TextIO, narrator: Callable[[Callable[[str], None]], Narrator]) -> None:
        from rich.console import Console
        from rich.live import Live as Region

        self._active: dict[str, tuple[str, float]] = {}
        self._planned = 0
        self._finished = 0
        self._console = console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._narrator = narrator(self._write)
        self._region = Region(get_renderable=self._draw, console=console, auto_refresh=False, transient=True)
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._region.start(refresh=True)
        self._ticker = threading.Thread(target=self._tick, name="live region", daemon=True)
        self._ticker.start()

    def on(self, event: Event) -> None:
        """Follow an event in the table, and write its line above."""
        match event:
            case ApplyStarted(changes=changes):
                self._planned = changes
            case RunCreated(address=address) | RunAdopted(address=address):
                self._active[address] = ("pending", time.monotonic())
            case RunStatusChanged(address=address, status=status):
                began = self._active.get(address, ("", time.monotonic()))[1]
                self._active[address] = (status, began)
            case RunEnded(address=address):
                self._active.pop(address, None)
            case ChangeDecided(action=action):
                self._finished += action in IDLE
            case ChangeFinished(address=address, action=action):
                self._active.pop(address, None)
                self._finished += action not in IDLE
            case _:
                pass
        self._narrator.on(event)

    def close(self) -> None:
        """Take the region away; the lines stay."""
        self._closed.set()
        self._ticker.join()
        self._region.stop()
        self._narrator.close()

    def _tick(self) -> None:
        while not self._closed.wait(TICK):
            with self._writing:
                self._region.refresh()

    def _write(self, line: str) -> None:
        from rich.text import Text

        with self._writing:
            self._console.print(Text.from_ansi(line))

    def _draw(self) -> "RenderableType":
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for address, (status, began) in list(self._active.items())[:SHOWN]:
            table.add_row("  ▸", address, visible(status), duration(now - began))
        if len(self._active) > SHOWN:
            table.add_row("", f"… and {len(self._active) - SHOWN} more")
        table.add_row("", f"{self._finished} of {self._planned} finished")
        return table
