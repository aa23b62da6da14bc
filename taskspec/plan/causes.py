"""Why something is planned, as values: reasons, the lines that caused them, and their commits. Decides nothing."""

from dataclasses import dataclass
from typing import NamedTuple

from taskspec.diagnostics import Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a change is planned: a stable code, a sentence, and the place in the documents that caused it."""

    code: str
    text: str
    position: Position | None = None
    """Line 0 is a file as a whole."""
    because: tuple["Reason", ...] = ()
    """What is behind it, as far as that is another thing than what stands at its place."""
    field: str = ""
    """The field of the task that it is about, where it is about one."""
    removed: str = ""
    """The line that is gone, where that is the cause: its place is where it stood."""

    @property
    def line(self) -> "CausingLine | None":
        """Return the line that caused it."""
        place = self.position
        return CausingLine(file=place.file, line=place.line, removed=self.removed) if place is not None else None


class CausingLine(NamedTuple):
    """A line of a file, or one that is gone from it; line 0 is the file as a whole."""

    file: str
    line: int
    removed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """The commit that last touched a line; without an id it is in no commit yet."""

    id: str = ""
    """Its hash, as short as git shows it."""
    author: str = ""
    at: str = ""
    """The day on which it was made: `2026-11-28`."""
