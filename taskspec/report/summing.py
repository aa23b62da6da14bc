"""Summing up: how many tasks stand how at the end, and which of them are not well. Counts nothing."""

from collections.abc import Iterator, Sequence

from taskspec.events import ChangeFinished, Effect
from taskspec.plan.model import Action
from taskspec.report.text import Paint, plural, some


def standings(accepted: int, unhealthy: int, needing: int, unknown: int, paint: Paint) -> Iterator[str]:
    """Yield how many tasks stand how at the end, as far as there are such."""
    if accepted:
        yield paint(f"{accepted} accepted", "good")
    if unhealthy:
        yield paint(f"{unhealthy} without an accepted result", "error")
    if needing:
        yield paint(f"{plural(needing, 'task')} waiting for a person", "warning")
    if unknown:
        yield paint(f"{unknown} unknown", "error")


def named(unwell: Sequence[ChangeFinished]) -> str:
    """Return the first of the tasks that are not well, each with how it ended."""
    return some([f"{event.address} ({ending_word(event)})" for event in unwell])


def ending_word(event: ChangeFinished) -> str:
    """Return how a change ended, in a word."""
    match event.effect:
        case Effect.DONE | Effect.LEFT if event.verdict is not None:
            return event.verdict
        case Effect.LEFT if event.action == Action.BLOCKED:
            return "blocked"
        case Effect.LEFT | Effect.FAILED | Effect.UNKNOWN if event.action == Action.HOLD:
            return "held"
        case Effect.LEFT:
            return "left as it is"
        case Effect.CUT:
            return "not finished"
        case _:
            return event.effect
