"""Estimates as values: what runs of one task have taken so far. Knows no plan, and computes nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one run took; None for what the remote did not tell."""

    seconds: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Of some runs of one task: half of them took at most `p50`, nine of ten at most `p90`; `runs` is how many."""

    p50: float
    p90: float
    runs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a run of a task is likely to take, by its own runs before; None where none of them is known."""

    seconds: Spread | None = None
    tokens: Spread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """The sum of what some runs are likely to take: of those that are `known`, so that `unknown` ones come on top."""

    p50: float | None
    """None where nothing is known: that is not 0."""
    p90: float | None
    """The sum of the p90 of each, which is more than the p90 of the sum."""
    known: int
    unknown: int
