"""A call played by hand, and a connection to a server that answers as badly as it is told."""

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import fault_server

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


@pytest.fixture
def http():
    return fault_server.http


@pytest.fixture
def connected():
    """Return a context manager: a fault server of the given behaviour and a connection to it."""

    @asynccontextmanager
    async def open_both(behave, traits=None, trace=None):
        faults = fault_server.FaultServer(behave)
        async with faults.listening() as root:
            endpoint = Endpoint(rest_root=root, events_root=f"{root}/None", api_key=KEY)
            identity = RemoteIdentity(type="xpander", url=root)
            connection = Connection(endpoint, identity, traits or Traits(poll_interval=0.05), trace=trace)
            async with connection:
                yield faults, connection

    return open_both
