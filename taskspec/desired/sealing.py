"""Desired tasks → plain JSON values that hold no secret, and out of which `unsealing` makes the tasks again.

A task whose request is known, and holds no secret, is kept as it is. One that uses results, or secrets, is kept *open*:
as its templates, with everything that these see but the secrets. Renders nothing.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.charting import chart
from taskspec.desired.divulging import written_out
from taskspec.desired.model import DeferredTask, Desired, DesiredTask, LocalFile
from taskspec.desired.scope import names_a_secret
from taskspec.desired.withholding import Kept, kept
from taskspec.diagnostics import ManifestError
from taskspec.documents.defaulting import TASK_POLICIES
from taskspec.documents.model import Project, VariableSpec
from taskspec.documents.salvaging import CELLS

_LEFT_OUT: Final = CELLS | {"moved"}


def sealed(desired: Desired, sending: Collection[Address]) -> dict[str, Any]:
    """Return tasks as plain JSON values; those of `sending` with all that is sent, others as they are shown.

    Raises ManifestError for a secret that is written out in a manifest or a file: nothing could stand for it.
    """
    opened = {address for address in sending if _is_open(desired.tasks[address])}
    held = kept(desired, opened)
    cells = [desired.cells[address] for address in sorted(opened)]
    found = [wrong for cell in cells for wrong in written_out(cell, held.used)]
    if found:
        raise ManifestError(found)
    environ = {name: value for name, value in desired.environ.items() if opened and held.uses(name)}
    used = opened | {one for address in opened for one in desired.tasks[address].upstream}
    return {
        "project": _project(desired.project),
        "variables": [
            _variable(desired, spec, held)
            for spec in desired.project.variables.values()
            if opened and held.uses(spec.name)
        ],
        "environ": {name: value for name, value in environ.items() if held.may_hold("env", name)},
        "asked": sorted(name for name in environ if not held.may_hold("env", name)),
        "texts": {path: {"text": text, "sha256": held.digests[path]} for path, text in held.texts.items()},
        "former": dict(desired.former),
        "tasks": [
            _task(task, desired, is_open=address in opened, is_sent=address in sending, is_used=address in used)
            for address, task in desired.tasks.items()
        ],
    }


def _is_open(task: DesiredTask | DeferredTask) -> bool:
    return isinstance(task, DeferredTask) or names_a_secret(dict(task.spec))


def _task(
    task: DesiredTask | DeferredTask, desired: Desired, *, is_open: bool, is_sent: bool, is_used: bool
) -> dict[str, Any]:
    cell = desired.cells[task.address]
    spec = cell.task.spec
    return {
        "address": task.address,
        "title": task.title,
        "labels": dict(task.labels),
        "names": dict(cell.names) if is_used else {},
        "upstream": list(task.upstream),
        "policies": {name: spec[name] for name in (*TASK_POLICIES, "assertions") if name in spec},
        "spec": dict(task.spec),
        "fingerprint": task.fingerprint if isinstance(task, DesiredTask) else None,
        "request": dict(task.request) if is_sent and not is_open and isinstance(task, DesiredTask) else None,
        "template": {name: value for name, value in spec.items() if name not in _LEFT_OUT} if is_open else None,
        "files": [_file(file, desired) for file in _files(task)],
        "source": chart(task.source, whole=is_open),
        "inputs": _inputs(task) if is_sent else None,
        "file": task.file,
    }


def _inputs(task: DesiredTask | DeferredTask) -> dict[str, Any] | None:
    """Return what the rendering of a task depended on; None where it is to be rendered with results."""
    found = task.inputs if isinstance(task, DesiredTask) else None
    return None if found is None else {name: asdict(one) for name, one in found.items()}


def _files(task: DesiredTask | DeferredTask) -> Iterable[LocalFile | str | Mapping[str, Any]]:
    if isinstance(task, DesiredTask):
        return task.files
    shown = task.spec.get("files")
    return [entry for entry in shown if isinstance(entry, Mapping)] if isinstance(shown, list) else ()


def _file(file: LocalFile | str | Mapping[str, Any], desired: Desired) -> Any:
    match file:
        case str():
            return file
        case LocalFile():
            return {"path": file.path, "sha256": file.sha256, "size": file.size}
        case _:
            return {**file, "size": (Path(desired.project.folder) / file["path"]).stat().st_size}


def _variable(desired: Desired, spec: VariableSpec, held: Kept) -> dict[str, Any]:
    known = desired.variables.get(spec.name)
    is_secret = spec.sensitive or not held.may_hold("vars", spec.name)
    is_kept = spec.name in desired.variables and not is_secret
    return {
        "name": spec.name,
        "type": spec.type.value,
        "sensitive": spec.sensitive,
        "pattern": spec.pattern,
        "enum": [] if is_secret else list(spec.enum),
        "at": spec.position.as_json,
        "giver": desired.givers[spec.name].name if spec.name in desired.givers else None,
        **({"value": known} if is_kept else {}),
    }


def _project(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "environment": project.environment,
        "remote": asdict(project.remote),
        "data": os.path.relpath(project.data_folder, project.folder),
        "state": project.state,
        "results": project.results_path,
        "budget": asdict(project.budget),
        "agents": {name: asdict(agent) for name, agent in project.agents.items()},
        "env": list(project.env_allow),
    }
