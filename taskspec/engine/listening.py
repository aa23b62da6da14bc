"""What is heard from a running agent: its answer, its errors, its own events. Writes them to the run's stream only."""

import codecs
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from taskspec.engine.decoding import decoded
from taskspec.engine.streaming import RESERVED, EventLog, envelope
from taskspec.engine.wire import accepted_tokens

MAX_ERRORS = 64 * 1024
MAX_STREAMED = 16 * 1024 * 1024
"""Bytes of standard error, and of an agent's own events, that go to the stream of one run."""
MAX_LINE = 1024 * 1024


class Listener:
    """Takes the bytes of one agent's pipes as they come; an empty piece says that the pipe has ended."""

    def __init__(self, run: str, log: EventLog) -> None:
        self._run = run
        self._log = log
        self._answer = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._errors: deque[str] = deque()
        self._errors_size = 0
        self._left_to_stream = MAX_STREAMED
        self._error_lines = Lines(self._hear_error)
        self._event_lines = Lines(self._hear_event)
        self.tokens: dict[str, int] | None = None

    def output(self) -> str:
        """Return the answer: what came on standard output, without one last line end."""
        text = self._answer.decode(errors="replace")
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")

    def last_errors(self, count: int) -> tuple[str, ...]:
        """Return the last lines of standard error."""
        return tuple(self._errors)[-count:]

    def hear_output(self, data: bytes, limit: int) -> bool:
        """Take a piece of the answer; tell whether the answer is still within the limit."""
        room = limit - len(self._answer)
        kept = data[:room]
        self._answer += kept
        text = self._decoder.decode(kept, final=not data)
        if text:
            self._log.append(self._run, [envelope(self._run, "chunk", text)])
        return len(data) <= room

    def hear_errors(self, data: bytes) -> None:
        """Take a piece of standard error."""
        self._append(self._error_lines.feed(data))

    def hear_events(self, data: bytes) -> None:
        """Take a piece of the agent's own events."""
        self._append(self._event_lines.feed(data))

    def _append(self, events: Iterable[dict[str, Any]]) -> None:
        heard = list(events)
        if heard:
            self._log.append(self._run, heard)

    def _hear_error(self, line: bytes) -> dict[str, Any] | None:
        text = line.decode(errors="replace").rstrip("\r")
        self._errors.append(text)
        self._errors_size += len(text)
        while self._errors_size > MAX_ERRORS and len(self._errors) > 1:
            self._errors_size -= len(self._errors.popleft())
        return self._streamed("think", {"title": "stderr", "thought": text}, len(line)) if text.strip() else None

    def _hear_event(self, line: bytes) -> dict[str, Any] | None:
        try:
            event = decoded(line)
        except ValueError:
            return None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str) or event["type"] in RESERVED:
            return None
        if event["type"] == "usage":
            self.tokens = accepted_tokens(event.get("data")) or self.tokens
            return None
        return self._streamed(event["type"], event.get("data"), len(line))

    def _streamed(self, kind: str, data: Any, size: int) -> dict[str, Any] | None:
        if self._left_to_stream <= 0:
            return None
        self._left_to_stream -= size
        if self._left_to_stream > 0:
            return envelope(self._run, kind, data)
        notice = f"the stream of one run holds {MAX_STREAMED // 1024 // 1024} MiB; the rest is left out"
        return envelope(self._run, "think", {"title": "taskspec", "thought": notice})


class Lines:
    """Cuts pieces into lines and gives each to `hear`; a line longer than the limit is cut."""

    def __init__(self, hear: Callable[[bytes], dict[str, Any] | None]) -> None:
        self._hear = hear
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return what was heard in the lines that this piece completes; an empty piece completes the last one."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (not data or len(self._rest) > MAX_LINE):
            lines.append(self._rest)
            self._rest = b""
        return [event for line in lines if (event := self._hear(line)) is not None]
