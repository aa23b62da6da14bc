"""How much a Markdown report tells: from everything that somebody reads to the bare reasons. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """How much is told of one thing; texts in characters."""

    text: int
    """Of a text in a block of its own."""
    rows: int
    """Of a difference."""
    line: int
    """Of a sentence."""
    items: int
    """Of a list."""
    both: bool = True
    """Whether both answers are shown, beside their difference."""


DETAILS: Final[Sequence[Detail]] = (
    Detail(text=20_000, rows=200, line=1_000, items=50),
    Detail(text=6_000, rows=100, line=600, items=30),
    Detail(text=2_000, rows=60, line=400, items=20),
    Detail(text=800, rows=25, line=300, items=10),
    Detail(text=300, rows=10, line=200, items=5, both=False),
)
"""From the most to the least."""
