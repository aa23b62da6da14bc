"""A call played by hand, and a raw TCP server that answers as badly as it is told. Shares nothing with the engine."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from taskspec.taskapi.drivers import Connection
from taskspec.taskapi.messages import Request, Response
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

KEY = "a-secret-key-of-32-characters-00"
TASK = {"id": "t1", "agent_id": "a1", "organization_id": "o1", "input": {}, "created_at": "2026-01-01T00:00:00Z"}


def _answer(status=200, body=None, **headers):
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return Response(status=status, headers=names, content=content, at=1_000_000.0)


def _play(call, *answers):
    """Run a call against a list of answers (or exceptions to throw); return (value or exception, what it yielded)."""
    script, yielded, told = list(answers), [], None
    try:
        step = next(call)
        while True:
            yielded.append(step)
            if isinstance(step, Request):
                told = script.pop(0)
                step = call.throw(told) if isinstance(told, Exception) else call.send(told)
            else:
                step = call.send(None)
    except StopIteration as end:
        assert not script, "the call left answers unread"
        return end.value, yielded
    except Exception as error:
        if isinstance(error, IndexError):
            raise
        return error, yielded


@pytest.fixture
def answer():
    return _answer


@pytest.fixture
def play():
    return _play


@pytest.fixture
def task():
    return dict(TASK)


@dataclass
class Received:
    method: str
    target: str
    headers: dict
    body: bytes
    socket: int


@dataclass
class FaultServer:
    """Takes requests apart, counts them, and lets `behave` write whatever bytes it likes."""

    behave: Callable[["Received", asyncio.StreamWriter], Awaitable[None]]
    received: list = field(default_factory=list)
    port: int = 0
    sockets: int = 0

    async def serve(self, reader, writer):
        self.sockets += 1
        socket = self.sockets
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                request = Received(method, target, headers, body, socket)
                self.received.append(request)
                await self.behave(request, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


def _http(status=200, body=b"", content_type="application/json", length=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}"]
    lines.append(f"content-length: {len(content) if length is None else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@pytest.fixture
def http():
    return _http


@pytest.fixture
def connected():
    """Return a context manager: a fault server of the given behaviour and a connection to it."""

    @asynccontextmanager
    async def open_both(behave, traits=None, trace=None):
        faults = FaultServer(behave)
        server = await asyncio.start_server(faults.serve, "127.0.0.1", 0)
        faults.port = server.sockets[0].getsockname()[1]
        root = f"http://127.0.0.1:{faults.port}"
        endpoint = Endpoint(rest_root=root, events_root=f"{root}/None", api_key=KEY)
        identity = RemoteIdentity(type="xpander", url=root)
        connection = Connection(endpoint, identity, traits or Traits(poll_interval=0.05), trace=trace)
        try:
            async with connection:
                yield faults, connection
        finally:
            server.close()

    return open_both
