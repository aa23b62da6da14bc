"""Who runs when: first come, first served, so many at once; and what ends a run early. Speaks no HTTP."""

import asyncio
import logging
from collections import deque
from typing import Any

from taskspec.engine import agents, changing, launching
from taskspec.engine.agents import INTERRUPTED, Cut, Leash
from taskspec.engine.changing import Ending
from taskspec.engine.listening import Listener
from taskspec.engine.model import EngineConfig, Mode, Status
from taskspec.engine.processes import Tree, end_trees, started_at
from taskspec.engine.runs import RunStore, utc_now
from taskspec.engine.streaming import EventLog, task_event
from taskspec.engine.uploads import UploadFolder

_logger = logging.getLogger("taskspec.engine")


class Dispatcher:
    """Starts waiting runs in their order and ends active ones. Used from the engine's event loop only."""

    def __init__(self, config: EngineConfig, mode: Mode, store: RunStore, log: EventLog) -> None:
        self._config = config
        self._store = store
        self._log = log
        self._uploads = UploadFolder(config.folder / "files")
        self._waiting: deque[str] = deque()
        self._active: dict[str, Leash] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = mode is Mode.DISPATCH

    @property
    def open(self) -> bool:
        """Tell whether runs are started."""
        return self._open

    async def recover(self) -> None:
        """Record what a dead engine held as interrupted, after ending what is left of it; never run it again."""
        held = await self._store.held()
        if not held:
            return
        await end_trees([Tree(run=each.run, pid=each.pid, started=each.started) for each in held])
        interrupted = Ending(status=Status.ERROR, result=INTERRUPTED)
        for each in held:
            await self._store.change(each.run, lambda run: changing.ended(run, interrupted, utc_now()))
            launching.clear(each.run, self._config)

    async def resume(self) -> None:
        """Queue the runs that an earlier engine accepted and never started."""
        if self._open:
            self._waiting.extend(await self._store.waiting())
            self._fill()

    def enqueue(self, run: str) -> None:
        """Queue a new run."""
        if self._open:
            self._waiting.append(run)
            self._fill()

    async def stop(self, run: str) -> dict[str, Any]:
        """Stop a run, and return its task when nothing of it runs any more."""
        leash = self._active.get(run)
        if leash is not None:
            leash.pull(Cut.STOPPED)
            await leash.done.wait()
        after = await self._store.change(run, lambda found: changing.stopped(found, utc_now()))
        assert after is not None
        self._log.wake(run)
        return after.task

    async def interrupt(self) -> None:
        """Start nothing more, end every active run and record it as interrupted."""
        self._open = False
        leashes = list(self._active.values())
        for leash in leashes:
            leash.pull(Cut.INTERRUPTED)
        for leash in leashes:
            await leash.done.wait()

    def _fill(self) -> None:
        while self._open and self._waiting and len(self._active) < self._config.parallelism:
            run = self._waiting.popleft()
            leash = Leash(cut=asyncio.get_running_loop().create_future())
            self._active[run] = leash
            task = asyncio.create_task(self._run(run, leash))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, run: str, leash: Leash) -> None:
        try:
            await self._take_and_execute(run, leash)
        except Exception:
            _logger.exception("run %s could not be carried to its end; the next engine records it", run)
        finally:
            del self._active[run]
            leash.done.set()
            self._fill()

    async def _take_and_execute(self, run: str, leash: Leash) -> None:
        if leash.cut.done():
            return
        taken = await self._store.change(run, lambda found: changing.begun(found, utc_now()))
        if taken is None:
            return
        if leash.cut.done():
            if leash.cut.result() is Cut.INTERRUPTED:
                await self._store.change(run, changing.put_back)
            return
        self._log.append(run, [task_event("task_updated", taken.task)])
        ending = await self._execute(taken.task, leash)
        await self._store.change(run, lambda found: changing.ended(found, ending, utc_now()))
        self._log.wake(run)
        launching.clear(run, self._config)

    async def _execute(self, task: dict[str, Any], leash: Leash) -> Ending:
        if task["agent_id"] not in self._config.agents:
            return Ending(status=Status.FAILED, result=f"the project has no agent `{task['agent_id']}` any more")
        try:
            launch = launching.prepare(task, self._config, self._uploads)
        except OSError as error:
            return Ending(status=Status.FAILED, result=f"the agent's files cannot be written: {error.strerror}")

        async def started(pid: int) -> None:
            await self._store.note_process(task["id"], pid, started_at(pid))

        return await agents.execute(launch, leash, Listener(task["id"], self._log), started)
