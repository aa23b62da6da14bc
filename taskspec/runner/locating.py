"""Locating: the project of a command that looks after runs, and needs no task to be right. Renders nothing."""

from pathlib import PurePath

from taskspec.diagnostics import Diagnostic, ManifestError, Severity
from taskspec.documents.loading import load
from taskspec.documents.model import Project
from taskspec.runner.model import Invocation

PROJECT_FILES = frozenset({"taskspec.yaml", "taskspec.yml"})


def project_of(invocation: Invocation) -> Project:
    """Return the project; raise ManifestError only for what is wrong with the project itself, not with its tasks."""
    loaded = load(invocation.target)
    project = loaded.manifests.project
    own = project.document.file if project.document else None
    wrong = [d for d in loaded.diagnostics if d.severity is Severity.ERROR and _concerns(d, own)]
    if wrong:
        raise ManifestError(wrong)
    return project


def _concerns(diagnostic: Diagnostic, project_file: str | None) -> bool:
    file = diagnostic.position.file
    return file == project_file or PurePath(file).name in PROJECT_FILES
