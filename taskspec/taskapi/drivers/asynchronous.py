"""The async driver: carries out calls over HTTP, in one event loop. Decides nothing of the API."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import Self

from taskspec.errors import OutcomeUnknownError, RemoteError, UnreachableError
from taskspec.taskapi.drivers.dialling import Dial, Limits, Trace
from taskspec.taskapi.drivers.pools import Pool, Stream
from taskspec.taskapi.flow import Patience, advance, retrying
from taskspec.taskapi.following import Following, follow
from taskspec.taskapi.messages import (
    Call,
    Close,
    ClosedError,
    Heard,
    Open,
    Opened,
    Pause,
    Read,
    Request,
    Response,
    T,
)
from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits


class Connection:
    """A remote that can be asked: runs calls, repeats what may be repeated, follows tasks.

    `trace` is told one line for each request; no key is ever in it. Use it in one event loop only.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        identity: RemoteIdentity,
        traits: Traits,
        *,
        trace: Trace | None = None,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self.identity = identity
        self._dial = Dial(endpoint, traits, limits, trace)
        self._pool = Pool(self._dial)
        self._gate = asyncio.Semaphore(limits.max_connections)
        self._queue = asyncio.Lock()
        self._patience = Patience(jitter=random.random)

    @property
    def traits(self) -> Traits:
        """In what the remote differs, as far as it has said."""
        return self._dial.traits

    @traits.setter
    def traits(self, traits: Traits) -> None:
        self._dial.traits = traits

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all sockets; a request that comes later raises UsageError."""
        await self._pool.aclose()

    async def run(self, call: Call[T]) -> T:
        """Carry out a call and return its value; raises what the call raises (RemoteError and below)."""
        told: Response | RemoteError | ClosedError | None = None
        with closing(retrying(call, self._patience)) as steps:
            while True:
                try:
                    step = advance(steps, told)
                except StopIteration as end:
                    value: T = end.value
                    return value
                told = await self._perform(step)

    async def events(self, task_id: str) -> AsyncGenerator[TaskEvent, None]:
        """Yield the events of a task as they come, each once, until it has ended; the last is `task_finished`.

        Reconnects by itself. Wrap it in `contextlib.aclosing` if you may leave it early.
        """
        following = Following(task_id, poll_interval=self.traits.poll_interval)
        told: Response | RemoteError | ClosedError | Opened | Heard | None = None
        with closing(follow(following, self._patience)) as steps, closing(Stream(self._pool)) as stream:
            while True:
                try:
                    step = advance(steps, told)
                except StopIteration:
                    return
                told = None
                match step:
                    case TaskEvent():
                        yield step
                    case Open(request=request):
                        await self._turn()
                        told = await stream.open(request)
                    case Read(seconds=seconds):
                        told = await stream.read(seconds)
                    case Close():
                        stream.close()
                    case _:
                        told = await self._perform(step)

    async def _perform(self, step: Request | Pause) -> Response | RemoteError | ClosedError | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._exchange(step)
        except (UnreachableError, OutcomeUnknownError, ClosedError) as error:
            return error

    async def _exchange(self, request: Request) -> Response:
        """Wait for a place and a turn, and send; only a punctual one spends its time by waiting for its turn."""
        loop = asyncio.get_running_loop()
        seconds, begun = self._dial.seconds(request), False
        try:
            waiting = asyncio.timeout(seconds if self._dial.counts_waiting(request) else None)
            async with waiting as limit, self._gate:
                end = limit.when()
                left = seconds if end is None else end - loop.time()
                if left <= 0:
                    raise self._dial.late(request, begun=False)
                if not request.punctual:
                    limit.reschedule(None)
                await self._turn()
                begun = True
                if end is not None and request.punctual:
                    left = max(0.0, end - loop.time())
                limit.reschedule(loop.time() + left)
                return await self._pool.exchange(request, left)
        except TimeoutError as error:
            raise self._dial.late(request, begun=begun) from error

    async def _turn(self) -> None:
        """Wait for the turn to send, behind whoever waits already."""
        if not self._queue.locked() and self._dial.turn() <= 0:
            return
        async with self._queue:
            wait = self._dial.turn()
            while wait > 0:
                await asyncio.sleep(wait)
                wait = self._dial.turn()
