"""What time it is at a server, out of the dates of its answers, each true to a second. Asks no server and no clock."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

RESOLUTION: Final = 1.0
"""A `Date` header has whole seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Between which seconds a server's clock is ahead of our own, which never goes back."""

    least: float
    most: float
    at: float
    """When this was last confirmed, by our own clock."""

    def earliest(self, now: float) -> float:
        """Return a time that it is at the server for certain, while it is `now` by our own clock."""
        return now + self.least

    def latest(self, now: float) -> float:
        """Return a time that it is not past at the server, while it is `now` by our own clock."""
        return now + self.most


def heard(known: Bounds | None, date: str, *, asked: float, answered: float) -> Bounds | None:
    """Return what is known after an answer, asked for and come at moments of our own clock; None without a date.

    The server wrote the date between the two. Dates that fit together narrow the bounds; where they do not, the
    server's clock was set, or another server answers, and the newest counts.
    """
    try:
        seconds = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return known
    found = Bounds(least=seconds - answered, most=seconds + RESOLUTION - asked, at=answered)
    if known is None:
        return found
    least, most = max(known.least, found.least), min(known.most, found.most)
    return Bounds(least=least, most=most, at=answered) if least < most else found
