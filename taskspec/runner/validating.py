"""validate: whether the documents are right, the short way where that is known already. Changes nothing anywhere."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskspec.desired.model import Desired
from taskspec.diagnostics import Diagnostic
from taskspec.documents.loading import load_project, manifest_files
from taskspec.documents.model import Project
from taskspec.documents.remembering import Memory
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.planning import given_to, prepare, require_declared, surroundings_of
from taskspec.runner.vouching import Valid, Vouchers, basis


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated:
    """Documents that are right, and what is to be said of them nevertheless."""

    valid: Valid
    warnings: tuple[Diagnostic, ...] = ()


def validate(invocation: Invocation, ports: Ports) -> Validated:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    target = Path(os.path.realpath(invocation.target))
    cache_folder = invocation.settings.cache_folder
    memory = Memory(cache_folder, target)
    vouchers = None
    if cache_folder is not None and target.is_dir() and not invocation.addresses:
        vouchers = Vouchers(cache_folder, target)
        if (known := _known(vouchers, memory, invocation, ports)) is not None:
            return Validated(valid=known)
    prepared = prepare(invocation, ports, memory)
    desired = prepared.desired
    require_declared(invocation.addresses, desired.tasks)
    valid = Valid(project=desired.project.name, tasks=len(desired.tasks), skipped=prepared.skipped)
    if vouchers is not None and not prepared.warnings:
        _vouch(vouchers, memory, invocation, ports, desired, valid)
    return Validated(valid=valid, warnings=prepared.warnings)


def _known(vouchers: Vouchers, memory: Memory, invocation: Invocation, ports: Ports) -> Valid | None:
    files = manifest_files(invocation.target)
    if files is None:
        return None
    loaded = load_project(invocation.target)
    project = loaded.manifests.project
    if loaded.diagnostics or _has_secrets(project):
        return None
    digests = {path: memory.look_ahead(path) for path in files}
    on = basis(_question(invocation, ports, project), digests)
    return vouchers.get(on, Path(project.folder)) if on is not None else None


def _vouch(
    vouchers: Vouchers, memory: Memory, invocation: Invocation, ports: Ports, desired: Desired, valid: Valid
) -> None:
    on = basis(_question(invocation, ports, desired.project), memory.read_files)
    if on is not None and desired.files is not None and not _has_secrets(desired.project):
        vouchers.put(on, valid, desired.files)


def _question(invocation: Invocation, ports: Ports, project: Project) -> dict[str, Any]:
    return {
        "target": invocation.target,
        "folder": project.folder,
        "environment": project.environment,
        "given": given_to(invocation),
        "surroundings": surroundings_of(invocation, project, ports),
    }


def _has_secrets(project: Project) -> bool:
    return any(variable.sensitive for variable in project.variables.values())
