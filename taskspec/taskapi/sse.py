"""Server-sent events: bytes in, events out, at whatever places the bytes are cut. Knows no tasks.

Source: the HTML standard, "Interpreting an event stream".
"""

from dataclasses import dataclass

MAX_EVENT = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """One event of a stream; `id` is the last one that the stream told."""

    type: str = "message"
    data: str = ""
    id: str = ""


class EventParser:
    """Turns the chunks of one stream into events; an event larger than `max_event` bytes is left out and counted."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self.left_out = 0
        self._max_event = max_event
        self._fragments: list[bytes] = []
        self._data: list[bytes] = []
        self._type = b""
        self._id = b""
        self._held = 0
        self._line_size = 0
        self._too_large = False
        self._after_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take the next bytes and return the events that they complete."""
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_return = False
        if not chunk:
            return []
        self._after_return = chunk.endswith(b"\r")
        events = []
        for piece in chunk.splitlines(keepends=True):
            self._keep(piece)
            if piece.endswith((b"\n", b"\r")):
                event = self._line(b"".join(self._fragments).rstrip(b"\r\n"))
                self._fragments.clear()
                self._line_size = 0
                if event is not None:
                    events.append(event)
        return events

    def _keep(self, piece: bytes) -> None:
        self._line_size += len(piece)
        if self._held + self._line_size > self._max_event:
            self._too_large = True
            self._data.clear()
        if not self._too_large:
            self._fragments.append(piece)
            return
        blank = not self._fragments and not piece.strip(b"\r\n")
        self._fragments[:] = [] if blank else [b":"]

    def _line(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._held += len(value)
        elif name == b"event":
            self._type = value
        elif name == b"id" and b"\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, kind = self._data, self._type
        self._data, self._type, self._held = [], b"", 0
        if self._too_large:
            self._too_large = False
            self.left_out += 1
            return None
        if not data:
            return None
        return ServerEvent(
            type=kind.decode(errors="replace") or "message",
            data=b"\n".join(data).decode(errors="replace"),
            id=self._id.decode(errors="replace"),
        )
