"""What a worker is, what it has, and how long it is waited for. Performs no I/O, and knows no worker by name.

A worker is a program of the project's author that takes runs over HTTP.
"""

from dataclasses import dataclass
from enum import StrEnum

SLOTS = 6
"""How many runs a worker of the published SDK carries out at once."""

NEVER = float("-inf")
"""When a worker was heard of, or left, that is known to be gone."""
_LONGEST_REST = 4
"""How often a rest is doubled at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How many seconds a worker is waited for."""

    claim: float = 10.0
    """Until it begins a run."""
    silence: float = 10.0
    """Until it is lost, without a heartbeat; they come every two seconds."""
    grace: float = 3.0
    """Until the runs of a lost worker go to others: longer than a heartbeat takes to show that its program lives."""
    revival: float = 15.0
    """The same, for runs that it has from the engine before this one."""
    rest: float = 30.0
    """Until a worker that did not begin a run gets another; twice as long each time in a row."""
    work: float = 600.0
    """Until the work on a run that was stopped or took too long is over, where its worker does not say so."""


class Due(StrEnum):
    """Why a run is to be taken back from its worker."""

    LOST = "its worker died"
    UNCLAIMED = "its worker did not begin it"
    TIMED_OUT = "timed out"


@dataclass(kw_only=True, slots=True)
class Worker:
    """One registration. `left` is when its stream ended, if it did; `heard` when it last gave a sign of life.

    `busy` is what it says itself; it gets nothing before `rested_at` because it left `missed` runs in a row unbegun.
    """

    id: str
    agent: str
    heard: float
    left: float | None = None
    busy: bool = False
    missed: int = 0
    rested_at: float = NEVER
    patience: Patience
    grace: float

    @property
    def homeless(self) -> bool:
        """Tell whether its stream ended and its program has shown since then that it lives."""
        return self.left is not None and self.heard > self.left

    def lost_at(self) -> float:
        """Return the time from which on it counts as lost, where nothing more is heard of it."""
        return self.heard + self.patience.silence if self.left is None else max(self.left, self.heard)

    def is_given_up(self, now: float) -> bool:
        """Tell whether it was lost so long ago that its runs are to go to others."""
        return now >= self.lost_at() + self.grace

    def rest(self, now: float) -> None:
        """Let it get nothing for a while, because it did not begin a run; what it had besides counts no more."""
        if now < self.rested_at:
            return
        self.rested_at = now + self.patience.rest * 2 ** min(self.missed, _LONGEST_REST)
        self.missed += 1

    def wake(self) -> None:
        """Let it get runs again, because it takes them."""
        self.missed, self.rested_at = 0, NEVER


@dataclass(kw_only=True, slots=True)
class Loan:
    """A run that a worker has; `deadline` is set when the worker begins a run that may take only so long.

    `forgotten_at` is set when the loan is over and its worker may still be at work on the run.
    """

    run: str
    worker: Worker
    since: float
    timeout: float | None = None
    claimed: bool = False
    deadline: float | None = None
    sent: bool = False
    forgotten_at: float | None = None

    def linger(self, now: float) -> None:
        """Note that the run was taken away: its worker cannot be told, and may be at work on it for a while."""
        patience = self.worker.patience
        self.forgotten_at = now + (max(patience.work, self.timeout or 0) if self.claimed else patience.claim)

    def lingers(self, now: float) -> bool:
        """Tell whether the loan is over and its worker may still be at work on the run."""
        return self.forgotten_at is not None and now < self.forgotten_at and not self.worker.is_given_up(now)
