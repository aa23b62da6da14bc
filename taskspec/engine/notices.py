"""The streams of workers and what is sent on them: a registration, and the runs that a worker gets. Decides nothing."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskspec.engine.model import ORGANIZATION
from taskspec.engine.runs import utc_now
from taskspec.engine.uploads import UploadFolder
from taskspec.engine.wire import encoded
from taskspec.engine.workers import Worker

KEEP_ALIVE_SECONDS = 5.0
KEEP_ALIVE = b": keep-alive\n\n"


class Streams:
    """The open streams, by worker. Used from the engine's event loop only."""

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[bytes | None]] = {}
        self.closed = False

    def __len__(self) -> int:
        return len(self._queues)

    def open(self, worker: str) -> None:
        """Take what is sent to a worker from now on."""
        self._queues[worker] = asyncio.Queue()

    def forget(self, worker: str) -> None:
        """Drop a worker's stream, which has ended."""
        del self._queues[worker]

    async def next(self, worker: str) -> bytes | None:
        """Return what is sent to a worker next, or None when its stream ends."""
        if self.closed:
            return None
        try:
            return await asyncio.wait_for(self._queues[worker].get(), KEEP_ALIVE_SECONDS)
        except TimeoutError:
            return KEEP_ALIVE

    def send(self, worker: str, notice: bytes) -> bool:
        """Send a notice, and tell whether there is a stream that takes it."""
        queue = None if self.closed else self._queues.get(worker)
        if queue is not None:
            queue.put_nowait(notice)
        return queue is not None

    def end(self, worker: str) -> None:
        """Let a worker's stream end, where it has one."""
        queue = self._queues.get(worker)
        if queue is not None:
            queue.put_nowait(None)

    def close(self) -> None:
        """Let every stream end, and send no more."""
        self.closed = True
        for worker in self._queues:
            self.end(worker)


def registration(worker: Worker) -> bytes:
    """Return the notice that tells a worker its own id."""
    now = utc_now()
    asset = {
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
    return _event("worker-registration", asset)


async def execution(task: Mapping[str, Any], folder: Path, uploads: UploadFolder) -> bytes:
    """Return the notice that gives a run to a worker, with copies of its uploaded files in place of their digests."""
    files = task["input"]["files"]
    if files:
        placed = await asyncio.to_thread(uploads.place, files, folder)
        task = {**task, "input": {**task["input"], "files": placed}}
    return _event("agent-execution", task)


def _event(name: str, content: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {encoded(content)}\n\n".encode()
