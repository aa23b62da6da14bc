"""Wall-clock and CPU time of commands, side by side in interleaved rounds. Knows nothing of what the commands do."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

QUOTED_LINES = 20
PER_MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024
"""How many of the units in which the system tells the memory of a process make a megabyte."""


class CommandError(Exception):
    """A measured command did not do what was to be measured; the message holds its last words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A command to measure; it has to end with 0, and to print `expected`."""

    name: str
    command: Sequence[str]
    folder: Path | None = None
    environ: Mapping[str, str] | None = None
    expected: str = ""
    before: Callable[[], object] | None = None
    """What makes ready for each run; it is not measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one run, or the median run, took: seconds, and at its peak megabytes.

    `cpu` counts the processes that it waited for, too; `memory` is that of the largest of them.
    """

    wall: float
    cpu: float
    memory: float


def compare(subjects: Sequence[Subject], rounds: int) -> dict[str, Cost]:
    """Run all subjects once unmeasured, then in that many rounds; return the median cost by name.

    Each round begins with another subject, so that none always follows the same one.
    """
    for subject in subjects:
        measure(subject)
    costs: dict[str, list[Cost]] = {subject.name: [] for subject in subjects}
    for turn in range(rounds):
        first = turn % len(subjects)
        for subject in (*subjects[first:], *subjects[:first]):
            costs[subject.name].append(measure(subject))
    return {
        name: Cost(
            wall=median(cost.wall for cost in runs),
            cpu=median(cost.cpu for cost in runs),
            memory=median(cost.memory for cost in runs),
        )
        for name, runs in costs.items()
    }


def measure(subject: Subject) -> Cost:
    """Run a subject once; raise CommandError where it fails."""
    if subject.before is not None:
        subject.before()
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            subject.command,
            cwd=subject.folder,
            env=subject.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            # wait4 tells the CPU time of this one process; Popen has to be told that it was waited for.
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", errors="replace")
    if process.returncode != 0 or subject.expected not in text:
        raise CommandError(_complaint(subject, process.returncode, text))
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss / PER_MEGABYTE)


def _complaint(subject: Subject, code: int, text: str) -> str:
    said = "\n".join(text.splitlines()[-QUOTED_LINES:]) or "(nothing)"
    wanted = f"exit code 0 and `{subject.expected}`" if subject.expected else "exit code 0"
    return f"{' '.join(subject.command)}\nended with exit code {code}; wanted: {wanted}. It said:\n{said}"
