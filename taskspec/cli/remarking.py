"""Remarks on documents that are right: their warnings, and files that are not taskspec's. Writes to stderr alone."""

import sys
from pathlib import Path

from taskspec.cli.printing import note, paint_for
from taskspec.report.text import plural
from taskspec.runner.planning import Prepared


def remark(prepared: Prepared) -> None:
    """Say what a person should know before a plan."""
    tell_warnings(prepared)
    if prepared.skipped:
        note(f"{left_out(prepared.skipped)}.")


def tell_warnings(prepared: Prepared) -> None:
    """Say the warnings, if there are any."""
    if prepared.warnings:
        from taskspec.report.findings import lines

        for line in lines(prepared.warnings, paint_for(sys.stderr), Path.cwd()):
            note(line)


def left_out(files: int) -> str:
    """Return how many files were left out, and why."""
    return f"{plural(files, 'YAML file')} left out: not taskspec's"
