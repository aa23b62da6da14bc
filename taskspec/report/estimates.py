"""What the runs of a plan are likely to take, in words. Computes nothing: what is not known is said to be unknown."""

from collections.abc import Callable, Iterator
from typing import Final

from taskspec.plan.estimates import Spread, Total
from taskspec.plan.estimating import total_seconds, total_tokens
from taskspec.plan.model import Change, Plan
from taskspec.report.text import Paint, duration, plural

SHORTEST: Final = 1.0
"""Seconds: of a shorter run, whose tokens nobody tells, nothing is said but in the sum."""


def total_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield what all runs of a plan are likely to take; nothing where it starts none."""
    if not plan.paid_runs:
        return
    tokens, seconds = total_tokens(plan), total_seconds(plan)
    if not tokens.known and not seconds.known:
        yield paint("  tokens and time unknown: there is no earlier run to tell", "dim")
        return
    yield paint(f"  {_sum(tokens, token_words, 'tokens')}; {_sum(seconds, duration, 'time')}", "dim")


def change_lines(change: Change, paint: Paint) -> Iterator[str]:
    """Yield what one run is likely to take, and on how many runs that rests; nothing where that says nothing."""
    found = change.estimate
    if found is None or (found.tokens is None and (found.seconds is None or found.seconds.p90 < SHORTEST)):
        return
    tokens, time = _spread(found.tokens, token_words, "tokens"), _spread(found.seconds, duration, "time")
    runs = max(spread.runs for spread in (found.tokens, found.seconds) if spread is not None)
    yield paint(f"      {tokens}; {time}; by {plural(runs, 'run')} before", "dim")


def _sum(total: Total, words: Callable[[float], str], what: str) -> str:
    """Return a sum, and of how many runs it is where that is not all."""
    if total.p50 is None or total.p90 is None:
        return f"{what} unknown"
    about = f"about {words(total.p50)}{_unit(what)} (p90 {words(total.p90)})"
    if not total.unknown:
        return about
    return f"{about} for {total.known} of {total.known + total.unknown} runs, {total.unknown} unknown"


def _spread(spread: Spread | None, words: Callable[[float], str], what: str) -> str:
    if spread is None:
        return f"{what} unknown"
    likely = f"about {words(spread.p50)}{_unit(what)}"
    return likely if spread.runs < 2 else f"{likely} (p90 {words(spread.p90)})"


def _unit(what: str) -> str:
    return " tokens" if what == "tokens" else " of run time"


def of_those_told(told: int, ended: int) -> str:
    """Return of how many runs a number of used tokens is, where that is not all of them; what is not told is no 0."""
    return f" by {told} of {ended} runs, {ended - told} unknown" if told < ended else ""


def token_words(count: float) -> str:
    """Return a number of tokens: `950`, `4.1k`, `40k`, `1.2M`."""
    if count < 1_000:
        return f"{count:.0f}"
    for size, unit in ((1_000, "k"), (1_000_000, "M")):
        if count < 9_950 * size / 1_000:
            return f"{count / size:.1f}{unit}"
        if count < 999_500 * size / 1_000:
            return f"{count / size:.0f}{unit}"
    return f"{count / 1_000_000:.0f}M"
