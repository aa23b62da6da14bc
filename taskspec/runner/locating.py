"""Locating: the project of a command that looks after runs, and needs no task to be right. Renders nothing."""

from taskspec.diagnostics import ManifestError, Severity
from taskspec.documents.loading import load, load_project
from taskspec.documents.model import Project, TaskDocument
from taskspec.runner.model import Invocation


def project_of(invocation: Invocation) -> Project:
    """Return the project; raise ManifestError only for what is wrong with the project itself, not with its tasks."""
    loaded = load_project(invocation.target, invocation.environment)
    wrong = [finding for finding in loaded.diagnostics if finding.severity is Severity.ERROR]
    if wrong:
        raise ManifestError(wrong)
    return loaded.manifests.project


def declared_by(invocation: Invocation) -> tuple[TaskDocument, ...]:
    """Return the tasks that are declared soundly; what is wrong with others is for `validate` to tell."""
    return load(invocation.target, invocation.environment).manifests.tasks
