"""Locating: the project of a command that looks after runs, and needs no task to be right. Renders nothing."""

import os
from pathlib import Path

from taskspec.diagnostics import ManifestError, Severity
from taskspec.documents.loading import load, load_project
from taskspec.documents.locating import shown
from taskspec.documents.model import Project
from taskspec.runner.model import Invocation
from taskspec.runner.preparing import rightful


def project_of(invocation: Invocation) -> Project:
    """Return the project; raise ManifestError only for what is wrong with the project itself, not with its tasks."""
    loaded = load_project(invocation.target, invocation.environment)
    wrong = [finding for finding in loaded.diagnostics if finding.severity is Severity.ERROR]
    if wrong:
        raise ManifestError(wrong)
    return rightful(loaded.manifests.project, invocation)


def scope_of(invocation: Invocation) -> frozenset[str] | None:
    """Return the names of the tasks of the one file that is named; None for a project.

    Raise ManifestError for what is wrong with that file: it alone says which tasks are meant.
    """
    if invocation.target.is_dir():
        return None
    loaded = load(invocation.target, invocation.environment)
    if loaded.selection is None:
        return None
    named = Path(os.path.realpath(invocation.target))
    wrong = [
        finding
        for finding in loaded.diagnostics
        if finding.severity is Severity.ERROR and finding.position.file == shown(named)
    ]
    if wrong:
        raise ManifestError(wrong)
    return loaded.selection
