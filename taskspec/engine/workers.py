"""The register of workers and of the runs that are lent to them, by a clock that is told. Performs no I/O.

A worker is a program of the project's author that takes runs over HTTP. A loan ends with its run; where its worker
is lost, or never begins, it becomes due, and whoever keeps the register takes the run back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

SLOTS = 6
"""How many runs a worker of the published SDK carries out at once."""

_NEVER = float("-inf")
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
    rested_at: float = _NEVER
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
        self.missed, self.rested_at = 0, _NEVER


@dataclass(kw_only=True, slots=True)
class Loan:
    """A run that a worker has; `deadline` is set when the worker begins a run that may take only so long."""

    run: str
    worker: Worker
    since: float
    timeout: float | None = None
    claimed: bool = False
    deadline: float | None = None


class Register:
    """Who is here, and who has what."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.workers: dict[str, Worker] = {}
        self._loans: dict[str, Loan] = {}

    @property
    def loans(self) -> Mapping[str, Loan]:
        """Return what is lent, by run."""
        return self._loans

    def join(self, id_: str, agent: str, now: float) -> Worker:
        """Register a worker; it takes over the runs of a program that lives and has lost its stream."""
        worker = Worker(id=id_, agent=agent, heard=now, patience=self._patience, grace=self._patience.grace)
        former = next((each for each in self._former(agent) if each.homeless), None)
        self.workers[id_] = worker
        if former is not None:
            for loan in self.loans_of(former):
                loan.worker = worker
            del self.workers[former.id]
        return worker

    def is_unclear(self, agent: str, now: float) -> bool:
        """Tell whether a worker that comes now may be the one whose stream ended: its heartbeat will say so."""
        former = [each for each in self._former(agent) if not each.is_given_up(now)]
        return bool(former) and not any(each.homeless for each in former)

    def leave(self, id_: str, now: float) -> None:
        """Note the end of a worker's stream; without runs it is forgotten."""
        worker = self.workers.get(id_)
        if worker is not None:
            worker.left = now if worker.left is None else worker.left
            self._forget_idle(worker)

    def farewell(self, id_: str) -> None:
        """Note that a worker has finished: whatever it still has is due at once."""
        worker = self.workers.get(id_)
        if worker is not None:
            worker.left = worker.heard = _NEVER
            self._forget_idle(worker)

    def hear(self, id_: str, now: float, *, busy: bool | None = None) -> None:
        """Note a sign of life, and whether the worker takes more runs where it says so."""
        worker = self.workers.get(id_)
        if worker is None or worker.left == _NEVER:
            return
        worker.heard = now
        if busy is not None:
            worker.busy = busy
        if busy is False:
            worker.wake()

    def serves(self, agent: str, now: float) -> bool:
        """Tell whether any worker is here for an agent, free or not."""
        return any(True for _ in self._present(agent, now))

    def free(self, agent: str, now: float) -> Worker | None:
        """Return the worker that is to get the next run of an agent: the one with the fewest."""
        ready = (each for each in self._present(agent, now) if not each.busy and now >= each.rested_at)
        counts = {worker.id: len(self.loans_of(worker)) for worker in ready}
        least = min(counts, key=counts.__getitem__, default=None)
        return self.workers[least] if least is not None and counts[least] < SLOTS else None

    def lend(self, run: str, worker: Worker, now: float, timeout: float | None = None) -> Loan:
        """Note that a worker gets a run."""
        loan = self._loans[run] = Loan(run=run, worker=worker, since=now, timeout=timeout)
        return loan

    def keep(self, run: str, id_: str, agent: str, now: float, timeout: float | None = None) -> None:
        """Note a new run that a worker has from the beginning, who may have left since then."""
        worker = self.workers.get(id_)
        if worker is None:
            self.adopt(run, id_, agent, now, timeout)
        else:
            self.lend(run, worker, now, timeout)

    def adopt(self, run: str, id_: str, agent: str, now: float, timeout: float | None = None) -> None:
        """Note a run that a worker has had since before this register: it counts as begun."""
        worker = self.workers.get(id_)
        if worker is None:
            worker = self.workers[id_] = Worker(
                id=id_, agent=agent, heard=_NEVER, left=now, patience=self._patience, grace=self._patience.revival
            )
        self._begin(self.lend(run, worker, now, timeout), now)

    def claim(self, run: str, now: float) -> None:
        """Note that a worker spoke of its run: it has begun, and lives."""
        loan = self._loans.get(run)
        if loan is None:
            return
        self.hear(loan.worker.id, now)
        if not loan.claimed:
            loan.worker.wake()
            self._begin(loan, now)

    def end(self, run: str) -> None:
        """Note that a worker has a run no longer."""
        loan = self._loans.pop(run, None)
        if loan is not None:
            self._forget_idle(loan.worker)

    def due(self, now: float) -> list[tuple[Loan, Due]]:
        """Return the loans that are to be taken back, and why."""
        found = ((loan, self.why_due(loan, now)) for loan in self._loans.values())
        return [(loan, why) for loan, why in found if why is not None]

    def why_due(self, loan: Loan, now: float) -> Due | None:
        """Return why a loan is to be taken back, or None where it is not, or is over."""
        if not self.holds(loan):
            return None
        if loan.deadline is not None and now >= loan.deadline:
            return Due.TIMED_OUT
        if loan.worker.is_given_up(now):
            return Due.LOST
        if not loan.claimed and now >= loan.since + loan.worker.patience.claim:
            return Due.UNCLAIMED
        return None

    def holds(self, loan: Loan) -> bool:
        """Tell whether a loan is not over: its run may have been lent again since then."""
        return self._loans.get(loan.run) is loan

    def loans_of(self, worker: Worker) -> list[Loan]:
        """Return what a worker has."""
        return [loan for loan in self._loans.values() if loan.worker is worker]

    def _begin(self, loan: Loan, now: float) -> None:
        loan.claimed = True
        loan.deadline = None if loan.timeout is None else now + loan.timeout

    def _present(self, agent: str, now: float) -> Iterable[Worker]:
        return (
            worker
            for worker in self.workers.values()
            if worker.agent == agent and worker.left is None and now < worker.lost_at()
        )

    def _former(self, agent: str) -> Iterable[Worker]:
        return (worker for worker in self.workers.values() if worker.agent == agent and worker.left is not None)

    def _forget_idle(self, worker: Worker) -> None:
        if worker.left is not None and not self.loans_of(worker):
            self.workers.pop(worker.id, None)
