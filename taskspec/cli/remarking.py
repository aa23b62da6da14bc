"""Remarks on documents that are right: their warnings, and files that are not taskspec's. Writes to stderr alone."""

import sys
from collections.abc import Sequence
from pathlib import Path

from taskspec.cli.printing import note, paint_for
from taskspec.diagnostics import Diagnostic
from taskspec.report.text import plural
from taskspec.runner.preparing import Prepared, Remark, say_nothing


def remark(prepared: Prepared) -> None:
    """Say what a person should know before a plan."""
    tell_warnings(prepared.warnings)
    if prepared.skipped:
        note(f"{left_out(prepared.skipped)}.")


def remark_for(*, as_json: bool, quiet: bool) -> Remark:
    """Return what remarks on documents, as much as is wanted: who wants few words hears of warnings alone."""
    if as_json:
        return say_nothing
    return _remark_warnings if quiet else remark


def _remark_warnings(prepared: Prepared) -> None:
    tell_warnings(prepared.warnings)


def tell_warnings(warnings: Sequence[Diagnostic]) -> None:
    """Say the warnings, if there are any."""
    if warnings:
        from taskspec.report.findings import lines

        for line in lines(warnings, paint_for(sys.stderr), Path.cwd()):
            note(line)


def left_out(files: int) -> str:
    """Return how many files were left out, and why."""
    return f"{plural(files, 'YAML file')} left out: not taskspec's"
