"""The register of workers and of the runs that are lent to them, by a clock that is told. Performs no I/O.

A loan ends with its run; where its worker is lost, or never begins, it becomes due, and whoever keeps the register
takes the run back. A loan that is over lingers as long as its worker may still be at work on the run.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from taskspec.engine.workers import NEVER, SLOTS, Due, Loan, Patience, Worker


class Register:
    """Who is here, and who has what."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.workers: dict[str, Worker] = {}
        self._loans: dict[str, Loan] = {}
        self._lingering: dict[str, Loan] = {}

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
            for loan in (*self.loans_of(former), *self._lingering_of(former)):
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
            worker.left = worker.heard = NEVER
            self._forget_idle(worker)

    def hear(self, id_: str, now: float, *, busy: bool | None = None) -> None:
        """Note a sign of life, and whether the worker takes more runs where it says so."""
        worker = self.workers.get(id_)
        if worker is None or worker.left == NEVER:
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

    def holder_named(self, agent: str, body: Mapping[str, Any]) -> str | None:
        """Return the worker for which a create call asks for a run that it carries out without being given it."""
        named = body.get("worker_id") if body.get("run_locally") is True else None
        worker = self.workers.get(named) if isinstance(named, str) else None
        return worker.id if worker is not None and worker.agent == agent else None

    def lend(self, run: str, worker: Worker, now: float, timeout: float | None = None) -> Loan:
        """Note that a worker gets a run."""
        self.forget(run)
        loan = self._loans[run] = Loan(run=run, worker=worker, since=now, timeout=timeout)
        return loan

    def keep(self, run: str, id_: str, agent: str, now: float, timeout: float | None = None) -> None:
        """Note a new run that a worker has from the beginning, who may have left since then."""
        worker = self.workers.get(id_)
        if worker is None:
            self.adopt(run, id_, agent, now, timeout)
        else:
            self.lend(run, worker, now, timeout).sent = True

    def adopt(self, run: str, id_: str, agent: str, now: float, timeout: float | None = None) -> None:
        """Note a run that a worker has had since before this register: it counts as begun."""
        worker = self.workers.get(id_)
        if worker is None:
            worker = self.workers[id_] = Worker(
                id=id_, agent=agent, heard=NEVER, left=now, patience=self._patience, grace=self._patience.revival
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

    def end(self, run: str, now: float, *, told: bool = False) -> None:
        """Note that a worker has a run no longer; where it has not told so itself, it may still be at work on it."""
        loan = self._loans.pop(run, None)
        if loan is None:
            return
        if not told and (loan.sent or loan.claimed):
            loan.linger(now)
            self._lingering[run] = loan
        self._forget_idle(loan.worker)

    def lingers(self, run: str, now: float) -> bool:
        """Tell whether a worker may still be at work on a run that it has no longer."""
        loan = self._lingering.get(run)
        return loan is not None and loan.lingers(now)

    def forget(self, run: str) -> None:
        """Note that no worker is at work on a run that it has no longer."""
        loan = self._lingering.pop(run, None)
        if loan is not None:
            self._forget_idle(loan.worker)

    def due(self, now: float) -> list[tuple[Loan, Due]]:
        """Return the loans that are to be taken back, and why; forget those that linger no longer."""
        for run in [run for run, loan in self._lingering.items() if not loan.lingers(now)]:
            self.forget(run)
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

    def _lingering_of(self, worker: Worker) -> list[Loan]:
        return [loan for loan in self._lingering.values() if loan.worker is worker]

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
        if worker.left is not None and not self.loans_of(worker) and not self._lingering_of(worker):
            self.workers.pop(worker.id, None)
