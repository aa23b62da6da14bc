"""Watching: one loop for all runs, which wakes whoever waits and lets nobody wait for ever."""

import asyncio

import pytest
from patience import PATIENCE as HANG
from scripted_remote import Clock

from taskspec.apply import watching
from taskspec.apply.watching import PATIENCE, Watcher
from taskspec.errors import AuthenticationError
from taskspec.observed.model import Absent, Present, Unreadable
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import Traits


class Looker:
    """Shows for each run one observation after the other, the last one for ever."""

    def __init__(self, **shown):
        self.shown = shown
        self.asked = []

    async def __call__(self, runs):
        self.asked.append(dict(runs))
        await asyncio.sleep(0)
        return {run: self.next(run) for run in runs}

    def next(self, run):
        shown = self.shown[run]
        found = shown.pop(0) if len(shown) > 1 else shown[0]
        if isinstance(found, Exception):
            raise found
        return found if not isinstance(found, str) else present(run, found)


def present(run, status):
    return Present(record=TaskRecord(id=run, agent_id="writer", status=status))


def watch(looker, *waits, pause=0.001):
    """Wait for several runs at once, given as (run, seen); return what each is told."""

    async def run():
        watcher = Watcher(looker, pause)
        waiting = [watcher.change(run, "writer", seen=seen) for run, seen in waits]
        try:
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), HANG)
        finally:
            await watcher.close()

    return asyncio.run(run())


def test_whoever_waits_is_woken_by_another_status_only():
    looker = Looker(r1=["pending", "pending", "executing"])
    assert watch(looker, ("r1", "pending")) == [present("r1", "executing")]
    assert len(looker.asked) == 3


def test_the_first_look_wakes_whoever_has_seen_nothing():
    assert watch(Looker(r1=["executing"]), ("r1", None)) == [present("r1", "executing")]


def test_all_runs_are_looked_at_together_and_two_that_end_at_once_wake_both():
    looker = Looker(r1=["executing", "completed"], r2=["executing", "failed"])
    told = watch(looker, ("r1", "executing"), ("r2", "executing"))
    assert told == [present("r1", "completed"), present("r2", "failed")]
    assert {frozenset(runs) for runs in looker.asked} == {frozenset({"r1", "r2"})}


def test_a_run_that_is_not_readable_for_long_is_given_up():
    looker = Looker(r1=[Unreadable(reason="503")])
    assert watch(looker, ("r1", "executing")) == [Unreadable(reason="503")]
    assert len(looker.asked) == PATIENCE


def test_a_run_that_becomes_readable_again_has_all_patience_anew():
    trouble = [Unreadable(reason="503")] * (PATIENCE - 1)
    looker = Looker(r1=[*trouble, "executing", *trouble, "completed"])
    assert watch(looker, ("r1", "executing")) == [present("r1", "completed")]


def test_an_absent_run_is_told_at_once():
    assert watch(Looker(r1=[Absent()]), ("r1", "executing")) == [Absent()]


def test_a_refused_key_reaches_whoever_waits():
    refused = AuthenticationError("no", status=401)
    looker = Looker(r1=["executing", refused], r2=["executing"])
    assert watch(looker, ("r1", "executing"), ("r2", "executing")) == [refused, refused]


def test_a_bug_reaches_whoever_waits_instead_of_hanging():
    (told,) = watch(Looker(r1=[KeyError("x")]), ("r1", None))
    assert isinstance(told, KeyError)


def test_a_run_that_is_added_while_another_is_slow_is_looked_at_soon(monkeypatch):
    monkeypatch.setattr(watching, "SLOWEST", 10_000)
    looker = Looker(r1=["executing"], r2=["executing"])

    async def run():
        watcher = Watcher(looker, 0.001)
        slow = asyncio.ensure_future(watcher.change("r1", "writer", seen="executing"))
        await asyncio.sleep(0.05)
        try:
            await asyncio.wait_for(watcher.change("r2", "writer", seen=None), HANG)
            assert not slow.done()
        finally:
            slow.cancel()
            await watcher.close()

    asyncio.run(run())


def test_nobody_is_looked_at_any_more_when_nobody_waits():
    looker = Looker(r1=["executing"])

    async def run():
        watcher = Watcher(looker, 0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watcher.change("r1", "writer", seen="executing"), 0.02)
        await asyncio.sleep(0.02)
        looks = len(looker.asked)
        await asyncio.sleep(0.05)
        assert len(looker.asked) == looks
        await watcher.close()

    asyncio.run(run())


@pytest.mark.parametrize(("runs", "agents", "requests"), [(1, 1, 1), (40, 1, 2), (40, 20, 40), (60, 20, 40)])
def test_a_remote_is_never_asked_more_than_its_quota_allows(monkeypatch, runs, agents, requests):
    looker, clock = Looker(**{f"r{n}": ["executing"] for n in range(runs)}), Clock()

    async def wait_for(waiting, seconds):
        waiting.close()
        await clock.sleep(seconds)
        raise TimeoutError

    async def run():
        watcher = Watcher(looker, Traits().poll_interval)
        waiting = [
            asyncio.ensure_future(watcher.change(f"r{n}", f"a{n % agents}", seen="executing")) for n in range(runs)
        ]
        while clock.time - began < 3600:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await watcher.close()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    began = clock.time
    monkeypatch.setattr(watching.asyncio, "wait_for", wait_for)
    asyncio.run(run())
    assert 1 < len(looker.asked) * requests <= 1000


def test_looks_become_rarer_while_nothing_happens(monkeypatch):
    pauses = []

    async def wait_for(waiting, seconds):
        waiting.close()
        pauses.append(seconds)
        await asyncio.sleep(0)
        raise TimeoutError

    async def run():
        watcher = Watcher(Looker(r1=["executing"]), 1)
        waiting = asyncio.ensure_future(watcher.change("r1", "writer", seen="executing"))
        while len(pauses) < 40:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await watcher.close()
        waiting.cancel()

    monkeypatch.setattr(watching.asyncio, "wait_for", wait_for)
    asyncio.run(run())
    assert pauses == sorted(pauses)
    assert pauses[-1] == pauses[-2] == watching.SLOWEST > pauses[0]
