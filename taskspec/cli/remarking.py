"""Remarks on documents that are right: their warnings, and files that are not taskspec's. Writes to stderr alone."""

import sys
from collections.abc import Sequence
from pathlib import Path

from taskspec.cli.printing import note, paint_for
from taskspec.diagnostics import Diagnostic
from taskspec.report.text import plural
from taskspec.runner.preparing import Prepared


def remark(prepared: Prepared) -> None:
    """Say what a person should know before a plan."""
    tell_warnings(prepared.warnings)
    if prepared.skipped:
        note(f"{left_out(prepared.skipped)}.")


def tell_warnings(warnings: Sequence[Diagnostic]) -> None:
    """Say the warnings, if there are any."""
    if warnings:
        from taskspec.report.findings import lines

        for line in lines(warnings, paint_for(sys.stderr), Path.cwd()):
            note(line)


def left_out(files: int) -> str:
    """Return how many files were left out, and why."""
    return f"{plural(files, 'YAML file')} left out: not taskspec's"
