"""What the kernel shows of processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from taskspec.state.processes import is_suspended, started_at

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows them in /proc")


@pytest.fixture
def other():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_has_one_start_and_another_process_another_or_none():
    assert started_at(os.getpid()) == started_at(os.getpid()) > started_at(1)
    assert started_at(2**22 + 1) is None


def test_only_the_very_process_that_is_stopped_is_suspended(other):
    started = started_at(other.pid)
    assert not is_suspended(other.pid, started)
    other.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 30
    while not is_suspended(other.pid, started):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not is_suspended(other.pid, started + 1)
    assert not is_suspended(other.pid, None)
    other.kill()
    other.wait()
    assert not is_suspended(other.pid, started)


def test_the_name_of_a_program_may_hold_anything(tmp_path):
    program = tmp_path / "a) T 0 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        assert started_at(process.pid) >= started_at(os.getpid())
        assert not is_suspended(process.pid, started_at(process.pid))
    finally:
        process.kill()
        process.wait()
