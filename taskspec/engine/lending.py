"""Lends runs to workers, hears of them, and takes back what a lost worker had. Speaks no HTTP, decides no order."""

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from taskspec.engine import launching, loans
from taskspec.engine.changing import Run
from taskspec.engine.model import ORGANIZATION, EngineConfig, Turn
from taskspec.engine.runs import RunStore, utc_now
from taskspec.engine.streaming import EventLog, task_event
from taskspec.engine.uploads import UploadFolder
from taskspec.engine.wire import encoded
from taskspec.engine.workers import Due, Loan, Patience, Register, Worker

PROOF_SECONDS = 2.5
"""How long a worker's registration is held back to learn whether its program has runs already: one heartbeat."""
PATIENCE = Patience()
KEEP_ALIVE_SECONDS = 5.0
_TICK = 0.1
_KEEP_ALIVE = b": keep-alive\n\n"
_logger = logging.getLogger("taskspec.engine")


class Lender:
    """Keeps the register of workers and their streams. Used from the engine's event loop only."""

    def __init__(self, config: EngineConfig, store: RunStore, log: EventLog, uploads: UploadFolder) -> None:
        self._config = config
        self._store = store
        self._log = log
        self._uploads = uploads
        self._register = Register(PATIENCE)
        self._streams: dict[str, asyncio.Queue[bytes | None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._open = True
        self.on_change: Callable[[], None] = lambda: None
        """Called when there is a free place: a worker came, or a run ended."""
        self.on_return: Callable[[str, str], None] = lambda _agent, _run: None
        """Called with the agent and the id of a run that waits again."""

    @property
    def count(self) -> int:
        """Return how many runs are lent."""
        return len(self._register.loans)

    def has(self, run: str) -> bool:
        """Tell whether a run is lent."""
        return run in self._register.loans

    def serves(self, agent: str) -> bool:
        """Tell whether a worker is here for an agent, free or not."""
        return self._register.serves(agent, _now())

    def can_take(self, agent: str) -> bool:
        """Tell whether a worker can take a run of an agent now."""
        return self._register.free(agent, _now()) is not None

    def stranded(self) -> frozenset[str]:
        """Return the agents whose runs only a worker can carry out, where none is here."""
        return frozenset(
            name for name, agent in self._config.agents.items() if not agent.command and not self.serves(name)
        )

    async def adopt(self) -> None:
        """Go on with what workers had under the engine before; they find this one, or lose it."""
        for task in await self._store.lent():
            timeout = self._timeout(task["agent_id"])
            self._register.adopt(task["id"], str(task.get("worker_id")), task["agent_id"], _now(), timeout)
        self._look_after()

    def lend(self, agent: str, run: str) -> None:
        """Give a run to the worker of an agent that has the fewest; `can_take` was true."""
        worker = self._register.free(agent, _now())
        assert worker is not None
        self._register.lend(run, worker, _now(), self._timeout(agent))
        task = asyncio.create_task(self._deliver(run, worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def holder_named(self, agent: str, body: Mapping[str, Any]) -> str | None:
        """Return the worker for which a create call asks for a run that it carries out without being given it."""
        named = body.get("worker_id") if body.get("run_locally") is True else None
        worker = self._register.workers.get(named) if isinstance(named, str) else None
        return worker.id if worker is not None and worker.agent == agent else None

    def keep(self, task: Mapping[str, Any]) -> None:
        """Note a new run that its worker has from the beginning, where it is one."""
        worker = self._register.workers.get(task.get("worker_id") or "")
        if worker is not None:
            self._register.lend(task["id"], worker, _now(), self._timeout(task["agent_id"]))

    def hear_of(self, run: Run) -> None:
        """Note what a worker or another client made of a run."""
        name = run.task["id"]
        if name not in self._register.loans:
            return
        if run.turn is Turn.LENT:
            if run.task["started_at"] is not None:
                self._register.claim(name, _now())
                self._heard.set()
            return
        self._end(name)

    def hear(self, worker: str, *, busy: bool | None = None) -> None:
        """Note a worker's heartbeat, or whether it takes more runs."""
        self._register.hear(worker, _now(), busy=busy)
        self._heard.set()
        self.on_change()

    def farewell(self, worker: str) -> None:
        """Note that a worker has finished; its stream ends."""
        self._register.farewell(worker)
        stream = self._streams.get(worker)
        if stream is not None:
            stream.put_nowait(None)

    async def serve(self, agent: str) -> AsyncIterator[bytes]:
        """Yield a worker's stream as server-sent events: its registration, then the runs that it gets."""
        yield _KEEP_ALIVE
        await self._await_proof(agent)
        worker = self._register.join(str(uuid.uuid4()), agent, _now())
        stream = self._streams[worker.id] = asyncio.Queue()
        _logger.info("worker %s came for agent %s", worker.id, agent)
        try:
            yield _event("worker-registration", _asset(worker))
            self._look_after()
            self.on_change()
            while self._open:
                try:
                    item = await asyncio.wait_for(stream.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    item = _KEEP_ALIVE
                if item is None:
                    return
                yield item
        finally:
            del self._streams[worker.id]
            self._register.leave(worker.id, _now())
            _logger.info("worker %s of agent %s left", worker.id, agent)
            self.on_change()

    def close(self) -> None:
        """End every worker's stream and take nothing back any more: what is lent stays lent."""
        self._open = False
        self._heard.set()
        if self._watch is not None:
            self._watch.cancel()
        for stream in self._streams.values():
            stream.put_nowait(None)

    async def _await_proof(self, agent: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PROOF_SECONDS):
                while self._open and self._register.is_unclear(agent, _now()):
                    self._heard.clear()
                    await self._heard.wait()

    async def _deliver(self, run: str, worker: Worker) -> None:
        try:
            after = await self._store.change(run, partial(loans.lent, worker=worker.id))
            stream = self._streams.get(worker.id)
            if after is None:
                self._end(run)
            elif stream is not None:
                stream.put_nowait(_event("agent-execution", await self._with_files(after.task)))
        except (sqlite3.Error, OSError) as error:
            _logger.warning("run %s could not be given to worker %s: %s", run, worker.id, error)

    async def _with_files(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return a task with copies of its uploaded files in place of their digests."""
        files = task["input"]["files"]
        if not files:
            return task
        folder = (self._config.folder / "runs" / task["id"] / "files").absolute()
        placed = await asyncio.to_thread(self._uploads.place, files, folder)
        return {**task, "input": {**task["input"], "files": placed}}

    def _end(self, run: str) -> None:
        self._register.end(run)
        launching.clear(run, self._config)
        self.on_change()

    def _look_after(self) -> None:
        if self._open and (self._watch is None or self._watch.done()):
            self._watch = asyncio.create_task(self._watch_over())

    async def _watch_over(self) -> None:
        while self._register.loans or self._streams:
            await asyncio.sleep(_TICK)
            self.on_change()
            for loan, why in self._register.due(_now()):
                try:
                    await self._take_back(loan, why)
                except sqlite3.Error as error:
                    _logger.warning("run %s could not be taken back yet: %s", loan.run, error)

    async def _take_back(self, loan: Loan, why: Due) -> None:
        if why is Due.UNCLAIMED:
            loan.worker.busy = True  # it gets no more until it says that it has room
        decide = partial(loans.taken_back, why=why, now=utc_now(), limit=f"{loan.timeout or 0:g}s")
        after = await self._store.change(loan.run, decide)
        if self._register.loans.get(loan.run) is not loan:
            return
        self._end(loan.run)
        if after is None:
            return
        _logger.warning("run %s: %s; it is %s now", loan.run, why.value, after.task["status"])
        self._log.append(loan.run, [task_event("task_updated", after.task)])
        if after.turn is Turn.WAITING:
            self.on_return(loan.worker.agent, loan.run)

    def _timeout(self, agent: str) -> float | None:
        declared = self._config.agents.get(agent)
        return None if declared is None else declared.timeout


def _now() -> float:
    return asyncio.get_running_loop().time()


def _event(name: str, content: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {encoded(content)}\n\n".encode()


def _asset(worker: Worker) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": worker.id,
        "name": f"{worker.agent}-{worker.id[:8]}",
        "organization_id": ORGANIZATION,
        "type": "worker",
        "created_at": now,
        "created_by": None,
        "last_heartbeat": now,
        "configuration": None,
        "dedicated_agent_id": worker.agent,
        "parent_asset_id": None,
        "is_busy": False,
        "metadata": None,
    }
