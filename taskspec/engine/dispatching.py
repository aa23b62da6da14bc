"""Who runs when: first come, first served, so many at once; and what ends a run early. Speaks no HTTP."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from taskspec.engine import agents, changing, endings, launching
from taskspec.engine.agents import INTERRUPTED, Cut, Leash
from taskspec.engine.changing import Ending, Run
from taskspec.engine.launching import Launch
from taskspec.engine.lending import Lender
from taskspec.engine.listening import Listener
from taskspec.engine.model import EngineConfig, Mode, RefusalError, Status
from taskspec.engine.processes import Tree, end_trees, started_at
from taskspec.engine.queueing import Queue
from taskspec.engine.runs import RunStore, utc_now
from taskspec.engine.streaming import MAX_UNWRITTEN, EventLog, task_event
from taskspec.engine.turns import messages
from taskspec.engine.uploads import UploadFolder

PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries to record what became of a run; after them the engine has failed."""
_logger = logging.getLogger("taskspec.engine")


class Dispatcher:
    """Starts waiting runs in their order and ends active ones. Used from the engine's event loop only."""

    def __init__(self, config: EngineConfig, mode: Mode, store: RunStore, log: EventLog) -> None:
        self._config = config
        self._store = store
        self._log = log
        self._uploads = UploadFolder(config.folder / "files")
        self._waiting = Queue()
        self._active: dict[str, Leash] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = mode is Mode.DISPATCH
        self._lost: set[str] = set()
        self.lender = Lender(config, store, log, self._uploads)
        self.lender.on_change, self.lender.on_return = self._fill, self._requeue
        self.closing = False
        """Whether nothing more will be started, because the engine ends or has failed."""
        self.failure: str | None = None
        """Why this engine answers no more requests: it could not record what became of a run."""

    async def active(self) -> int:
        """Return how many runs the engine still has to end: not what waits for an absent worker."""
        return await self._store.active(without=self.lender.stranded()) - len(self._lost)

    async def recover(self) -> None:
        """Record what a dead engine held as interrupted, after ending what is left of it; never run it again."""
        held = await self._store.held()
        if not held:
            return
        await end_trees([Tree(run=each.run, pid=each.pid, started=each.started) for each in held])
        for each in held:
            ending = endings.kept(self._folder(each.run)) or Ending(status=Status.ERROR, result=INTERRUPTED)
            await self._store.change(each.run, partial(changing.ended, ending=ending, now=utc_now()))
            self._clear(each.run)

    async def resume(self) -> None:
        """Queue the runs that an earlier engine accepted and never started, and go on with what it has lent."""
        if self._open:
            await self.lender.adopt()
            self._log.begin_again(await self._store.never_begun(MAX_UNWRITTEN))
            self._waiting.extend(await self._store.waiting())
            self._fill()

    def enqueue(self, agent: str, run: str) -> None:
        """Queue a new run of an agent."""
        if self._open:
            self._waiting.add(agent, run)
            self._fill()

    async def stop(self, run: str) -> dict[str, Any]:
        """Stop a run, and return its task when nothing of it runs any more."""
        leash = self._active.get(run)
        if leash is not None:
            leash.pull(Cut.STOPPED)
            await leash.done.wait()
        if run in self._lost:
            raise RefusalError(500, self.failure)
        after = await self._store.change(run, lambda found: changing.stopped(found, utc_now()))
        assert after is not None
        self._log.wake(run)
        self.lender.hear_of(after)
        return after.task

    async def interrupt(self) -> None:
        """Start nothing more, end every active run and record it as interrupted; what is lent stays lent."""
        self._open, self.closing = False, True
        self.lender.close()
        leashes = list(self._active.values())
        for leash in leashes:
            leash.pull(Cut.INTERRUPTED)
        for leash in leashes:
            await leash.done.wait()

    def _fill(self) -> None:
        while self._open and len(self._active) + self.lender.count < self._config.parallelism:
            found = self._waiting.take(self._can_start)
            if found is None:
                return
            agent, run = found
            if run in self._active or self.lender.has(run):
                continue  # stopped while it waited, and continued since then: it was queued twice
            if self.lender.can_take(agent):
                self.lender.lend(agent, run)
                continue
            leash = Leash(cut=asyncio.get_running_loop().create_future())
            self._active[run] = leash
            task = asyncio.create_task(self._run(run, leash))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _can_start(self, agent: str) -> bool:
        """Tell whether a run of an agent can start now: with a worker, where one is here, and else by its command."""
        if self.lender.serves(agent):
            return self.lender.can_take(agent)
        declared = self._config.agents.get(agent)
        return declared is None or bool(declared.command)

    def _requeue(self, agent: str, run: str) -> None:
        if self._open:
            self._waiting.add_first(agent, run)
            self._fill()

    async def _run(self, run: str, leash: Leash) -> None:
        try:
            await self._take_and_execute(run, leash)
        except sqlite3.Error as error:
            self._fail(run, f"the database failed ({error})")
        except Exception:
            _logger.exception("run %s could not be carried to its end; please report this", run)
            self._fail(run, "a bug; engine.log in its folder says more")
        finally:
            del self._active[run]
            leash.done.set()
            self._fill()

    def _fail(self, run: str, reason: str) -> None:
        """Serve and start nothing more, visibly; agents at work are carried to their ends."""
        self.failure = f"the engine could not record what became of run {run}: {reason}; the next engine records it"
        _logger.error("%s", self.failure)
        self._open, self.closing = False, True
        self.lender.close()
        self._lost.add(run)
        self._log.close()

    async def _take_and_execute(self, run: str, leash: Leash) -> None:
        if leash.cut.done():
            return
        endings.drop(self._folder(run))  # what an earlier turn left there is not this one's
        taken = await self._record(run, lambda found: changing.begun(found, utc_now()))
        if taken is None:
            return
        prepared = await self._prepared(taken)
        if leash.cut.done():
            stopped = leash.cut.result() is Cut.STOPPED
            await self._record(run, partial(changing.stopped, now=utc_now()) if stopped else changing.put_back)
            self._clear(run)
            return
        self._log.append(run, [task_event("task_updated", taken.task)])
        ending = prepared if isinstance(prepared, Ending) else await self._execute(run, prepared, leash)
        await self._record(run, lambda found: changing.ended(found, ending, utc_now()), ending)
        self._log.wake(run)
        self._clear(run)

    async def _record(self, run: str, decide: Callable[[Run], Run | None], ending: Ending | None = None) -> Run | None:
        """Store a change, patiently; an ending is kept beside the events before it is tried again."""
        kept = ending is None
        for pause in PAUSES:
            try:
                return await self._store.change(run, decide)
            except sqlite3.Error as error:
                _logger.warning("what became of run %s is not recorded yet: %s", run, error)
            kept = kept or await self._keep(run, ending)
            await asyncio.sleep(pause)
        return await self._store.change(run, decide)

    async def _thread(self, run: str) -> list[dict[str, str]]:
        """Return the messages of the earlier turns of a run, read patiently."""
        for pause in PAUSES:
            try:
                return messages(await self._store.earlier(run))
            except sqlite3.Error as error:
                _logger.warning("the earlier turns of run %s cannot be read yet: %s", run, error)
            await asyncio.sleep(pause)
        return messages(await self._store.earlier(run))

    async def _keep(self, run: str, ending: Ending | None) -> bool:
        assert ending is not None
        try:
            await asyncio.to_thread(endings.keep, self._folder(run), ending)
        except OSError as error:
            _logger.warning("the ending of run %s cannot be kept: %s", run, error)
            return False
        return True

    async def _prepared(self, taken: Run) -> Launch | Ending:
        task = taken.task
        if task["agent_id"] not in self._config.agents:
            return Ending(status=Status.FAILED, result=f"the project has no agent `{task['agent_id']}` any more")
        try:
            thread = [] if taken.continued_at is None else await self._thread(task["id"])
            return await asyncio.to_thread(launching.prepare, task, thread, self._config, self._uploads)
        except OSError as error:
            return Ending(status=Status.FAILED, result=f"the agent's files cannot be written: {error.strerror}")

    async def _execute(self, run: str, launch: Launch, leash: Leash) -> Ending:
        async def started(pid: int) -> None:
            try:
                await self._store.note_process(run, pid, started_at(pid))
            except sqlite3.Error as error:  # its tree is found by the run's id as well
                _logger.warning("the process of run %s is not recorded: %s", run, error)

        return await agents.execute(launch, leash, Listener(run, self._log), started)

    def _clear(self, run: str) -> None:
        try:
            launching.clear(run, self._config)
            endings.drop(self._folder(run))
        except OSError as error:  # what became of the run is recorded
            _logger.warning("what run %s was given to read could not be removed: %s", run, error)

    def _folder(self, run: str) -> Path:
        return self._config.folder / "runs" / run
