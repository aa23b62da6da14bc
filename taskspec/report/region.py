"""A region at the foot of a terminal: drawn again in its place, and lines written above it. Knows no event.

Whatever it writes is one piece, so that no half of it is ever seen. Where the terminal has become narrower, it is
taken to have wrapped what stood there, as terminals do today.
"""

from collections.abc import Callable, Sequence
from typing import Final, TextIO

from taskspec.report.wrapping import without_styles, wrapped

_HIDE: Final = "\x1b[?25l"
_SHOW: Final = "\x1b[?25h"
_BEGIN: Final = "\x1b[?2026h"
_END: Final = "\x1b[?2026l"
"""Terminals that know synchronized output show what is between the two at once; others leave it out."""

Size = tuple[int, int]
"""Columns and lines."""


class Region:
    """The last lines of a terminal; not safe to be used by two threads at once."""

    def __init__(self, stream: TextIO, size: Callable[[], Size]) -> None:
        self._stream = stream
        self._size_of = size
        self._shown: tuple[str, ...] = ()
        self._widths: tuple[int, ...] = ()
        self._size: Size = (0, 0)
        self._is_open = True
        self._put(_HIDE)

    def draw(self, lines: Sequence[str]) -> None:
        """Let the region be these lines; each has to be narrower than the terminal."""
        size = self._size_of()
        if self._is_open and (tuple(lines) != self._shown or size != self._size):
            self._put(_BEGIN + self._erased(size[0]) + self._drawn(lines, size) + _END)

    def above(self, lines: Sequence[str], region: Sequence[str]) -> None:
        """Write lines above the region, which stay, and draw the region under them."""
        size = self._size_of()
        text = "".join(line + "\n" for line in wrapped(lines, size[0]))
        if self._is_open:
            text = _BEGIN + self._erased(size[0]) + text + self._drawn(region, size) + _END
        self._put(text)

    def close(self) -> None:
        """Take the region away, and give the cursor back; lines can still be written."""
        if self._is_open:
            self._is_open = False
            self._put(self._erased(self._size_of()[0]) + _SHOW)

    def _drawn(self, lines: Sequence[str], size: Size) -> str:
        self._shown, self._size = tuple(lines), size
        self._widths = tuple(map(_width, lines))
        return "\n".join(lines)

    def _erased(self, columns: int) -> str:
        """Return what takes away the lines that are drawn, and leaves the cursor where the first one began."""
        if not self._widths:
            return ""
        rows = sum(max(1, -(-width // max(columns, 1))) for width in self._widths)
        self._shown, self._widths = (), ()
        return "\r\x1b[2K" + "\x1b[1A\x1b[2K" * (rows - 1)

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _width(line: str) -> int:
    from rich.cells import cell_len

    return cell_len(without_styles(line))
