"""An apply that is suspended while it creates and loses its lock: whenever it goes on again, no run is there twice."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from scenario_workspaces import Running
from scripted_remote import ScriptedRemote

NAMES = ["a", "b", "c"]
SOON, LATE = 6.0, 60.0
"""Seconds that a create may take."""
APPLY = """
import os, signal, sys
from functools import partial
from taskspec.apply import sending
from taskspec.cli import main, timing
from taskspec.taskapi.drivers.pools import Pool
from taskspec.taskapi.remotes import Traits

where, seconds = sys.argv[1:]
times = {"create_timeout": float(seconds), "quiet_period": 2.0, "poll_interval": 0.1}
timing.Traits = partial(Traits, **times, keeps_titles=True)
post, ask = sending.post, Pool.ask

def stand_still():
    global where
    where = ""
    print("standing still", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)

async def still_post(*given):
    if where == "intent":
        stand_still()
    return await post(*given)

async def still_ask(pool, request, left, *, fresh):
    if where == "socket" and request.method == "POST":
        stand_still()
    return await ask(pool, request, left, fresh=fresh)

sending.post = still_post
Pool.ask = still_ask
sys.argv[1:] = ["apply", "--yes", "--parallelism", "1"]
main()
"""
"""An apply whose waiting is short; it stops itself between intent and request, or between request and socket."""


class Now:
    """The clock on the wall."""

    @property
    def time(self):
        return time.time()


@pytest.fixture
def remote():
    return ScriptedRemote(clock=Now())


@pytest.fixture
def hosted(workspace, remote):
    """A project on a hosted remote, which another thread serves."""
    with served(remote) as root:
        workspace.environ["XPANDER_API_KEY"] = "k" * 32
        workspace.agents = {}
        workspace.project(remote={"type": "xpander", "baseUrl": root})
        workspace.tasks(**{name: {"agent": "writer", "prompt": name} for name in NAMES})
        yield workspace


@contextmanager
def served(remote):
    ready, ended = threading.Event(), threading.Event()
    roots = []

    async def serve():
        async with remote.listening() as root:
            roots.append(root)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield roots[0]
    finally:
        ended.set()
        thread.join()


@contextmanager
def applying(workspace, where="", seconds=SOON):
    process = subprocess.Popen(
        [sys.executable, "-c", APPLY, where, str(seconds)],
        cwd=workspace.folder,
        env=workspace.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Running(process)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            running.wait()


def apply(workspace):
    with applying(workspace) as running:
        return running.wait()


def lose_the_lock(workspace):
    """Take the lock from the apply that stands still, after another was refused."""
    refused = apply(workspace)
    assert refused.code == 8, refused
    assert "the process is suspended" in refused.err
    epoch = re.search(r"Epoch (\d+)", refused.err)[1]
    unlocked = workspace.taskspec("force-unlock", epoch, "--yes")
    assert unlocked.code == 0, unlocked


def go_on_when_all_is_done(first, workspace, remote):
    """Let another apply do everything, then let the one that stands still go on: it sends nothing more."""
    done = apply(workspace)
    assert done.code == 0, done
    assert remote.asked["POST"] == len(NAMES)
    first.signal(signal.SIGCONT)
    late = first.wait()
    assert late.code == 8, late
    assert remote.asked["POST"] == len(NAMES)


def require_each_once(workspace, remote):
    assert [len(remote.started(name)) for name in NAMES] == [1, 1, 1]
    asked = remote.asked["POST"]
    done = apply(workspace)
    assert done.code == 0, done
    assert remote.asked["POST"] == asked
    assert [workspace.result(f"{name}.txt") for name in NAMES] == [f"answer to {name}" for name in NAMES]


@pytest.mark.parametrize("where", ["intent", "socket"])
def test_one_that_goes_on_too_late_sends_nothing(hosted, remote, where):
    with applying(hosted, where) as first:
        hosted.until(lambda: "standing still" in first.process.stdout.readline())
        lose_the_lock(hosted)
        go_on_when_all_is_done(first, hosted, remote)
    require_each_once(hosted, remote)


def test_what_one_that_goes_on_in_time_sends_is_adopted_by_the_next(hosted, remote):
    with applying(hosted, "socket", LATE) as first:
        hosted.until(lambda: "standing still" in first.process.stdout.readline())
        lose_the_lock(hosted)
        with applying(hosted) as third:
            hosted.until(lambda: "outcome unknown" in third.process.stdout.readline())
            first.signal(signal.SIGCONT)
            assert first.wait().code == 8
            done = third.wait()
        assert done.code == 0, done
    assert remote.asked["POST"] == 3
    require_each_once(hosted, remote)


def test_one_that_goes_on_after_its_answer_has_come_makes_no_second_run(hosted, remote):
    arrived, answers = threading.Event(), threading.Event()

    async def hold_the_first_answer(request):
        if not arrived.is_set():
            arrived.set()
            await asyncio.to_thread(answers.wait)

    remote.before_answering = hold_the_first_answer
    with applying(hosted) as first:
        try:
            assert arrived.wait(30)
            first.signal(signal.SIGSTOP)
        finally:
            answers.set()  # the run is made, and its maker stands still
        hosted.until(lambda: remote.runs)
        lose_the_lock(hosted)
        go_on_when_all_is_done(first, hosted, remote)
    require_each_once(hosted, remote)
