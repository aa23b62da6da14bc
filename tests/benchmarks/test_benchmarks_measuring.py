"""The measuring of commands: what counts, and what is refused."""

import subprocess
import sys
from pathlib import Path

from patience import PATIENCE

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def measured(
    python: str, expected: str = "", shown: str = "cost.wall > 0, cost.wall >= 0.3, cost.cpu < cost.wall"
) -> subprocess.CompletedProcess[str]:
    """Measure a Python one-liner in a process of its own, since the scripts are no package."""
    code = (
        "import sys, measuring\n"
        f"subject = measuring.Subject(name='x', command=[sys.executable, '-c', {python!r}], expected={expected!r})\n"
        "try:\n    cost = measuring.measure(subject)\n"
        "except measuring.CommandError as error:\n    sys.exit(str(error))\n"
        f"print({shown})\n"
    )
    return subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=BENCHMARKS, capture_output=True, text=True, timeout=PATIENCE
    )


def test_waiting_costs_wall_clock_time_but_no_cpu_time():
    assert measured("import time; time.sleep(0.3)").stdout.split() == ["True", "True", "True"]


def test_a_command_that_fails_is_not_measured_and_its_last_words_are_shown():
    done = measured("import sys; sys.exit('out of milk')")
    assert done.returncode == 1
    assert "exit code 1" in done.stderr
    assert "out of milk" in done.stderr


def test_a_command_that_does_not_say_what_is_expected_is_not_measured():
    done = measured("print('3 changes')", expected="No changes")
    assert done.returncode == 1
    assert "`No changes`" in done.stderr
    assert "3 changes" in done.stderr


def test_memory_is_told_in_megabytes_at_its_peak():
    assert measured("x = b'x' * 10 ** 8; del x", shown="100 < cost.memory < 200").stdout.split() == ["True"]


def test_what_makes_ready_for_a_run_is_done_before_each_and_not_measured():
    code = (
        "import sys, types, measuring\n"
        "done = []\n"
        "measuring.time = types.SimpleNamespace(perf_counter=lambda: len(done))\n"
        "def before():\n    done.append(1)\n"
        "subject = measuring.Subject(name='x', command=[sys.executable, '-S', '-c', ''], before=before)\n"
        "costs = measuring.compare([subject], 2)\n"
        "print(len(done), costs['x'].wall == 0)\n"
    )
    command = [sys.executable, "-B", "-c", code]
    assert subprocess.check_output(command, cwd=BENCHMARKS, text=True, timeout=PATIENCE).split() == ["3", "True"]
