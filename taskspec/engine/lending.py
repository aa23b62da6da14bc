"""Lends runs to workers, hears of them, and takes back what a lost worker had. Speaks no HTTP, decides no order."""

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from taskspec.engine import launching, loans, notices
from taskspec.engine.changing import Run
from taskspec.engine.model import EngineConfig, Turn
from taskspec.engine.register import Register
from taskspec.engine.runs import RunStore, utc_now
from taskspec.engine.streaming import EventLog, task_event
from taskspec.engine.uploads import UploadFolder
from taskspec.engine.workers import Due, Loan, Patience

PROOF_SECONDS = 2.5
"""How long a worker's registration is held back to learn whether its program has runs already: one heartbeat."""
PATIENCE = Patience()
PAUSE_SECONDS = 1.0
"""How long the engine waits after a failure before it tries to lend or take back the same run again."""
_TICK = 0.1
_logger = logging.getLogger("taskspec.engine")


class Lender:
    """Keeps the register of workers and their streams. Used from the engine's event loop only."""

    def __init__(self, config: EngineConfig, store: RunStore, log: EventLog, uploads: UploadFolder) -> None:
        self._config = config
        self._store = store
        self._log = log
        self._uploads = uploads
        self.register = Register(PATIENCE)
        self._streams = notices.Streams()
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._adopted = asyncio.Event()
        self._open = True
        self.on_change: Callable[[], None] = lambda: None
        """Called when there is a free place: a worker came, or a run ended."""
        self.on_return: Callable[[str, str], None] = lambda _agent, _run: None
        """Called with the agent and the id of a run that waits again."""

    @property
    def now(self) -> float:
        """Return the time by which workers are waited for."""
        return _now()

    @property
    def count(self) -> int:
        """Return how many runs are lent."""
        return len(self.register.loans)

    def has(self, run: str) -> bool:
        """Tell whether a run is lent."""
        return run in self.register.loans

    def serves(self, agent: str) -> bool:
        """Tell whether a worker is here for an agent, free or not."""
        return self.register.serves(agent, _now())

    def can_take(self, agent: str) -> bool:
        """Tell whether a worker can take a run of an agent now."""
        return self.register.free(agent, _now()) is not None

    def stranded(self) -> frozenset[str]:
        """Return the agents whose runs only a worker can carry out, where none is here."""
        agents = self._config.agents
        return frozenset(name for name in agents if not agents[name].command and not self.serves(name))

    async def adopt(self) -> None:
        """Go on with what workers had under the engine before; they find this one, or lose it."""
        for task in await self._store.lent():
            timeout = self._timeout(task["agent_id"])
            self.register.adopt(task["id"], str(task.get("worker_id")), task["agent_id"], _now(), timeout)
        self._adopted.set()
        self._look_after()

    def lend(self, agent: str, run: str) -> None:
        """Give a run to the worker of an agent that has the fewest; `can_take` was true."""
        worker = self.register.free(agent, _now())
        assert worker is not None
        self._begin(self._deliver(self.register.lend(run, worker, _now(), self._timeout(agent))))

    def keep(self, task: Mapping[str, Any]) -> None:
        """Note a new run that its worker has from the beginning, where it is one."""
        worker, agent = task.get("worker_id"), task["agent_id"]
        if worker:
            self.register.keep(task["id"], worker, agent, _now(), self._timeout(agent))
            self._look_after()

    def hear_of(self, run: Run, *, told: bool = False) -> None:
        """Note what a worker or another client made of a run; `told` where it may be the worker's word of its end."""
        if told:
            self.register.forget(run.task["id"])
        loan = self.register.loans.get(run.task["id"])
        if loan is None:
            return
        if run.turn in {Turn.OVER, Turn.CUT}:
            self._end(loan, told=told)
        elif run.turn is Turn.LENT and run.task["started_at"] is not None:
            self.register.claim(loan.run, _now())
            self._heard.set()

    def hear(self, worker: str, *, busy: bool | None = None) -> None:
        """Note a worker's heartbeat, or whether it takes more runs."""
        self.register.hear(worker, _now(), busy=busy)
        self._heard.set()
        self.on_change()

    def farewell(self, worker: str) -> None:
        """Note that a worker has finished; its stream ends."""
        self.register.farewell(worker)
        self._streams.end(worker)

    async def serve(self, agent: str) -> AsyncIterator[bytes]:
        """Yield a worker's stream as server-sent events: its registration, then the runs that it gets."""
        yield notices.KEEP_ALIVE
        await self._await_proof(agent)
        if not self._open:
            return
        worker = self.register.join(str(uuid.uuid4()), agent, _now())
        self._streams.open(worker.id)
        _logger.info("worker %s came for agent %s", worker.id, agent)
        try:
            for loan in self.register.loans_of(worker):
                self._begin(self._pass_on(loan))
            yield notices.registration(worker)
            self._look_after()
            self.on_change()
            while (notice := await self._streams.next(worker.id)) is not None:
                yield notice
        finally:
            self._streams.forget(worker.id)
            self.register.leave(worker.id, _now())
            _logger.info("worker %s of agent %s left", worker.id, agent)
            self.on_change()

    def close(self) -> None:
        """End every worker's stream and take nothing back any more: what is lent stays lent."""
        self._open = False
        self._heard.set()
        if self._watch is not None:
            self._watch.cancel()
        self._streams.close()

    async def _await_proof(self, agent: str) -> None:
        await self._adopted.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(PROOF_SECONDS):
                while self._open and self.register.is_unclear(agent, _now()):
                    self._heard.clear()
                    await self._heard.wait()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, loan: Loan) -> None:
        """Give a run to its worker; where that cannot be recorded, to one that is free a little later."""
        try:
            after = await self._store.change(loan.run, partial(loans.lent, worker=loan.worker.id))
            if after is None:
                self._end(loan)
            else:
                await self._hand_over(loan, after.task)
        except sqlite3.Error as error:
            _logger.warning("run %s could not be lent yet: %s", loan.run, error)
            self._end(loan)
            await asyncio.sleep(PAUSE_SECONDS)
            self.on_return(loan.worker.agent, loan.run)

    async def _hand_over(self, loan: Loan, task: dict[str, Any]) -> None:
        try:
            folder = self._config.folder.absolute() / "runs" / loan.run / "files"
            notice = await notices.execution(task, folder, self._uploads)
        except OSError as error:
            reason = f"the agent's files cannot be written: {error.strerror}"
            await self._settle(loan, partial(loans.undeliverable, reason=reason, now=utc_now()))
            return
        if not self.register.holds(loan):
            return
        loan.sent = self._streams.send(loan.worker.id, notice)
        if not loan.sent:
            await self._settle(loan, loans.undelivered)

    async def _pass_on(self, loan: Loan) -> None:
        """Record which worker has a run now, for the engine after this one."""
        try:
            await self._store.change(loan.run, partial(loans.passed_on, worker=loan.worker.id))
        except sqlite3.Error as error:
            _logger.warning("the new worker of run %s is not recorded: %s", loan.run, error)

    def _look_after(self) -> None:
        if self._open and (self._watch is None or self._watch.done()):
            self._watch = asyncio.create_task(self._watch_over())

    async def _watch_over(self) -> None:
        while self.register.loans or self._streams:
            await asyncio.sleep(_TICK)
            self.on_change()
            for loan, _ in self.register.due(_now()):
                try:
                    await self._take_back(loan)
                except Exception as error:  # noqa: BLE001 - whatever it is, the other runs have to be looked after
                    _logger.warning("run %s could not be taken back yet: %r", loan.run, error)
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _take_back(self, loan: Loan) -> None:
        why = self.register.why_due(loan, _now())
        if why is None:
            return
        if why is Due.UNCLAIMED:
            loan.worker.rest(_now())
        decide = partial(loans.taken_back, why=why, now=utc_now(), limit=f"{loan.timeout or 0:g}s")
        after = await self._settle(loan, decide)
        if after is not None:
            _logger.warning("run %s: %s; it is %s now", loan.run, why.value, after.task["status"])

    async def _settle(self, loan: Loan, decide: Callable[[Run], Run | None]) -> Run | None:
        """Store what becomes of a run whose loan is to end, and end it; return None where another has ended it."""
        after = await self._store.change(loan.run, decide)
        if not self.register.holds(loan) or (after is not None and after.turn is Turn.LENT):
            return None
        self._end(loan, again=after is not None and after.turn is Turn.WAITING)
        if after is not None:
            self._log.append(loan.run, [task_event("task_updated", after.task)])
        return after

    def _end(self, loan: Loan, *, again: bool = False, told: bool = False) -> None:
        """Note that a loan is over, and free its place, first for its own run where that is to be lent again."""
        if not self.register.holds(loan):
            return
        self.register.end(loan.run, _now(), told=told)
        try:
            launching.clear(loan.run, self._config)
        except OSError as error:
            _logger.warning("what run %s was given to read could not be removed: %s", loan.run, error)
        if again:
            self.on_return(loan.worker.agent, loan.run)
        self.on_change()

    def _timeout(self, agent: str) -> float | None:
        return self._config.agents[agent].timeout if agent in self._config.agents else None


def _now() -> float:
    return asyncio.get_running_loop().time()
