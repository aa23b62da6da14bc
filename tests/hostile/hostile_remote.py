"""A task API in memory that misbehaves as it is told, in a thread of its own. Shares no code with the engine."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from fault_server import FaultServer, Received, http
from patience import PATIENCE

KEY = "a-secret-key-of-32-characters-00"
ORGANIZATION = "o1"
AGENT = "a1"
SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """Return one piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


@dataclass
class Answer:
    """The honest answer to a request."""

    status: int
    body: object
    headers: dict = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return json.dumps(self.body).encode()

    def wire(self) -> bytes:
        return http(self.status, self.content, **self.headers)


@dataclass
class Exchange:
    """One request, and everything that can be done about it."""

    remote: "HostileRemote"
    request: Received
    writer: asyncio.StreamWriter

    def work(self) -> Answer:
        """Do what the request asks for, and return the honest answer."""
        return self.remote.work(self.request)

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    def drop(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


Fault = Callable[[Exchange], Awaitable[None]]


@dataclass
class Affliction:
    fault: Fault
    method: str | None
    suffix: str
    times: int | None
    skipped: int

    def strikes(self, request: Received) -> bool:
        path = urlsplit(request.target).path
        if self.method not in {None, request.method} or not path.endswith(self.suffix) or self.times == 0:
            return False
        if self.skipped:
            self.skipped -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


class HostileRemote:
    """Honest unless afflicted. Counts every effect, so that a test can tell what was lost and what was done twice."""

    def __init__(self, *, honours: bool = False) -> None:
        self.honours = honours
        """Whether a repeated create with the same idempotency key answers with the first task, and says so."""
        self.tasks: dict[str, dict] = {}
        self.events: dict[str, list[dict]] = {}
        self.created: list[tuple[str | None, str]] = []
        """The idempotency key and the task of every create that took effect."""
        self.effects: list[tuple[str, str]] = []
        self.times: list[float] = []
        """When each request came."""
        self.root = ""
        self._afflictions: list[Affliction] = []
        self._server = FaultServer(self._behave)
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._server.listening() as self.root:
            self._ready.set()
            await self._stop.wait()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.005)

    async def _behave(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.times.append(time.monotonic())
        exchange = Exchange(self, request, writer)
        struck = next((a for a in self._afflictions if a.strikes(request)), None)
        if struck is not None:
            await struck.fault(exchange)
        elif request.target.endswith("/events") and request.method == "GET":
            await self._stream(exchange)
        else:
            await exchange.send(exchange.work().wire())

    def afflict(
        self, fault: Fault, method: str | None = None, suffix: str = "", times: int | None = None, skip: int = 0
    ) -> None:
        """Let a fault strike the requests of a method and a path's end; `times` None strikes for ever."""
        self._afflictions.append(Affliction(fault, method, suffix, times, skip))

    def heal(self) -> None:
        """Be honest from now on."""
        self._afflictions.clear()

    @property
    def received(self) -> list[Received]:
        return self._server.received

    @property
    def sockets(self) -> int:
        return self._server.sockets

    def sent(self, method: str, suffix: str = "") -> list[Received]:
        """Return the requests of a method whose path ends so."""
        return [r for r in self.received if r.method == method and urlsplit(r.target).path.endswith(suffix)]

    # What the remote knows.

    def add_task(self, task_id: str, agent_id: str = AGENT, **fields: object) -> dict:
        """Know a task without any request."""
        task = {"id": task_id, "agent_id": agent_id, "organization_id": ORGANIZATION, "input": {}, "status": "pending"}
        self.tasks[task_id] = task | {"created_at": "2026-01-01T00:00:00Z", "events_streaming": True} | fields
        self.events[task_id] = [self.event("task_created", task_id, self.tasks[task_id].copy())]
        return self.tasks[task_id]

    def event(self, kind: str, task_id: str, data: object = None) -> dict:
        """Return an event as the wire has it."""
        time = "2026-01-01T00:00:01Z"
        return {"type": kind, "task_id": task_id, "organization_id": ORGANIZATION, "time": time, "data": data}

    def tell(self, task_id: str, kind: str, data: object = None) -> None:
        """Add an event to a task's stream."""
        self.events[task_id].append(self.event(kind, task_id, data))

    def finish(self, task_id: str, status: str = "completed", result: object = "done") -> None:
        """End a task, and say so in its stream."""
        self.tasks[task_id] |= {"status": status, "result": result, "finished_at": "2026-01-01T00:00:02Z"}
        self.tell(task_id, "task_finished", self.tasks[task_id].copy())

    # What the remote does.

    def work(self, request: Received) -> Answer:
        """Carry out a request as an honest remote does."""
        answer = self._work(request)
        if self.honours:
            answer.headers = answer.headers | {"taskspec_capabilities": "idempotency-key"}
        return answer

    def _work(self, request: Received) -> Answer:
        url = urlsplit(request.target)
        path = [unquote(part) for part in url.path.split("/") if part]
        body = json.loads(request.body) if request.body else None
        if request.headers.get("x-api-key") != KEY:
            return Answer(401, {"detail": "Invalid or missing API key"})
        match request.method, *path:
            case "GET", "agents", "list":
                return Answer(200, [agent(AGENT)])
            case "GET", "agents", agent_id:
                return Answer(200, agent(agent_id))
            case "GET", "agent-execution", "executions", "history", *of:
                return Answer(200, self._rows(of, parse_qs(url.query)))
            case "GET", "agent-execution", task_id, "status":
                return self._task(task_id)
            case "POST", "agent-execution", agent_id:
                return self._create(agent_id, request.headers.get("idempotency-key"), body)
            case "POST", "agent-execution", agent_id, "report_task":
                self.effects.append(("report", agent_id))
                task_id = body.get("id") or f"r{len(self.effects)}"
                self.add_task(task_id, agent_id, status="completed", result=body.get("result"))
                return self._task(task_id)
            case "PATCH", "agent-execution", task_id, "update":
                return self._change(task_id, "update", body)
            case "DELETE", "agent-execution", task_id:
                return self._change(task_id, "stop", {"status": "stopped", "is_manually_stopped": True})
            case "POST", "agents-metrics", agent_id, "execution":
                self.effects.append(("metrics", agent_id))
                return Answer(200, {})
            case "GET", "activity", _, task_id:
                return Answer(200, {"id": task_id, "created_at": "2026-01-01T00:00:00Z", "messages": []})
        return Answer(404, {"detail": "Not Found"})

    def _rows(self, of: list[str], query: dict) -> list[dict]:
        agent_id = of[0] if len(of) == 1 else None
        rows = [t for t in self.tasks.values() if agent_id in {None, t["agent_id"]}]
        return [row for row in rows if row["status"] in query.get("status", [row["status"]])]

    def _task(self, task_id: str) -> Answer:
        task = self.tasks.get(task_id)
        return Answer(404, {"detail": "Task not found"}) if task is None else Answer(200, task.copy())

    def _create(self, agent_id: str, key: str | None, body: dict) -> Answer:
        known = next((task for other, task in self.created if key and other == key), None)
        if self.honours and known is not None:
            return self._task(known)
        task_id = f"t{len(self.created) + 1}-{agent_id}"
        fields = {name: value for name, value in body.items() if name not in {"id", "worker_id"} and value is not None}
        self.add_task(task_id, agent_id, **fields)
        self.created.append((key, task_id))
        return self._task(task_id)

    def _change(self, task_id: str, kind: str, fields: dict) -> Answer:
        if task_id in self.tasks:
            self.effects.append((kind, task_id))
            self.tasks[task_id] |= fields
        return self._task(task_id)

    async def _stream(self, exchange: Exchange) -> None:
        """Replay a task's events, go on live, and close after its end."""
        task_id = exchange.request.target.split("/")[-2]
        if task_id not in self.tasks:
            await exchange.send(http(404, {"detail": "Task not found"}))
            return
        await exchange.send(SSE_HEAD)
        told = 0
        while not told or self.events[task_id][told - 1]["type"] != "task_finished":
            for event in self.events[task_id][told:]:
                await exchange.send(chunk(message(event)))
                told += 1
            await asyncio.sleep(0.005)
        await exchange.send(chunk(b"")[:-2] + b"\r\n")
        exchange.drop()


def message(event: object, end: str = "\n") -> bytes:
    """Return an event as its lines in a stream."""
    return f"data: {json.dumps(event)}{end}{end}".encode()


def agent(agent_id: str) -> dict:
    """Return an agent with everything that the vendor's own client wants of one."""
    named = {"id": agent_id, "name": agent_id, "unique_name": agent_id, "organization_id": ORGANIZATION}
    model = {"framework": "agno", "model_provider": "openai", "model_name": "m"}
    return named | model | {"icon": "x", "instructions": {}, "status": "ACTIVE", "created_at": "2026-01-01T00:00:00Z"}
