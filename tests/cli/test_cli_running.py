"""The outermost edge: an end that a signal asks for comes, even where the first asking is lost."""

import signal
import subprocess
import sys

import pytest
from patience import PATIENCE

from taskspec.cli import reporting, running
from taskspec.errors import RunInterruptedError
from taskspec.report.exiting import ExitCode

LOSING = """
import signal, sys, threading, time
from taskspec.cli import running

def main(**_):
    lock = threading.Lock()
    try:
        print("begun", flush=True)
        time.sleep(600)
    except Exception:
        pass  # lost, as in a `__del__`
    lock.acquire()
    lock.acquire()  # and whoever held this lock gave it back to nobody

running._GRACE, running._PRESS = 0.05, 1.0
running.taskspec.main = main
code = running.run([])
nothing_presses = signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
sys.exit(code if nothing_presses else 99)
"""


def test_streams_that_are_closed_are_in_nobodys_way(tmp_path):
    command = f'exec "{sys.executable}" -m taskspec validate "{tmp_path}" <&- >&- 2>"{tmp_path}/said"'
    done = subprocess.run(["sh", "-c", command], check=False)
    said = (tmp_path / "said").read_text()
    assert done.returncode == ExitCode.ERROR
    assert "declares no task" in said
    assert "Traceback" not in said


def test_an_end_that_comes_to_nothing_is_asked_for_again():
    with subprocess.Popen([sys.executable, "-c", LOSING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"begun\n"
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == ExitCode.TERMINATED


def test_what_goes_wrong_on_the_way_out_of_an_end_that_was_asked_for_is_no_bug(capsys):
    threads = {}

    def start():
        try:
            raise RunInterruptedError(signal.SIGTERM)
        except Exception:
            del threads["one that has begun meanwhile"]  # as `Thread.start` does
            raise

    with pytest.raises(KeyError) as caught:
        start()
    assert running._trouble(caught.value, []) == ExitCode.TERMINATED
    assert capsys.readouterr().err == "error: interrupted\n"
    assert reporting._end_of(caught.value)[0] is ExitCode.TERMINATED
    with pytest.raises(KeyError) as caught:
        threads["of ours"]
    assert running._trouble(caught.value, []) == ExitCode.ERROR
    assert "internal error: KeyError" in capsys.readouterr().err
