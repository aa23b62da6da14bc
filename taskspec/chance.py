"""Chance: the clock and the dice as a value, handed in from outside. Reads neither itself."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """Seconds since the epoch, and a fresh random nonce, whenever asked."""

    now: Callable[[], float]
    nonce: Callable[[], str]
