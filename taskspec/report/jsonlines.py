"""Events as JSON lines: one object an event, for machines. Hides nothing and shortens nothing."""

import json
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from taskspec.events import Event
from taskspec.report.text import in_json

FORMAT: Final = 1
"""The number of the lines' format; it rises when a field changes its meaning."""


class JsonLines:
    """A view that writes `{"format": 1, "event": "RunCreated", "time": …, …}` for each event."""

    def __init__(self, write: Callable[[str], None], now: Callable[[], str]) -> None:
        self._write = write
        self._now = now

    def on(self, event: Event) -> None:
        """Write an event as one line."""
        payload: dict[str, Any] = {"format": FORMAT, "event": type(event).__name__, "time": self._now()}
        for field in fields(event):
            payload[field.name] = _finite(getattr(event, field.name))
        self._write(in_json(json.dumps(payload, ensure_ascii=True, allow_nan=False, default=str)))

    def close(self) -> None:
        """End; every line is complete already."""


def _finite(value: Any) -> Any:
    """Return a value as it is; a number that JSON has no word for is one that nobody knows."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
