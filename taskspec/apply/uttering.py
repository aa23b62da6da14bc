"""What a run says as lines: its answer as it is written, its thoughts, its tools. Asks nobody, and shows nothing.

No more of a line is held than is told of it, however long it is; no secret of the task is in it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.redacting import longest, without_in

LONGEST: Final = 2000
"""So many characters of a line are told."""
ANSWER: Final = "answer"

Said = tuple[str, str]
"""The kind of what was said, and one line of it."""


class Utterances:
    """The events of one run's stream, as what it said; its status is told elsewhere."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._secrets = secrets
        self._room = LONGEST + longest(secrets)
        """So much of a line is held: a secret that begins where it is cut has to be known again."""
        self._line = ""
        self._left_out = 0
        self._is_begun = False

    def of(self, event: TaskEvent) -> Iterator[Said]:
        """Yield the lines that are complete with this event."""
        if event.type == "chunk" and isinstance(event.data, str):
            yield from self._pieces(event.data)
            return
        match event.data:
            case {"status": str(), "id": str()}:
                return
            case {"title": str(title), "thought": str(thought)}:
                text = f"{title}: {thought}"
            case {"tool_name": str(tool), **rest}:
                text = f"{tool}: {_short(rest.get('result', rest.get('payload')))}"
            case _:
                text = _short(event.data)
        yield from self.rest()
        for line in text.split("\n"):
            yield event.type, self._told(line[: self._room], max(0, len(line) - self._room))

    def rest(self) -> Iterator[Said]:
        """Yield what has come of a line that was not ended."""
        if self._is_begun:
            yield self._ended()

    def _pieces(self, text: str) -> Iterator[Said]:
        start = 0
        while (end := text.find("\n", start)) >= 0:
            self._take(text, start, end)
            yield self._ended()
            start = end + 1
        if start < len(text):
            self._take(text, start, len(text))

    def _take(self, text: str, start: int, end: int) -> None:
        room = max(0, self._room - len(self._line))
        self._line += text[start : min(end, start + room)]
        self._left_out += max(0, end - start - room)
        self._is_begun = True

    def _ended(self) -> Said:
        line, left_out = self._line, self._left_out
        self._line, self._left_out, self._is_begun = "", 0, False
        return ANSWER, self._told(line, left_out)

    def _told(self, line: str, left_out: int) -> str:
        text = without_in(self._secrets, line.removesuffix("\r"))
        if not left_out and len(text) <= LONGEST:
            return text
        return f"{text[:LONGEST]}… ({left_out + max(0, len(text) - LONGEST):,} more characters)"


def _short(value: Any) -> str:
    if isinstance(value, Mapping) or not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
