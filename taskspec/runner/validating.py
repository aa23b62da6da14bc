"""validate: whether the documents are right, the short way where that is known already. Changes nothing anywhere."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from taskspec.diagnostics import Diagnostic
from taskspec.documents.loading import load_project, manifest_files
from taskspec.documents.model import Project
from taskspec.documents.remembering import Memory
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.planning import Prepared, given_by, prepare, selected_tasks, surroundings_of
from taskspec.runner.vouching import Valid, Vouchers, basis


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """Documents that are right, how many of their tasks are selected, and what is to be said of them nevertheless."""

    valid: Valid
    selected: int
    warnings: tuple[Diagnostic, ...] = ()


def validate(invocation: Invocation, ports: Ports) -> Validated:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    memory = Memory(invocation.settings.cache_folder, invocation.target)
    vouchers = _vouchers(invocation)
    if vouchers is not None and (known := _known(vouchers, memory, invocation, ports)) is not None:
        return Validated(valid=known, selected=known.tasks)
    prepared = prepare(invocation, ports, memory)
    desired = prepared.desired
    selected = len(selected_tasks(prepared, invocation, ports))
    valid = Valid(project=desired.project.name, tasks=len(desired.tasks), skipped=prepared.skipped)
    if vouchers is not None:
        _vouch(vouchers, valid, basis(_question(invocation, ports, desired.project), memory.read_files), prepared)
    return Validated(valid=valid, selected=selected, warnings=prepared.warnings)


def _vouchers(invocation: Invocation) -> Vouchers | None:
    """Return what is vouched for; None for a question that is asked anew each time."""
    cache_folder, target = invocation.settings.cache_folder, os.path.realpath(invocation.target)
    if cache_folder is None or not os.path.isdir(target):  # noqa: PTH112  # a text, no path
        return None
    if invocation.variable_files or not invocation.selection.everything:
        return None
    return Vouchers(cache_folder, target)


def _known(vouchers: Vouchers, memory: Memory, invocation: Invocation, ports: Ports) -> Valid | None:
    files = None if vouchers.nothing else manifest_files(invocation.target)
    if files is None:
        return None
    loaded = load_project(invocation.target, invocation.environment, runs_agents=True)
    project = loaded.manifests.project
    if loaded.diagnostics or _has_secrets(project):
        return None
    digests = {path: memory.look_ahead(path) for path in files}
    on = basis(_question(invocation, ports, project), digests)
    return vouchers.get(on, Path(project.folder)) if on is not None else None


def _vouch(vouchers: Vouchers, valid: Valid, on: str | None, prepared: Prepared) -> None:
    """Vouch for an outcome of which everything is known that it rests on."""
    desired = prepared.desired
    if on is None or desired.files is None or prepared.warnings or _has_secrets(desired.project):
        return
    vouchers.put(on, valid, desired.files)


def _question(invocation: Invocation, ports: Ports, project: Project) -> dict[str, Any]:
    given = given_by(invocation, ())
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
