"""Two commands and one lock, as real processes: its holder is named, and keeps it or loses it for good."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

MANY = 20
STARTING = 'echo "$TASKSPEC_RUN_ID" >> started; while ! test -e go; do sleep 0.05; done; cat'


@pytest.fixture
def project(workspace):
    """Two tasks, whose agents wait for the file `go`."""
    workspace.shell("patient", STARTING)
    workspace.project()
    workspace.tasks(a={"agent": "patient", "prompt": "one"}, b={"agent": "patient", "prompt": "two"})
    return workspace


@contextmanager
def applying(workspace, *arguments):
    """Keep an apply running that has started something."""
    running = workspace.start("apply", "--yes", *arguments)
    try:
        workspace.until(lambda: workspace.lines("started"))
        yield running
    finally:
        if running.process.poll() is None:
            running.signal(signal.SIGKILL)
            running.wait()


def epoch_of(done):
    return re.search(r"Epoch (\d+)", done.err)[1]


def unlocked_from(suspended, workspace, epoch):
    """Take the lock from a suspended apply, which goes on for a moment as long as it stands still within a write."""
    while "in the middle of a write" in (done := workspace.taskspec("force-unlock", epoch, "--yes", "--json")).out:
        suspended.signal(signal.SIGCONT)
        time.sleep(0.1)
        suspended.signal(signal.SIGSTOP)
    return done


def test_a_second_apply_ends_with_8_and_names_the_first(project):
    with applying(project) as first:
        done = project.apply()
        assert done.code == 8, done
        assert f"process {first.process.pid}, `taskspec apply`. Epoch 1, last heartbeat" in done.err
        lock = project.apply("--json").json["error"]["lock"]
        assert (lock["pid"], lock["epoch"], lock["suspended"]) == (first.process.pid, 1, False)
        assert project.taskspec("plan").code == project.taskspec("status").code == 0
        project.write("go", "")
        assert first.wait().code == 0
    assert project.apply().code == 0
    assert len(project.lines("started")) == 2


def test_the_job_of_an_apply_in_ci_is_named(project):
    project.environ |= {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/growth",
        "GITHUB_RUN_ID": "77",
    }
    with applying(project):
        assert "(https://github.com/acme/growth/actions/runs/77)" in project.apply().err


def test_of_many_applies_one_works_and_the_others_name_it(project):
    everybody = [project.start("apply", "--yes") for _ in range(MANY)]
    project.until(lambda: sum(one.process.poll() is not None for one in everybody) == MANY - 1)
    (winner,) = [one for one in everybody if one.process.poll() is None]
    project.write("go", "")
    assert winner.wait().code == 0
    for one in everybody:
        if one is not winner:
            done = one.wait()
            assert done.code == 8, done
            assert f"process {winner.process.pid}, `taskspec apply`" in done.err
    assert len(project.lines("started")) == 2


def test_many_applies_that_wait_for_each_other_pay_once(project):
    project.write("go", "")
    everybody = [project.start("apply", "--yes", "--lock-timeout", "2m") for _ in range(6)]
    assert [one.wait().code for one in everybody] == [0] * 6
    assert len(project.lines("started")) == 2


def test_the_lock_of_a_killed_apply_is_free_at_once(project):
    with applying(project) as first:
        first.signal(signal.SIGKILL)
        first.wait()
    project.write("go", "")
    done = project.apply()
    assert done.code == 3, done  # what the killed engine ran is recorded as interrupted
    assert "locked" not in done.err


def test_an_apply_that_waits_says_for_whom_and_goes_on_when_the_lock_is_free(project):
    with applying(project) as first:
        second = project.start("apply", "--yes", "--lock-timeout", "1m")
        line = second.process.stderr.readline()
        assert f"process {first.process.pid}, `taskspec apply`" in line
        assert "Waiting up to 1m00s." in line
        project.write("go", "")
        assert first.wait().code == 0
        done = second.wait()
    assert done.code == 0, done
    assert done.err == ""
    assert len(project.lines("started")) == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_apply_that_waits_can_be_ended(project, number, code):
    with applying(project) as first:
        second = project.start("apply", "--yes", "--lock-timeout", "10m")
        assert "Waiting" in second.process.stderr.readline()
        second.signal(number)
        done = second.wait()
        assert done.code == code, done
        assert "Traceback" not in done.err
        assert first.process.poll() is None


def test_who_has_waited_long_enough_ends_with_8(project):
    with applying(project) as first:
        done = project.apply("--lock-timeout", "1s")
    assert done.code == 8, done
    assert done.err.count(f"process {first.process.pid}") == 2


def test_a_suspended_apply_loses_its_lock_for_good_and_nothing_is_started_twice(project):
    with project.serving(), applying(project, "--parallelism", "1") as first:
        first.signal(signal.SIGSTOP)
        second = project.apply()
        assert second.code == 8, second
        assert "the process is suspended" in second.err
        assert f"`kill -CONT {first.process.pid}`" in second.err
        assert project.taskspec("force-unlock", "2", "--yes").code == 8
        assert project.taskspec("force-unlock", epoch_of(second)).code == 64  # nobody can be asked
        unlocked = unlocked_from(first, project, epoch_of(second))
        assert unlocked.code == 0, unlocked
        assert unlocked.json["lock"]["pid"] == first.process.pid
        third = project.start("apply", "--yes")
        project.until(lambda: len(project.lines("started")) == 2)
        first.signal(signal.SIGCONT)
        project.write("go", "")
        done = first.wait()
        assert done.code == 8, done
        assert "was lost" in done.err
        assert third.wait().code == 0
        assert "is not locked" in project.taskspec("force-unlock", epoch_of(second), "--yes").out
    assert len(project.lines("started")) == 2
    assert (project.result("a.txt"), project.result("b.txt")) == ("one", "two")


@pytest.mark.parametrize("moment", [0.0, 0.2, 0.5])
def test_nothing_happens_twice_whenever_an_apply_is_suspended(project, moment):
    project.write("go", "")
    with project.serving():
        first = project.start("apply", "--yes")
        project.until((project.folder / ".taskspec/default/lock").exists)
        time.sleep(moment)
        first.signal(signal.SIGSTOP)
        second = project.apply()
        if "force-unlock" in second.err:
            unlocked = project.taskspec("force-unlock", epoch_of(second), "--yes")
            assert unlocked.code == 0 or "in the middle of a write" in unlocked.err, unlocked
        third = project.start("apply", "--yes", "--lock-timeout", "1m")
        first.signal(signal.SIGCONT)
        done = third.wait()
        assert done.code == 0, done
        assert {first.wait().code, second.code} <= {0, 8}
        assert len(project.lines("started")) == 2
        assert project.planned() == {"a": "none", "b": "none"}


def test_an_apply_whose_folder_is_deleted_ends_with_8_and_the_next_begins_anew(project):
    with applying(project, "--parallelism", "1") as first:
        subprocess.run([sys.executable, "-c", "import shutil; shutil.rmtree('.taskspec/default')"], cwd=project.folder)
        project.write("go", "")
        done = first.wait()
    assert done.code == 8, done
    assert "taken over, moved or deleted" in done.err
    assert len(project.lines("started")) == 1
    assert project.apply().code == 0
