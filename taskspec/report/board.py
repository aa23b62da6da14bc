"""The standing of an apply while it works: what is active, what is waited for, what is left. Draws nothing.

It is made of the plan and of the events, and knows no time but that of the clock it is given.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from graphlib import TopologicalSorter
from typing import Final

from taskspec.address import Address
from taskspec.events import (
    ApplyStarted,
    ChangeDecided,
    ChangeFinished,
    Event,
    OutcomeUnknown,
    RetryScheduled,
    RunAdopted,
    RunCreated,
    RunEnded,
    RunStatusChanged,
    RunStopped,
)
from taskspec.health import Health
from taskspec.plan.estimates import Spread
from taskspec.plan.model import Action, Change, Plan
from taskspec.taskapi.records import AgentExecutionStatus as Status


class Phase(IntEnum):
    """How far an open change is, the most interesting first."""

    NEEDS_INPUT = 0
    LATE = 1  # it executes for longer than nine of ten runs before it
    SETTLING = 2  # nobody knows yet whether the remote has its run
    EXECUTING = 3
    BACKOFF = 4  # the next attempt is due after a pause
    PENDING = 5  # the remote has its run, which has not begun
    READY = 6  # nothing but a place among the runs is missing
    WAITING = 7  # others have to be accepted before

    @property
    def word(self) -> str:
        """Return what a person reads."""
        return self.name.lower().replace("_", " ")


ACTIVE: Final = frozenset(phase for phase in Phase if phase < Phase.READY)
"""The phases in which something is under way."""
_FOLLOWING: Final = frozenset({Action.WAIT, Action.ADOPT, Action.SETTLE})
"""The actions that follow a run which is there, or may be: how long it takes is not estimated."""


@dataclass(slots=True)
class _Item:
    change: Change
    phase: Phase
    agent: str
    generation: int
    attempt: int
    status: str = ""
    since: float | None = None
    """When its run was first seen to execute."""
    due: float | None = None
    """When what is waited for is over."""

    @property
    def likely(self) -> Spread | None:
        return self.change.estimate.seconds if self.change.estimate else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One open change as it stands at a moment; times in seconds, None where nobody knows or nothing is to be said."""

    address: Address
    agent: str
    phase: Phase
    status: str
    """The remote's own word for it; nothing where there is none."""
    generation: int
    attempt: int
    elapsed: float | None = None
    likely: Spread | None = None
    countdown: float | None = None
    behind: tuple[Address, ...] = ()
    """What it waits for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """How long the rest is likely to take: `seconds` of what is known; `unknown` runs come on top."""

    seconds: float | None
    unknown: int


class Board:
    """A listener that keeps the standing of every open change."""

    def __init__(self, plan: Plan, parallelism: int, now: Callable[[], float]) -> None:
        self._now = now
        self._places = max(parallelism, 1)
        self._items = {change.address: self._item(change, plan.created_at) for change in plan.pending}
        self._order = _in_order(self._items)
        self._needing: dict[Address, Row] = {}
        self._began = now()
        self.planned = len(self._items)
        self.tokens: int | None = None
        """What the runs that have ended have used, as far as the remote tells."""
        self.version = 0
        """Rises with each event that changes something here."""

    @property
    def finished(self) -> int:
        """Return how many of the planned changes are finished."""
        return self.planned - len(self._items)

    @property
    def elapsed(self) -> float:
        """Return the seconds since the apply began."""
        return self._now() - self._began

    def on(self, event: Event) -> None:
        """Follow an event; one of an address that was not planned changes nothing."""
        match event:
            case ApplyStarted():
                self._began = self._now()
            case ChangeFinished():
                self._finish(event)
            case RunEnded(tokens=int(tokens)) if tokens > 0:
                self.tokens = (self.tokens or 0) + tokens
            case _:
                pass
        item = self._items.get(getattr(event, "address", Address("")))
        if item is not None:
            self._move(item, event)
        self.version += 1

    def rows(self) -> list[Row]:
        """Return what is open, the most interesting first, and what was longest so before others."""
        now = self._now()
        rows = [*self._needing.values(), *(self._row(item, now) for item in self._items.values())]
        return sorted(rows, key=lambda row: (row.phase, -(row.elapsed or 0.0), row.countdown or 0.0, row.address))

    def left(self) -> Left:
        """Return the time left: the p50 of what remains, over the places, and no less than the longest chain of it."""
        now, places = self._now(), self._places
        ends: dict[Address, float] = {}
        total, known, unknown = 0.0, 0, 0
        for address in self._order:
            item = self._items.get(address)
            if item is None:
                continue
            remaining = _remaining(item, now)
            if remaining is None:
                unknown += 1
            elif item.change.paid:
                known += 1
            total += remaining or 0.0
            before = max((ends.get(other, 0.0) for other in item.change.after), default=0.0)
            ends[address] = before + (remaining or 0.0)
        if unknown and not known:
            return Left(seconds=None, unknown=unknown)
        return Left(seconds=max([total / places, *ends.values()]), unknown=unknown)

    def _item(self, change: Change, planned_at: float) -> _Item:
        phase = Phase.WAITING if change.conditional else Phase.READY
        item = _Item(change, phase, change.agent, change.generation, change.attempt)
        seen = change.observed
        if seen is not None and change.action in _FOLLOWING:
            self._see(item, seen.status)
            if item.since is not None and seen.started_at is not None:
                item.since -= max(0.0, planned_at - seen.started_at)
        return item

    def _move(self, item: _Item, event: Event) -> None:
        match event:
            case ChangeDecided(action=action):
                item.phase, item.status = Phase.READY, action
            case RunCreated():
                item.agent, item.generation, item.attempt = event.agent, event.generation, event.attempt
                self._see(item, Status.Pending)
            case RunAdopted():
                self._see(item, Status.Pending)
            case RunStatusChanged(status=status):
                self._see(item, status)
            case RetryScheduled(attempt=attempt, seconds=seconds):
                item.attempt = attempt
                self._rest(item, Phase.BACKOFF, seconds)
            case OutcomeUnknown(seconds=seconds):
                self._rest(item, Phase.SETTLING, seconds)
            case RunEnded(status=status):
                self._rest(item, Phase.READY, 0.0)
                item.status = status
            case RunStopped():
                self._rest(item, Phase.READY, 0.0)
            case _:
                pass

    def _see(self, item: _Item, status: str) -> None:
        item.status, item.due = status, None
        match status:
            case Status.Executing:
                item.phase = Phase.EXECUTING
                item.since = self._now() if item.since is None else item.since
            case Status.Paused:
                item.phase, item.since = Phase.NEEDS_INPUT, None
            case _:
                item.phase, item.since = Phase.PENDING, None

    def _rest(self, item: _Item, phase: Phase, seconds: float) -> None:
        item.phase, item.status, item.since, item.due = phase, "", None, self._now() + seconds

    def _finish(self, event: ChangeFinished) -> None:
        item = self._items.pop(event.address, None)
        if item is not None and event.health is Health.NEEDS_INPUT:
            item.phase, item.since = Phase.NEEDS_INPUT, None
            self._needing[event.address] = self._row(item, self._now())

    def _row(self, item: _Item, now: float) -> Row:
        elapsed = max(0.0, now - item.since) if item.since is not None else None
        likely = item.likely
        phase = item.phase
        if phase is Phase.EXECUTING and likely is not None and elapsed is not None and elapsed > likely.p90:
            phase = Phase.LATE
        behind: tuple[Address, ...] = ()
        if phase is Phase.WAITING:
            behind = tuple(other for other in item.change.after if other in self._items)
            phase = phase if behind else Phase.READY
        countdown = (
            max(0.0, item.due - now) if item.due is not None and phase in {Phase.BACKOFF, Phase.SETTLING} else None
        )
        return Row(
            address=item.change.address,
            agent=item.agent,
            phase=phase,
            status=item.status,
            generation=item.generation,
            attempt=item.attempt,
            elapsed=elapsed,
            likely=likely,
            countdown=countdown,
            behind=behind,
        )


def counted(rows: Iterable[Row]) -> Mapping[Phase, int]:
    """Return how many rows are in each phase, the most interesting phase first."""
    found = Counter(row.phase for row in rows)
    return {phase: found[phase] for phase in Phase if found[phase]}


def _remaining(item: _Item, now: float) -> float | None:
    """Return how long a change is likely to take from now on; None where nobody knows."""
    if not item.change.paid:
        return None if item.change.action in _FOLLOWING else 0.0
    likely = item.likely
    if likely is None:
        return None
    elapsed = now - item.since if item.since is not None else 0.0
    if elapsed > likely.p90:
        return None
    pause = max(0.0, item.due - now) if item.due is not None else 0.0
    return max(0.0, likely.p50 - elapsed) + pause


def _in_order(items: Mapping[Address, _Item]) -> tuple[Address, ...]:
    """Return the addresses, each behind what it waits for."""

    def nodes() -> Iterator[tuple[Address, list[Address]]]:
        for address, item in items.items():
            yield address, [other for other in item.change.after if other in items]

    return tuple(TopologicalSorter(dict(nodes())).static_order())
