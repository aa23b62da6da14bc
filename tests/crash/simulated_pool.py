"""The way to the simulated remote, in the place of the pool of sockets: carries requests to their fates. Decides none.

Everything above it is the real client: deadlines, repetition, what an answer means.
"""

import asyncio
import json
from urllib.parse import unquote

from fates import ANSWERED, LATE

from taskspec.taskapi.messages import Request, Response

HEADERS = [("content-type", "application/json")]
KEEPS_KEYS = ("taskspec-capabilities", "idempotency-key")


class SimulatedPool:
    """What one process sends; `process` is told each step, and may die in it."""

    def __init__(self, dial, process) -> None:
        self._dial = dial
        self._process = process
        self._world = process.world
        self._headers = [*HEADERS, KEEPS_KEYS] if process.world.remote.honours_keys else HEADERS

    async def exchange(self, request: Request, left: float) -> Response:
        segments = [unquote(segment) for segment in request.path.split("/")[2:]]
        if request.method == "POST":
            return await self._create(request, segments[0], left)
        if request.method == "GET":
            return await self._look(request, segments)
        return await self._change(request, segments[0])

    async def aclose(self) -> None:
        """Close nothing."""

    async def _create(self, request, agent, left):
        world, process = self._world, self._process
        name, fate = world.faults.post()
        key = request.headers["idempotency-key"]
        process.step("post", key)
        run = None
        if fate.applies is not None:
            at = world.now + fate.applies + (left if fate.past_deadline else 0.0)
            for time in range(fate.times):
                run = world.take(agent, request.content, key, at, again=time > 0)
        process.step("sent", name)
        await self._travel(request, fate)
        process.step("answered", name)
        return self._answer(request, fate, lambda: run.row(world.now))

    async def _look(self, request, segments):
        world, process = self._world, self._process
        process.step("look", request.path)
        fate = world.faults.read()
        asked = world.now
        await self._travel(request, fate)
        process.step("seen", request.path)
        then = asked if fate is LATE else world.now
        if segments[0] == "executions":
            status = dict(request.query).get("status")
            return self._answer(request, fate, lambda: world.remote.listed(segments[2], status, then))
        found = world.remote.find(segments[0], then)
        return self._shown(request, fate, found, then)

    async def _change(self, request, run):
        world, process = self._world, self._process
        fate = world.faults.change()
        process.step(request.method.lower(), run)
        found = world.remote.find(run, world.now)
        if found is not None and (fate is ANSWERED or fate.applies is not None):
            if request.method == "DELETE":
                works = found.status(world.now) in {"executing", "paused"}
                found.stopped_at = min(found.stopped_at, world.now + (world.stopping if works else 0.0))
            else:
                found.titles.append(json.loads(request.content)["title"])
        process.step("changed", run)
        await self._travel(request, fate)
        return self._shown(request, fate, found)

    async def _travel(self, request, fate):
        if fate.heard is None:
            await asyncio.sleep(1e6)
        await asyncio.sleep(fate.after)
        if fate.heard == "refused":
            raise self._dial.unreachable(request, ConnectionRefusedError("refused"), "refused")
        if fate.heard == "cut":
            raise self._dial.broken(request, ConnectionResetError("cut"))

    def _shown(self, request, fate, found, then=None):
        if found is None and fate.heard == 200:
            return self._received(request, 404, {"detail": "no such task"})
        return self._answer(request, fate, lambda: found.row(then or self._world.now))

    def _answer(self, request, fate, honest):
        if fate.heard == "nonsense":
            return self._received(request, 200, {"hello": "world"})
        return self._received(request, fate.heard, honest() if fate.heard == 200 else {"detail": "trouble"})

    def _received(self, request, status, value):
        headers = [*self._headers, ("retry-after", "5")] if status == 429 else self._headers
        return self._dial.received(request, status, headers, json.dumps(value).encode(), 0.0)
