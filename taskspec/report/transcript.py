"""What a run said and did, in words: messages of its activity log, and events of its stream. Asks nobody."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from taskspec.report.text import indented, one_line, visible
from taskspec.taskapi.records import TaskEvent


def message_lines(message: Any) -> Iterator[str]:
    """Yield a message of an activity log; an unknown kind is shown as it came."""
    match message:
        case {"role": str(role), "content": {"text": str(text)}}:
            yield f"{visible(role)}:"
            yield indented(text, 2)
        case {"tool_name": str(tool), **rest}:
            yield f"tool {visible(tool)}: {_short(rest.get('payload'))} → {_short(rest.get('result'))}"
        case {"title": str(title), "thought": str(thought)}:
            yield f"{visible(title)}: {visible(thought)}"
        case _:
            yield _short(message)


class Transcript:
    """The events of a stream, line by line; an answer that comes in pieces is put together.

    `noun` is what a task is called here, and `known` the id of the one whose stream it is: it need not be named.
    """

    def __init__(self, noun: str = "run", *, known: str | None = None) -> None:
        self._noun = noun
        self._known = known
        self._piece = ""

    def lines(self, event: TaskEvent) -> Iterator[str]:
        """Yield the lines that are complete with this event."""
        if event.type == "chunk" and isinstance(event.data, str):
            *whole, self._piece = (self._piece + event.data).split("\n")
            yield from (f"  {visible(line)}" for line in whole)
            return
        yield from self.rest()
        yield f"{_clock(event.time)} {self._said(event)}"

    def rest(self) -> Iterator[str]:
        """Yield what has come of a line that was not ended."""
        if self._piece:
            yield f"  {visible(self._piece)}"
            self._piece = ""

    def _said(self, event: TaskEvent) -> str:
        match event.data:
            case {"title": str(title), "thought": str(thought)}:
                return f"{visible(title)}: {visible(thought)}"
            case {"status": str(status), "id": str(run)}:
                return f"{visible(event.type)}: {self._named(run)}{visible(status)}"
            case {"tool_name": str(tool), **rest}:
                return f"{visible(event.type)} {visible(tool)}: {_short(rest.get('result', rest.get('payload')))}"
            case _:
                return f"{visible(event.type)}: {_short(event.data)}"

    def _named(self, run: str) -> str:
        return "" if run == self._known else f"{self._noun} {visible(run)} is "


def _clock(at: float | None) -> str:
    return "--:--:--" if at is None else datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _short(value: Any) -> str:
    if isinstance(value, Mapping) or not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return one_line(value)
