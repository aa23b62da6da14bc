"""Wall-clock and CPU time of commands, side by side in interleaved rounds. Knows nothing of what the commands do."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

QUOTED_LINES = 20


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one run, or the median run, took, in seconds; `cpu` counts the processes that it waited for, too."""

    wall: float
    cpu: float


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
        name: Cost(wall=median(cost.wall for cost in runs), cpu=median(cost.cpu for cost in runs))
        for name, runs in costs.items()
    }


def measure(subject: Subject) -> Cost:
    """Run a subject once; raise CommandError where it fails."""
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
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)


def _complaint(subject: Subject, code: int, text: str) -> str:
    said = "\n".join(text.splitlines()[-QUOTED_LINES:]) or "(nothing)"
    wanted = f"exit code 0 and `{subject.expected}`" if subject.expected else "exit code 0"
    return f"{' '.join(subject.command)}\nended with exit code {code}; wanted: {wanted}. It said:\n{said}"
