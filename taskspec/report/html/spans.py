"""When did what run: spans of time of each task, of its attempts or else of the events. Draws nothing.

Times are seconds since the epoch. The remote's clock and ours may differ: a span never ends before it begins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from taskspec.address import Address
from taskspec.events import RunCreated, RunEnded
from taskspec.report.account import Account, Kind, TaskTold
from taskspec.state.model import Attempt

QUIET: Final = 0.25
"""A time in which nothing ran is shortened where it is longer than this part of the time in which something did."""
BREAK: Final = 0.03
"""How much of the width a shortened time takes, at most."""
MOST_BREAKS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """One run: when it was asked for, when it began to work, and when it ended."""

    attempt: int
    asked: float
    began: float
    ended: float
    verdict: str | None
    """None while it goes on."""
    is_over: bool = True

    @property
    def waited(self) -> float:
        """Return how many seconds lay between asking and beginning."""
        return self.began - self.asked

    @property
    def worked(self) -> float:
        """Return how many seconds it worked."""
        return self.ended - self.began


def spans(account: Account) -> Mapping[Address, Sequence[Span]]:
    """Return the spans of each task that has some: those of the command, or of the newest generation where none is."""
    found = {task.address: tuple(_of_task(task, account)) for task in account.tasks}
    return {address: some for address, some in found.items() if some}


def critical_chain(account: Account, found: Mapping[Address, Sequence[Span]]) -> Sequence[Address]:
    """Return what the whole had to wait for: the task that ended last, before it what that waited for, and so on."""
    tasks = {task.address: task for task in account.tasks}
    last = max(found, key=lambda address: _end(found[address]), default=None)
    chain: dict[Address, None] = {}
    while last is not None and last not in chain:
        chain[last] = None
        before = [address for address in tasks[last].upstream if address in found and address in tasks]
        before = [address for address in before if _end(found[address]) <= found[last][-1].ended]
        last = max(before, key=lambda address: _end(found[address]), default=None)
    return [*chain][::-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Moments → places from 0 to 1; long times in which nothing ran are shortened, each to a break."""

    knots: Sequence[tuple[float, float]]
    """Moments and their places, in order; between two of them the time is even."""
    breaks: Sequence[tuple[float, float]] = ()
    """The moments between which time is shortened."""

    def place(self, moment: float) -> float:
        """Return where a moment is."""
        from bisect import bisect_right

        index = min(max(bisect_right(self.knots, (moment, 2.0)), 1), len(self.knots) - 1)
        (begin, left), (end, right) = self.knots[index - 1], self.knots[index]
        part = (moment - begin) / (end - begin) if end > begin else 0.0
        return left + min(max(part, 0.0), 1.0) * (right - left)


def scale(found: Mapping[Address, Sequence[Span]]) -> Scale:
    """Return the scale on which spans are shown; there is at least one."""
    busy = _merged(span for some in found.values() for span in some)
    total = sum(end - begin for begin, end in busy) or 1.0
    gaps = sorted(
        ((end, begin) for (_, end), (begin, _) in pairwise(busy) if begin - end > QUIET * total),
        key=lambda gap: gap[0] - gap[1],
    )
    breaks = sorted(gaps[:MOST_BREAKS])
    begin, end = busy[0][0], busy[-1][1]
    even = max(end - begin - sum(after - before for before, after in breaks), 1e-9)
    room = 1 - BREAK * len(breaks)
    knots, place, moment = [(begin, 0.0)], 0.0, begin
    for before, after in breaks:
        place += (before - moment) / even * room
        knots.append((before, place))
        place += BREAK
        knots.append((after, place))
        moment = after
    return Scale(knots=[*knots, (end, 1.0)], breaks=breaks)


def _merged(found: Iterable[Span]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in sorted((span.asked, span.ended) for span in found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _end(some: Sequence[Span]) -> float:
    return max(span.ended for span in some)


def _of_task(task: TaskTold, account: Account) -> Iterator[Span]:
    """Yield the spans of a task, in order."""
    attempts = [attempt for told in task.generations for attempt in told.attempts if attempt.counts]
    during = [attempt for attempt in attempts if _latest(attempt, account) >= account.began]
    if account.kind is Kind.APPLY:
        found = [_of_attempt(attempt, account) for attempt in during] or [*_of_events(task, account)]
    else:
        newest = next((told.attempts for told in task.generations if told.attempts), ())
        found = [_of_attempt(attempt, account) for attempt in newest if attempt.counts]
    yield from sorted(found, key=lambda span: (span.asked, span.attempt))


def _latest(attempt: Attempt, account: Account) -> float:
    if attempt.verdict is None:
        return account.ended
    return attempt.finished_at if attempt.finished_at is not None else attempt.intended_at


def _of_attempt(attempt: Attempt, account: Account) -> Span:
    is_over = attempt.verdict is not None
    asked = attempt.intended_at
    began = max(attempt.started_at if attempt.started_at is not None else asked, asked)
    ended = attempt.finished_at if attempt.finished_at is not None else (began if is_over else account.ended)
    return Span(
        attempt=attempt.number,
        asked=asked,
        began=began,
        ended=max(ended, began),
        verdict=attempt.verdict,
        is_over=is_over,
    )


def _of_events(task: TaskTold, account: Account) -> Iterator[Span]:
    """Yield what the events tell: a run ends with its verdict, or goes on."""
    begun: dict[str, tuple[float, int]] = {}
    for heard in task.heard:
        match heard.event:
            case RunCreated(run=run, attempt=attempt):
                begun[run] = (heard.at, attempt)
            case RunEnded(run=run, seconds=seconds, verdict=verdict):
                took = max(seconds or 0.0, 0.0)
                asked, attempt = begun.pop(run, (heard.at - took, 1))
                ended = max(heard.at, asked)
                began = max(ended - took, asked) if seconds is not None else asked
                yield Span(attempt=attempt, asked=asked, began=began, ended=ended, verdict=verdict)
    for asked, attempt in begun.values():
        ended = max(account.ended, asked)
        yield Span(attempt=attempt, asked=asked, began=asked, ended=ended, verdict=None, is_over=False)
