"""The port of everything that shows: a view hears events. Decides nothing."""

from typing import Protocol

from taskspec.events import Event


class View(Protocol):
    """Whoever listens to a command at work."""

    def on(self, event: Event) -> None:
        """Hear an event."""

    def close(self) -> None:
        """End: whatever was drawn stays readable."""
