"""A call played by hand, and a connection, in both colours, to a server that answers as badly as it is told."""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp  # noqa: F401 - here, so that no time limit of a call is spent on it
import httpx  # noqa: F401
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import fault_server

from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.drivers.blocking import BlockingConnection
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


@pytest.fixture
def http():
    return fault_server.http


class Threaded:
    """A blocking connection that is used from the threads of a loop."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.connection.close()

    async def run(self, call):
        return await asyncio.to_thread(self.connection.run, call)

    async def events(self, task_id):
        events = self.connection.events(task_id)
        try:
            while (event := await asyncio.to_thread(next, events, None)) is not None:
                yield event
        finally:
            await asyncio.to_thread(events.close)

    def be_patient(self, patience):
        self.connection._patience = patience


class Waiting(Connection):
    def be_patient(self, patience):
        self._patience = patience


def _connection(colour, root, traits=None, **options):
    endpoint = Endpoint(rest_root=root, events_root=f"{root}/None", api_key=KEY)
    traits = traits or Traits(poll_interval=0.05)
    if colour == "blocking":
        return Threaded(BlockingConnection(endpoint, traits, **options))
    return Waiting(endpoint, RemoteIdentity(type="xpander", url=root), traits, **options)


@pytest.fixture(params=["async", "blocking"])
def colour(request):
    return request.param


@pytest.fixture
def connection_to(colour):
    """Return a function that makes a connection, in this colour, to the root of a remote."""

    def make(root, **options):
        return _connection(colour, root, **options)

    return make


@pytest.fixture
def connected(connection_to):
    """Return a context manager: a fault server of the given behaviour and a connection to it."""

    @asynccontextmanager
    async def open_both(behave, **options):
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
        faults = fault_server.FaultServer(behave)
        async with faults.listening() as root, connection_to(root, **options) as connection:
            yield faults, connection

    return open_both
