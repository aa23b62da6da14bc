"""Whether what is asked now was asked before, of documents that have not changed since. Reads them, judges nothing."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from taskspec.documents.loading import load_project, manifest_files
from taskspec.documents.model import Project
from taskspec.documents.remembering import Memory
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import Prepared, given_by, surroundings_of
from taskspec.runner.vouching import Valid, Vouchers, basis

NOTHING_MORE: Mapping[str, Any] = {}


def vouchers_of(invocation: Invocation, kind: str) -> Vouchers | None:
    """Return the vouchers of a kind for a target; None for a question that is asked anew each time."""
    cache_folder, target = invocation.settings.cache_folder, os.path.realpath(invocation.target)
    if cache_folder is None or not os.path.isdir(target):  # noqa: PTH112  # a text, no path
        return None
    if invocation.variable_files or not invocation.selection.everything:
        return None
    if invocation.base is not None or invocation.since is not None or invocation.offline:
        return None
    return Vouchers(cache_folder, target, kind)


def project_of(invocation: Invocation) -> Project | None:
    """Return the project alone; None where anything is wrong with it, or where it has secrets."""
    loaded = load_project(invocation.target, invocation.environment, runs_agents=True)
    project = loaded.manifests.project
    return None if loaded.diagnostics or _has_secrets(project) else project


def recognised(
    vouchers: Vouchers,
    project: Project,
    memory: Memory,
    invocation: Invocation,
    ports: Ports,
    more: Mapping[str, Any] = NOTHING_MORE,
) -> Valid | None:
    """Return what was found of the very same documents and question; `more` is what else the outcome rests on."""
    files = manifest_files(invocation.target)
    if files is None:
        return None
    digests = {path: memory.look_ahead(path) for path in files}
    on = basis({**_question(invocation, ports, project), **more}, digests)
    return vouchers.get(on, Path(project.folder)) if on is not None else None


def vouch(
    vouchers: Vouchers,
    valid: Valid,
    prepared: Prepared,
    memory: Memory,
    invocation: Invocation,
    ports: Ports,
    more: Mapping[str, Any] = NOTHING_MORE,
) -> None:
    """Vouch for an outcome of which everything is known that it rests on."""
    desired = prepared.desired
    on = basis({**_question(invocation, ports, desired.project), **more}, memory.read_files)
    if on is None or desired.files is None or prepared.warnings or _has_secrets(desired.project):
        return
    vouchers.put(on, valid, desired.files)


def _question(invocation: Invocation, ports: Ports, project: Project) -> dict[str, Any]:
    given = given_by(invocation, (), project)
    allowed = {name: value for name, value in given.environ.items() if name in project.env_allow}
    return {
        "target": invocation.target,
        "folder": project.folder,
        "environment": invocation.environment,
        "given": replace(given, environ=allowed),
        "surroundings": surroundings_of(invocation, project, ports),
    }


def _has_secrets(project: Project) -> bool:
    return any(variable.sensitive for variable in project.variables.values())
