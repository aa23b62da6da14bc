"""Commands that are cut: by a person, by the system, by a kill -9. Nothing starts twice and nothing is lost."""

import os
import random
import signal
import time
from collections import Counter

import psutil
import pytest

KILLS = int(os.environ.get("TASKSPEC_TEST_KILLS", "12"))
"""How many applies are killed at a random moment; more of them outside of the ordinary test run."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_an_apply_in_order_and_what_was_running_is_recorded_as_it_is(workspace, number, code):
    workspace.project()
    workspace.tasks(fast={"agent": "echo", "prompt": "hi"}, long={"agent": "slow", "prompt": "ho"})
    running = workspace.start("apply", "--yes")
    workspace.until(lambda: workspace.lines("started") and (workspace.folder / "results/fast.txt").exists())
    running.signal(number)
    done = running.wait()
    assert done.code == code, done
    assert "Traceback" not in done.err
    assert "Interrupted: recording what was running." in done.out
    assert _alive(workspace.lines("started")) == []
    standing = workspace.standing("long")
    assert (standing["verdict"], standing["run"]) == ("error", workspace.lines("started")[0])
    assert "interrupted" in standing["detail"]
    assert workspace.standing("fast")["verdict"] == "accepted"
    assert workspace.taskspec("plan").code == 3


BEGUN = """
import sys, taskspec.cli
try:
    print("begun", flush=True)
    taskspec.cli.main()
except KeyboardInterrupt:  # before anybody has listened
    sys.exit(130)
"""
"""The command line, which tells when it begins: how long Python takes before that is not its own to say."""


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_signal_at_any_moment_is_130_and_leaves_nothing_running(workspace, moment):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    running = workspace.start("apply", "--yes", program=("-c", BEGUN))
    assert running.process.stdout.readline() == "begun\n"
    time.sleep(moment)
    running.signal(signal.SIGINT)
    done = running.wait()
    assert done.code == 130, done
    assert "taskspec/" not in done.err
    assert _alive(workspace.lines("started")) == []


def test_an_interrupted_run_is_tried_again_where_the_policy_grants_it(workspace):
    workspace.shell("once", "echo x >> started; test -e mended && cat || sleep 600")
    workspace.project(defaults=[{"spec": {"retry": {"maxAttempts": 2, "statuses": ["error"], "backoff": "0s"}}}])
    workspace.tasks(a={"agent": "once", "prompt": "hi"})
    running = workspace.start("apply", "--yes")
    workspace.until(lambda: workspace.lines("started"))
    running.signal(signal.SIGINT)
    assert running.wait().code == 130
    workspace.write("mended", "")
    assert workspace.planned() == {"a": "create"}
    assert workspace.apply().code == 0
    assert workspace.lines("started") == ["x", "x"]
    assert workspace.standing("a")["attempt"] == 2


def test_a_killed_apply_leaves_no_agent_running_and_the_next_one_records_it(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    running = workspace.start("apply", "--yes")
    workspace.until(lambda: workspace.lines("started"))
    running.signal(signal.SIGKILL)
    running.wait()
    told = workspace.taskspec("status", "--json")
    (left,) = told.json["tasks"]
    assert (told.code, left["run"], left["health"]) == (9, workspace.lines("started")[0], "unknown")
    assert "no engine carries it on" in left["detail"]
    assert workspace.taskspec("report", "--out", "-").code == 9
    done = workspace.apply()
    assert done.code == 3, done
    assert workspace.standing("a")["verdict"] == "error"
    assert _alive(workspace.lines("started")) == []
    assert len(workspace.lines("started")) == 1


def test_nothing_starts_twice_and_nothing_is_lost_however_often_an_apply_is_killed(workspace):
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    workspace.shell("worker", 'echo "$TASKSPEC_RUN_ID" >> started; sleep 0.1; cat')
    policy = {"retry": {"maxAttempts": 100, "statuses": ["error"], "backoff": "0s"}}
    workspace.project(defaults=[{"spec": policy}])
    names = [f"t{number}" for number in range(6)]
    for number in range(KILLS):
        workspace.tasks(**{name: {"agent": "worker", "prompt": f"{name} of {number // 4}"} for name in names})
        running = workspace.start("apply", "--yes", "--parallelism", "3")
        time.sleep(chance.uniform(0.1, 1.3))
        running.signal(signal.SIGKILL)
        running.wait()
    done = workspace.apply()
    assert done.code == 0, done
    assert workspace.planned() == dict.fromkeys(names, "none")
    assert workspace.taskspec("plan", "--detailed-exitcode").code == 0
    started = Counter(workspace.lines("started"))
    assert max(started.values()) == 1
    assert set(started) <= _runs_of_history(workspace)
    last = (KILLS - 1) // 4
    assert {name: workspace.result(f"{name}.txt") for name in names} == {name: f"{name} of {last}" for name in names}
    for record in workspace.records().values():
        runs = [attempt.run for attempt in record.generation.attempts if attempt.run]
        assert len(runs) == len(set(runs))
        tried = [attempt for attempt in record.generation.attempts if attempt.run]
        assert tried[-1].verdict == "accepted"
        assert {attempt.status for attempt in tried[:-1]} <= {"error"}, "what had completed was paid for once more"
    assert _alive(list(started)) == []


def test_a_killed_engine_is_recovered_by_the_next_command_that_may(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    with workspace.serving() as served:
        assert workspace.apply("--no-wait").code == 0
        workspace.until(lambda: workspace.lines("started"))
        served.signal(signal.SIGKILL)
        served.wait()
        done = workspace.apply()
    assert done.code == 3, done
    assert "interrupted" in workspace.standing("a")["detail"]
    assert _alive(workspace.lines("started")) == []
    assert len(workspace.lines("started")) == 1


def test_an_engine_that_is_ended_by_a_signal_records_its_runs_first(workspace):
    workspace.project()
    workspace.tasks(a={"agent": "slow", "prompt": "hi"})
    with workspace.serving() as served:
        assert workspace.apply("--no-wait").code == 0
        workspace.until(lambda: workspace.lines("started"))
        served.signal(signal.SIGINT)
        assert served.wait().code == 0
    assert _alive(workspace.lines("started")) == []
    assert workspace.apply().code == 3
    assert workspace.standing("a")["verdict"] == "error"


def _runs_of_history(workspace):
    """Return every run id that the state has ever recorded."""
    from taskspec.state.sqlite import SqliteState

    store = SqliteState(workspace.folder / ".taskspec", "stories", "default", read_only=True)
    try:
        return {entry.note.data["run"] for entry in store.history() if "run" in entry.note.data}
    finally:
        store.close()


def _alive(runs):
    """Return the runs of which a process is alive; the tests' own environment names none."""
    found = []
    for process in psutil.process_iter():
        try:
            run = process.environ().get("TASKSPEC_RUN_ID")
        except psutil.Error:
            continue
        if run in runs:
            found.append(run)
    return found
