"""What `sealing` made of desired tasks, and the secrets of today → the tasks. Reads no manifest, and no other file."""

import posixpath
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from taskspec.address import Address, task_name
from taskspec.desired.assigning import GivenVariables, assign
from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.charting import source_of
from taskspec.desired.confining import WrongFileError
from taskspec.desired.including import ProjectText, ProjectTexts
from taskspec.desired.model import Cell, DeferredTask, Desired, DesiredTask, Giver, LocalFile
from taskspec.desired.resolving import Surroundings, reopen
from taskspec.diagnostics import ManifestError, Position
from taskspec.documents.composing import policies_of
from taskspec.documents.model import AgentSpec, Budget, Project, RemoteSpec, TaskDocument, VariableSpec, VariableType
from taskspec.errors import MissingSecretError, StaleError
from taskspec.inputs import Input
from taskspec.settings import VARIABLE_PREFIX


def project_of(value: Mapping[str, Any], folder: Path) -> Project:
    """Return the project of sealed tasks, in the folder in which it is today."""
    project = value["project"]
    return Project(
        name=project["name"],
        folder=str(folder),
        data_folder=str(folder / project["data"]),
        environment=project["environment"],
        remote=RemoteSpec(**project["remote"]),
        state=project["state"],
        results_path=project["results"],
        budget=Budget(**project["budget"]),
        agents={name: _agent(agent) for name, agent in project["agents"].items()},
        variables={one["name"]: _variable(one) for one in value["variables"]},
        env_allow=tuple(project["env"]),
    )


def unsealed(value: Mapping[str, Any], project: Project, given: GivenVariables, surroundings: Surroundings) -> Desired:
    """Return the tasks.

    Raises MissingSecretError where a secret is not given, and StaleError where a task is not what it was.
    """
    tasks = {Address(one["address"]): one for one in value["tasks"]}
    opened = {address: one for address, one in tasks.items() if one["template"] is not None}
    made = _reopened(value, tasks, opened, project, given, surroundings) if opened else {}
    return Desired(
        project=project,
        tasks={address: made[address] if address in opened else _closed(one) for address, one in tasks.items()},
        cells={address: _cell(address, one, {}) for address, one in tasks.items() if one["names"]},
        former={Address(now): Address(before) for now, before in value["former"].items()},
    )


def _closed(one: Mapping[str, Any]) -> DesiredTask:
    return DesiredTask(
        address=Address(one["address"]),
        agent=one["spec"]["agent"],
        title=one["title"],
        spec=one["spec"],
        fingerprint=one["fingerprint"],
        request=one["request"] or {},
        files=tuple(map(_file, one["files"])),
        labels=one["labels"],
        policies=policies_of(one["policies"]),
        assertions=tuple(one["policies"].get("assertions") or ()),
        source=source_of(one["source"]),
        upstream=tuple(map(Address, one["upstream"])),
        file=one["file"],
        noted=_inputs(one),
    )


def _inputs(one: Mapping[str, Any]) -> Mapping[str, Input] | None:
    kept = one["inputs"]
    return None if kept is None else {name: Input(**value) for name, value in kept.items()}


def _reopened(
    value: Mapping[str, Any],
    tasks: Mapping[Address, Mapping[str, Any]],
    opened: Mapping[Address, Mapping[str, Any]],
    project: Project,
    given: GivenVariables,
    surroundings: Surroundings,
) -> Mapping[Address, DesiredTask | DeferredTask]:
    used = {Address(name) for one in opened.values() for name in one["upstream"]}
    cells = {address: _cell(address, one, one["template"]) for address, one in opened.items()}
    cells |= {address: _cell(address, tasks[address], {}) for address in used - opened.keys()}
    formats = {address: tasks[address]["spec"].get("outputFormat", "text") for address in used - opened.keys()}
    asked = {one["name"] for one in value["variables"] if "value" not in one and one["giver"] is not None}
    today = GivenVariables(
        cli=_only(given.cli, asked),
        files=[replace(file, values=_only(file.values, asked)) for file in given.files],
        variables=_only(given.variables, asked),
        environ=_only(given.environ, value["asked"]) | value["environ"],
    )
    assigned, wrong = assign(project, today)
    for name in sorted(asked - assigned.givers.keys()):
        raise MissingSecretError(
            f"the plan needs a value of `{name}`, which is not kept in it",
            hint=f"Give it with `{VARIABLE_PREFIX}{name}`, `--var` or `--var-file`.",
        )
    for name in value["asked"]:
        if name not in given.environ:
            raise MissingSecretError(
                f"the plan needs the environment variable `{name}`, whose value is not kept in it", hint="Set it."
            )
    if wrong:
        raise ManifestError(wrong)
    local = [LocalFile(**file) for one in opened.values() for file in one["files"] if isinstance(file, Mapping)]
    made, found = reopen(
        project,
        cells,
        formats,
        assigned.scope,
        _KeptTexts(Path(project.folder), value["texts"]),
        _KeptFiles(Path(project.folder), {file.path: file for file in local}),
        surroundings,
        _givers(assigned.givers, value),
    )
    if found:
        raise ManifestError(found)
    for address, one in opened.items():
        task = made[address]
        if isinstance(task, DesiredTask) and task.fingerprint != one["fingerprint"]:
            raise StaleError(
                f"`{address}` is not what was planned: an environment variable that its text uses has another value",
                hint="Plan again.",
            )
    return {address: _as_sealed(task, opened[address]) for address, task in made.items()}


def _as_sealed(task: DesiredTask | DeferredTask, one: Mapping[str, Any]) -> DesiredTask | DeferredTask:
    """Return a task with what was noted of it when it was sealed."""
    if isinstance(task, DesiredTask):
        return replace(task, file=one["file"], noted=_inputs(one))
    return replace(task, file=one["file"])


def _givers(givers: Mapping[str, Giver], value: Mapping[str, Any]) -> Mapping[str, Giver]:
    """Return who gave each variable its value, as it was when the plan was made."""
    then = {one["name"]: one["giver"] for one in value["variables"] if one["giver"] is not None}
    return {name: giver._replace(name=then.get(name, giver.name)) for name, giver in givers.items()}


def _only(values: Mapping[str, Any], names: Container[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _cell(address: Address, one: Mapping[str, Any], spec: Mapping[str, Any]) -> Cell:
    source = source_of(one["source"])
    task = TaskDocument(
        address=Address(task_name(address)),
        document=source.document,
        spec=spec,
        source=source,
        labels=one["labels"],
        policies=policies_of(one["policies"]),
    )
    return Cell(task=task, address=address, names=one["names"])


def _file(file: Any) -> LocalFile | str:
    return file if isinstance(file, str) else LocalFile(**file)


def _agent(value: Mapping[str, Any]) -> AgentSpec:
    return AgentSpec(**{**value, "command": tuple(value["command"]), "env_allow": tuple(value["env_allow"])})


def _variable(value: Mapping[str, Any]) -> VariableSpec:
    return VariableSpec(
        name=value["name"],
        type=VariableType(value["type"]),
        has_default="value" in value,
        default=value.get("value"),
        enum=tuple(value["enum"]),
        pattern=value["pattern"],
        sensitive=value["sensitive"],
        position=Position(**value["at"]),
    )


class _KeptTexts(ProjectTexts):
    """The texts that were kept with a plan, in the place of the files of a project."""

    def __init__(self, folder: Path, contents: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(folder)
        self._contents = contents

    def _found(self, entry: str) -> ProjectText:
        path = posixpath.normpath(entry)
        if path not in self._contents:
            raise WrongFileError(f"`{path}` was not read when the plan was made.", "Plan again.")
        self.read[path] = self._contents[path]["sha256"]
        return ProjectText(path=path, text=self._contents[path]["text"])


class _KeptFiles(ProjectFiles):
    """The files that were attached when a plan was made, by their digests."""

    def __init__(self, folder: Path, known: Mapping[str, LocalFile]) -> None:
        super().__init__(folder)
        self._kept = known

    def attach(self, entry: str) -> LocalFile:
        """Return the file that was attached under a name; raises WrongFileError."""
        path = posixpath.normpath(entry)
        if path not in self._kept:
            raise WrongFileError(f"`{path}` was not attached when the plan was made.", "Plan again.")
        self.read[path] = self._kept[path].sha256
        return self._kept[path]
