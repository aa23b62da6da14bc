"""cancel, as real processes: the command that holds the lock ends in order, and nobody else is touched."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from taskspec.state.model import Holder
from taskspec.state.processes import started_at
from taskspec.state.sqlite import SqliteState

LINUX = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="a process can be held on Linux only")


@pytest.fixture
def project(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "one"})
    return workspace


@pytest.fixture
def bystander():
    """A process that has nothing to do with taskspec."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def held_by(project, **who):
    """Hold the lock in the name of a process."""
    store = SqliteState(project.folder / ".taskspec", "stories", "default", read_only=False)
    said = {"user": "ann", "host": socket.gethostname(), "command": "taskspec apply", "since": 0.0, **who}
    store.acquire(Holder(**said))
    return store


def test_nothing_is_cancelled_where_nobody_holds_the_lock(project):
    done = project.taskspec("cancel")
    assert (done.code, done.out) == (
        0,
        "The state of environment `default` is not locked: there is nothing to cancel.\n",
    )
    assert project.taskspec("cancel", "--json").json["outcome"] == "nobody"
    assert not (project.folder / ".taskspec").exists()


@LINUX
def test_an_apply_ends_in_order_and_its_runs_are_recorded(project):
    running = project.start("apply", "--yes")
    project.until(lambda: project.lines("started"))
    done = project.taskspec("cancel")
    assert done.code == 0, done
    assert f"`taskspec apply` (process {running.process.pid}) has ended: the lock is free." in done.out
    assert "Asking it to end." in done.err
    ended = running.wait()
    assert (ended.code, "Interrupted" in ended.out) == (143, True)
    assert project.standing("a")["verdict"] == "error"


@LINUX
def test_runs_of_an_engine_that_is_served_go_on_and_are_told(project):
    with project.serving():
        running = project.start("apply", "--yes")
        project.until(lambda: project.lines("started"))
        project.until(lambda: project.records().get("a"))
        done = project.taskspec("cancel", "--json")
        assert (done.json["outcome"], done.json["running"]) == ("ended", ["a"])
        assert done.json["holder"]["pid"] == running.process.pid
        running.wait()
        assert project.standing("a")["verdict"] == "executing"


@LINUX
def test_a_watch_ends_in_order(project):
    running = project.start("watch", "--yes", "--interval", "1h")
    project.until(lambda: project.lines("started"))
    assert project.taskspec("cancel").code == 0
    assert "Traceback" not in running.wait().err


@LINUX
def test_a_suspended_apply_is_woken_to_end_in_order(project):
    running = project.start("apply", "--yes")
    project.until(lambda: project.lines("started"))
    running.signal(signal.SIGSTOP)
    done = project.taskspec("cancel", "--json")
    assert (done.code, done.json["woken"]) == (0, True)
    assert running.wait().code == 143


def test_a_holder_on_another_machine_is_named_with_its_job(project, bystander):
    store = held_by(project, host="ci-7", pid=bystander.pid, started=started_at(bystander.pid), job="https://ci/77")
    done = project.taskspec("cancel")
    store.close()
    assert done.code == 8, done
    assert "ann on ci-7" in done.err
    assert "cancel its CI job: https://ci/77" in done.err
    assert bystander.poll() is None


@pytest.mark.parametrize("started", [None, 12])
def test_a_process_that_is_not_proven_to_be_the_holder_gets_no_signal(project, bystander, started):
    store = held_by(project, pid=bystander.pid, started=started)
    done = project.taskspec("cancel", "--json")
    store.close()
    assert (done.code, done.json["error"]["lock"]["pid"]) == (8, bystander.pid)
    assert "got no signal" in done.err
    assert bystander.poll() is None


@LINUX
def test_a_holder_that_does_not_end_in_time_is_told(project):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    process.stdout.readline()
    store = held_by(project, pid=process.pid, started=started_at(process.pid))
    done = project.taskspec("cancel", "--timeout", "1s")
    store.close()
    process.kill()
    process.communicate()
    assert done.code == 8, done
    assert "still holds the lock after 1 s" in done.err
