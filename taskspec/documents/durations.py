"""Durations as authors write them: `500ms`, `30s`, `15m`, `2h`, `7d`. Knows no clock."""

from typing import Final

_DIGITS: Final = 9
"""How many digits a duration may have, as in the schema of manifests."""
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """Return a duration in seconds; ValueError where it is none."""
    digits = text.rstrip("mshd")
    factor = _SECONDS.get(text[len(digits) :])
    if factor is None or not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
        raise ValueError(f"`{text}` is not a duration such as `30s`, `15m`, `2h` or `7d`")
    return int(digits) * factor


def written(duration: float) -> str:
    """Return a duration as an author would write it: in the largest unit of which it is a whole number."""
    milliseconds = round(duration * 1000)
    for unit, factor in reversed(_SECONDS.items()):
        size = round(factor * 1000)
        if milliseconds and not milliseconds % size:
            return f"{milliseconds // size}{unit}"
    return "0s"
