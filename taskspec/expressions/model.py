"""What a wrong expression says, and how much one may do. Evaluates nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 4_000
"""How many characters an expression may have."""
DEEPEST: Final = 100
"""How many levels of parts within parts an expression may have."""
MAX_WORK: Final = 500_000
"""How much one evaluation may do: a part that is evaluated is 1, and so is a character or an item that is read."""
MAX_SIZE: Final = 1_000_000
"""How many characters a text, or items a list, may have that an expression makes."""
MAX_BITS: Final = 1_024
"""How many bits a whole number may have that an expression computes."""

Matcher = Callable[[str, str], bool]
"""Tells whether a text matches a pattern, in time that is linear in the text; raises ValueError for a bad pattern."""


class WrongExpressionError(ValueError):
    """An expression cannot be read, or has no value; `line` and `column` (from 1) are places in its text."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class Fault(Exception):  # noqa: N818  # it never leaves this room: whoever evaluates a part knows its place
    """What is wrong with a part of an expression, without its place."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Meter:
    """How much work is left; several evaluations may share one."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left

    def spend(self, amount: int = 1) -> None:
        """Take some work off; raise Fault where none is left."""
        self.left -= amount
        if self.left < 0:
            raise Fault("it takes too much work")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What functions work with."""

    meter: Meter
    matches: Matcher


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint: the known name that is closest, or all where they are few."""
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=1, cutoff=0.6)
    if found:
        return f"Did you mean `{found[0]}`?"
    few = ", ".join(f"`{one}`" for one in known[:12])
    return f"Known: {few}{' …' if len(known) > 12 else ''}." if few else ""
