"""Moments as text. Has no clock: seconds since the epoch are given to it."""

from datetime import UTC, datetime

NEVER = "at a moment that no calendar has"


def utc(seconds: float) -> str:
    """Return a moment for people, to the second, in UTC."""
    found = _moment(seconds)
    return NEVER if found is None else found.strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(seconds: float) -> str | None:
    """Return a moment for programs (ISO 8601, in UTC, to the millisecond); None for one that no calendar has."""
    found = _moment(seconds)
    return None if found is None else found.isoformat(timespec="milliseconds")


def seconds_of(text: str) -> float:
    """Return the seconds since the epoch of a moment as programs write it; raise ValueError for any other text."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} does not say of which time zone it is")
    return found.timestamp()


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
