"""Fitting: a table for a terminal, step by step with less in it, until it has room. Knows no terminal.

A table is a header and rows. One that is for no terminal has no width, and everything in it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from taskspec.report.text import columns, in_line

Table = Sequence[tuple[str, ...]]
Step = Callable[[Table, int], Table]
"""Makes a table narrower for a width."""
_DIGITS: Final = 8
"""So many characters of a run are shown where there is no room for all of them."""


def fitted(table: Table, width: int | None, *steps: Step) -> Table:
    """Return a table after as many of the steps as it needs to be no wider than told."""
    for step in steps:
        if width is None or width_of(table) <= width:
            break
        table = step(table, width)
    return table


def width_of(table: Table) -> int:
    """Return how many characters the longest line of a table has."""
    return max(map(len, columns(table)))


def without(title: str) -> Step:
    """Return the step that leaves a column out."""

    def step(table: Table, _width: int) -> Table:
        place = table[0].index(title)
        return [(*row[:place], *row[place + 1 :]) for row in table]

    return step


def shorter(title: str, short: Callable[[str], str]) -> Step:
    """Return the step that says less in each cell of a column."""

    def step(table: Table, _width: int) -> Table:
        place = table[0].index(title)
        return [table[0], *((*row[:place], short(row[place]), *row[place + 1 :]) for row in table[1:])]

    return step


def cut(title: str) -> Step:
    """Return the step that cuts a column to the room that the others leave; its title always stays."""

    def step(table: Table, width: int) -> Table:
        place = table[0].index(title)
        longest = max(len(row[place]) for row in table)
        room = max(longest - (width_of(table) - width), len(title))
        return shorter(title, lambda cell: in_line(cell, room))(table, width)

    return step


def first_word(cell: str) -> str:
    """Return what stands before the first space: of a moment the day."""
    return cell.partition(" ")[0]


def run_beginning(cell: str) -> str:
    """Return the generation that stands before a run, and the beginning of its id."""
    generation, _, run = cell.partition(" ")
    return f"{generation} {run[:_DIGITS]}".rstrip()
