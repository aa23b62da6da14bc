"""A hostile remote, and the public library in both colours before it."""

import asyncio
import sys
import threading
import time
import traceback
from contextlib import aclosing, closing
from itertools import islice
from pathlib import Path

import aiohttp  # noqa: F401 - here, so that no time limit of a call is spent on it
import httpx  # noqa: F401
import pytest
from patience import PATIENCE

sys.path.insert(0, str(Path(__file__).parent.parent))

from hostile_remote import AGENT, KEY, ORGANIZATION, HostileRemote

from taskspec.errors import TaskspecError


class Client:
    """The library's `Tasks` in one colour; each call returns its value or its error, and how long it took."""

    def __init__(self, remote, *, waiting, **configuration):
        from taskspec import Configuration, Tasks

        named = {"api_key": KEY, "base_url": remote.root, "organization_id": ORGANIZATION, "agent_id": AGENT}
        limits = {"timeout": PATIENCE, "create_timeout": PATIENCE}
        self.configuration = Configuration(**(named | limits | configuration))
        self.tasks = Tasks(self.configuration)
        self.took = 0.0
        self._runner = asyncio.Runner() if waiting else None

    def __call__(self, name, *args, of=None, **options):
        """Call a method of `Tasks` (or of another object), in this client's colour; raise nothing of the library."""
        target = self.tasks if of is None else of
        started = time.monotonic()
        try:
            if self._runner is None:
                value = getattr(target, name)(*args, **options)
            else:
                value = self._runner.run(getattr(target, f"a{name}")(*args, **options))
        except TaskspecError as error:
            value = error
        self.took = time.monotonic() - started
        assert KEY not in shown(value)
        assert len(str(value).splitlines()) <= 1, str(value)
        return value

    def together(self, *calls):
        """Make calls at once: in threads, or in one loop. Each is (name, args, options)."""
        if self._runner is not None:
            return self._runner.run(self._gather(calls))
        found = [None] * len(calls)

        def run(place, name, args, options):
            try:
                found[place] = getattr(self.tasks, name)(*args, **options)
            except TaskspecError as error:
                found[place] = error

        threads = [threading.Thread(target=run, args=(place, *call)) for place, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        return found

    async def _gather(self, calls):
        async def one(name, args, options):
            try:
                return await getattr(self.tasks, f"a{name}")(*args, **options)
            except TaskspecError as error:
                return error

        return await asyncio.gather(*(one(*call) for call in calls))

    def follow(self, task, seconds=PATIENCE):
        """Return the events of a task, and the error that ended them, if any."""
        events = []
        started = time.monotonic()
        try:
            if self._runner is None:
                with closing(task.events()) as news:
                    events.extend(news)
            else:
                self._runner.run(self._follow(task, events, seconds))
            error = None
        except TaskspecError as caught:
            error = caught
        self.took = time.monotonic() - started
        assert KEY not in shown(error) + repr(events)
        assert len(str(error).splitlines()) == 1, str(error)
        return events, error

    async def _follow(self, task, events, seconds):
        async with asyncio.timeout(seconds), aclosing(task.aevents()) as news:
            async for event in news:
                events.append(event)

    def first(self, task, count):
        """Return the first events of a task, and leave it then."""
        started = time.monotonic()
        if self._runner is None:
            with closing(task.events()) as news:
                events = list(islice(news, count))
        else:
            events = self._runner.run(self._first(task, count))
        self.took = time.monotonic() - started
        return events

    async def _first(self, task, count):
        events = []
        async with aclosing(task.aevents()) as news:
            async for event in news:
                events.append(event)
                if len(events) == count:
                    break
        return events

    def close(self):
        if self._runner is not None:
            self._runner.run(self.tasks.aclose())
            self._runner.close()
        self.tasks.close()


def shown(found):
    """Return everything that anybody could see of a value, or of an error and of its causes."""
    parts = [str(found), repr(found)]
    if isinstance(found, BaseException):
        parts += [repr(vars(found)), *traceback.format_exception(found)]
    while isinstance(found, BaseException):
        parts += [repr(found), repr(found.args)]
        found = found.__cause__ or found.__context__
    return "".join(parts)


@pytest.fixture
def remote():
    with HostileRemote() as server:
        server.add_task("t1", title="first")
        yield server


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Shorten the pauses that nobody asked for; those that the remote asks for stay."""
    from taskspec.taskapi.flow import Patience

    patient = Patience.pause

    def pause(self, failures, stated=None):
        found = patient(self, failures, stated)
        return found if found is None or stated is not None else found / 50

    monkeypatch.setattr(Patience, "pause", pause)


@pytest.fixture(params=["blocking", "async"])
def clients(request, remote):
    """Return a function that makes a client of the remote."""
    opened = []

    def open_client(to=remote, **configuration):
        opened.append(Client(to, waiting=request.param == "async", **configuration))
        return opened[-1]

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def client(clients):
    return clients()
