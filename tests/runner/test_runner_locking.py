"""The lock of a state: waited for, and said to be alive as long as something is done under it."""

import asyncio
import os
import threading
import time
from contextlib import contextmanager

import pytest
from runner_ports import HOLDER

from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.runner.locating import project_of
from taskspec.runner.locking import beating, locked
from taskspec.state.model import TTL
from taskspec.state.sqlite import SqliteState


@pytest.fixture
def project(ports):
    ports.task()
    return project_of(ports.invocation())


@contextmanager
def held_by_another(ports):
    other = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    other.acquire(HOLDER)
    try:
        yield other
    finally:
        other.close()


def until(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def after(ports, act):
    """Do something as soon as somebody waits for the lock; return what does it."""
    told = asyncio.Event()
    tell = ports.waiting
    ports.waiting = lambda *said: (tell(*said), told.set())

    async def when_told():
        await told.wait()
        act()

    return when_told()


def beats():
    return [thread for thread in threading.enumerate() if thread.name == "taskspec-heartbeat"]


def test_nobody_waits_who_was_not_told_to(ports, project):
    async def story():
        async with locked(project, ports):
            pytest.fail("it was held")

    with held_by_another(ports), pytest.raises(LockHeldError, match="alice on laptop"):
        asyncio.run(story())
    assert ports.waited == []


def test_whoever_waits_says_once_for_whom_and_goes_on_when_the_lock_is_free(ports, project):
    async def story(other):
        giving = asyncio.create_task(after(ports, other.close))
        async with locked(project, ports, 60.0) as (store, lease):
            await giving
            return store.commit(lease, 0, [])

    with held_by_another(ports) as other:
        assert asyncio.run(story(other)) == 1
    ((message, seconds),) = ports.waited
    assert "alice on laptop" in message
    assert seconds == 60.0


def test_whoever_has_waited_long_enough_hears_who_has_the_lock(ports, project):
    async def story():
        async with locked(project, ports, 0.2):
            pytest.fail("it was held")

    with held_by_another(ports), pytest.raises(LockHeldError, match="alice on laptop"):
        asyncio.run(story())
    assert len(ports.waited) == 1


def test_who_stops_waiting_has_no_lock(ports, project):
    async def wait():
        async with locked(project, ports, 60.0):
            pytest.fail("it was held")

    async def story():
        waiting = asyncio.create_task(wait())
        await after(ports, waiting.cancel)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with held_by_another(ports) as other:
        asyncio.run(story())
        other.close()
        assert other.holding() is None


def test_a_lease_is_renewed_while_somebody_thinks_and_no_longer(ports, project):
    with held_by_another(ports) as store:
        lock = ports.folder / ".taskspec" / "default" / "lock"
        lease = store._lease[0]
        with beating(store, lease, 0.01):
            os.utime(lock, (0, 0))
            until(lambda: store.holding().silent < TTL)  # while this very thread does nothing else
            assert len(beats()) == 1
        assert beats() == []


def test_a_heartbeat_that_fails_is_tried_again_and_breaks_nothing():
    store = Failing([StateError("a full disk"), StateError("still full"), None])
    with beating(store, None, 0.001):
        until(lambda: store.renewed >= 5)


def test_a_heartbeat_ends_where_the_lease_is_lost():
    store = Failing([None, LostLeaseError("taken over")])
    with beating(store, None, 0.001):
        until(lambda: not beats())
    assert store.renewed == 2


def test_a_lock_that_is_lost_while_a_person_thinks_stops_the_apply_before_anything_is_done(ports):
    ports.task()

    def think(plan):
        store = ports.open_state(project_of(ports.invocation()), read_only=False)
        store.force_release(store.holding().epoch, HOLDER)
        store.close()
        return True

    with pytest.raises(LostLeaseError, match="alice on laptop took it over"):
        ports.apply(approve=think)
    assert ports.remote.runs == {}
    assert ports.records() == {}
    ports.apply()
    assert len(ports.remote.runs) == 1


class Failing:
    """A store that can be renewed as a script says, and then always."""

    def __init__(self, script):
        self.script = script
        self.renewed = 0

    def renew(self, lease):
        self.renewed += 1
        trouble = self.script.pop(0) if self.script else None
        if trouble is not None:
            raise trouble
