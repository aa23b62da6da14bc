"""A remote in real time that loses, delays and repeats, over real sockets, and kills its client at a byte it is told.

It lives in the process of the harness, so that it outlives every client. Shares no code with the engine or the client.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qs, urlsplit

from fates import ANSWERED, Fate
from fault_server import FaultServer, http
from remote_runs import Life, Runs

LAG = 0.3
"""Seconds until lists show a run."""
CREATE_TIMEOUT = 1.0
LATENESS = 0.4
QUIET_PERIOD = 2.5
"""More than lateness and lag, and than a busy machine takes to hand on what a killed client has sent."""
POSTS = {
    "answered": Fate(0.0, 200, 0.0),
    "lost": Fate(None, "cut", 0.0),
    "unheard": Fate(None, None),
    "503": Fate(None, 503, 0.0),
    "throttled": Fate(None, 429, 0.0),
    "cut": Fate(0.0, "cut", 0.0),
    "500 after": Fate(0.0, 500, 0.0),
    "silent": Fate(0.0, None),
    "nonsense": Fate(0.0, "nonsense", 0.0),
    "late": Fate(CREATE_TIMEOUT + LATENESS, None),
    "late, cut": Fate(CREATE_TIMEOUT, "cut", 0.0),
}
READS = (Fate(None, 503, 0.0), Fate(None, "cut", 0.0))


@dataclass
class FakeRemote:
    """Serves runs whose life is short; `rate` is how often something goes wrong."""

    random: Random
    honours_keys: bool = False
    rate: float = 0.5
    runs: Runs = None
    created: Callable = lambda run: None
    """Is told each new run before anything is answered."""
    die_in: int | None = None
    """So many bytes of the protocol from now the client is killed."""
    kill: Callable = lambda: None
    deadly: list = field(default_factory=list)
    """The fates of the next creates, each of which kills its client when the remote has it."""
    broken: list = field(default_factory=list)

    def __post_init__(self):
        self.runs = Runs(honours_keys=self.honours_keys, lag=LAG)

    def listening(self):
        return FaultServer(self._behave).listening()

    async def _behave(self, request, writer):
        self._count(len(request.body) + len(request.target))
        target = urlsplit(request.target)
        match request.method, [part for part in target.path.split("/") if part]:
            case "GET", ["agents", "list"]:
                await self._send(writer, 200, [{"id": "writer", "name": "writer", "organization_id": "o"}])
            case "POST", ["agent-execution", agent]:
                await self._create(agent, request, writer)
            case "GET", ["agent-execution", "executions", "history", agent]:
                status = parse_qs(target.query).get("status", [None])[0]
                await self._answer(writer, self._read(), lambda: self.runs.listed(agent, status, time.time()))
            case "GET", ["agent-execution", run, "status"]:
                await self._show(run, writer, self._read())
            case "DELETE", ["agent-execution", run]:
                found = self.runs.find(run, time.time())
                if found is not None:
                    found.stopped_at = min(found.stopped_at, time.time())
                await self._show(run, writer, ANSWERED)
            case _:
                await self._send(writer, 404, {"detail": "no such path"})

    async def _create(self, agent, request, writer):
        fate = POSTS[self.random.choice(list(POSTS))] if self.random.random() < self.rate else POSTS["answered"]
        deadly = bool(self.deadly)
        if deadly:
            fate = self.deadly.pop(0)
        run = None
        if fate.applies is not None:
            key = request.headers["idempotency-key"]
            life = Life(0.0, self.random.choice((0.0, 0.1, 0.5)))
            run, is_new = self.runs.apply(agent, request.body, key, time.time() + fate.applies, life)
            if is_new:
                try:
                    self.created(run)
                except AssertionError as error:
                    self.broken.append(str(error))
        if deadly:
            self.kill()
        await self._answer(writer, fate, lambda: run.row(time.time()))

    async def _show(self, run, writer, fate):
        found = self.runs.find(run, time.time())
        if found is None:
            await self._send(writer, 404, {"detail": "no such task"})
        else:
            await self._answer(writer, fate, lambda: found.row(time.time()))

    def _read(self):
        return self.random.choice(READS) if self.random.random() < self.rate / 5 else ANSWERED

    async def _answer(self, writer, fate, honest):
        match fate.heard:
            case None:
                await asyncio.sleep(CREATE_TIMEOUT * 2)
                writer.close()
            case "cut":
                writer.close()
            case "nonsense":
                await self._send(writer, 200, {"hello": "world"})
            case 200:
                await self._send(writer, 200, honest())
            case status:
                await self._send(writer, status, {"detail": "trouble"})

    async def _send(self, writer, status, value):
        said = {"taskspec_capabilities": "idempotency-key"} if self.honours_keys else {}
        content = http(status, value, **({"retry_after": 1} if status == 429 else {}), **said)
        cut = self.die_in
        if cut is not None and cut < len(content):
            writer.write(content[:cut])
            await writer.drain()
            self._count(cut + 1)
            return
        writer.write(content)
        self._count(len(content))

    def _count(self, size):
        if self.die_in is None:
            return
        self.die_in -= size
        if self.die_in < 0:
            self.die_in = None
            self.kill()
