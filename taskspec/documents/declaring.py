"""Checked documents → the project and its tasks, as values. Reads no file; looks only whether a command is there."""

import posixpath
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address
from taskspec.diagnostics import Diagnostic, Position, nearest
from taskspec.documents.durations import seconds
from taskspec.documents.fitting import misfit
from taskspec.documents.model import (
    LOCAL,
    AgentSpec,
    Document,
    OnRemove,
    Policies,
    Project,
    RemoteSpec,
    Retry,
    Source,
    TaskDocument,
    VariableSpec,
    VariableType,
)

INTERPRETERS: Final = frozenset({"python", "python3"})
"""Commands that are always there: the interpreter that runs taskspec."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """Where a project stands, before its document is read; `search_path` as in `PATH` (None: this process's)."""

    name: str
    folder: Path
    data_folder: Path
    search_path: str | None = field(default=None, repr=False)


def bare_project(ground: Ground) -> Project:
    """Return the project that has no document: every default holds."""
    return Project(name=ground.name, folder=str(ground.folder), data_folder=str(ground.data_folder))


def declare_project(document: Document, ground: Ground) -> Project:
    """Return the project that a checked document declares."""
    spec = document.value.get("spec") or {}
    return replace(
        bare_project(ground),
        name=document.value["metadata"]["name"],
        remote=_remote(spec.get("remote", LOCAL)),
        results_path=posixpath.normpath(spec.get("results", {}).get("path", "results")),
        agents={name: _agent(name, written) for name, written in spec.get("agents", {}).items()},
        variables={name: _variable(document, name, written) for name, written in spec.get("variables", {}).items()},
        document=document,
    )


def declare_task(document: Document, defaults: Policies) -> TaskDocument:
    """Return the task that a checked document declares, its policies over the project's `defaults`."""
    metadata, spec = document.value["metadata"], document.value["spec"]
    return TaskDocument(
        address=Address(metadata["name"]),
        document=document,
        spec=spec,
        source=Source(document=document),
        labels=metadata.get("labels", {}),
        policies=merged(defaults, spec),
    )


def default_policies(document: Document | None) -> Policies:
    """Return the policies that every task of a project begins with."""
    spec = (document.value.get("spec") or {}) if document is not None else {}
    policies = merged(Policies(), spec)
    for entry in spec.get("defaults", ()):
        policies = merged(policies, entry["spec"])
    return policies


def merged(policies: Policies, written: Mapping[str, Any]) -> Policies:
    """Lay written policies over others, field by field."""
    if not written.keys() & {"retry", "onRemove", "timeout"}:
        return policies
    retry = written.get("retry", {})
    return Policies(
        retry=Retry(
            max_attempts=retry.get("maxAttempts", policies.retry.max_attempts),
            statuses=tuple(retry.get("statuses", policies.retry.statuses)),
            backoff=seconds(retry["backoff"]) if "backoff" in retry else policies.retry.backoff,
        ),
        on_remove=OnRemove(written.get("onRemove", policies.on_remove)),
        timeout=seconds(written["timeout"]) if "timeout" in written else policies.timeout,
    )


def check_project(project: Project, search_path: str | None) -> Iterator[Diagnostic]:
    """Find what is wrong with a declared project beyond its form."""
    document = project.document
    if document is None:
        return
    yield from _results_trouble(project, document)
    written = (document.value.get("spec") or {}).get("remote")
    if isinstance(written, Mapping) and project.remote.type == LOCAL:
        for name in [name for name in written if name != "type"]:
            detail = f"`{name}` means nothing to the remote `local`."
            position = document.position(("spec", "remote", name), key=True)
            yield Diagnostic(summary="Unused field", detail=detail, hint="Remove it.", position=position)
    for variable in project.variables.values():
        yield from _variable_trouble(variable, document)
    if project.remote.type == LOCAL:
        for agent in project.agents.values():
            if agent.command:
                yield from _command_trouble(agent, project, document, search_path)


def unknown_agent(agent: str, project: Project, position: Position) -> Diagnostic | None:
    """Say that the embedded engine has no such agent; None where it has, or where another remote runs the tasks."""
    if project.remote.type != LOCAL or agent in project.agents:
        return None
    example = f"Declare it in the project: `agents: {{{agent}: {{command: [python, agents/{agent}.py]}}}}`."
    return Diagnostic(
        summary="Unknown agent",
        detail=f"The project declares no agent `{agent}`.",
        hint=f"{nearest(agent, project.agents)} {example}".strip(),
        position=position,
    )


def _results_trouble(project: Project, document: Document) -> Iterator[Diagnostic]:
    path = project.results_path
    if path.startswith(("/", "~")) or path.split("/")[0] in {"..", ".", ".taskspec", ".git"}:
        yield Diagnostic(
            summary="Results folder",
            detail="`spec.results.path` must be a folder of its own within the project, relative to it.",
            hint="Write, for example, `results: {path: results}`.",
            position=document.position(("spec", "results", "path")),
        )


def _variable_trouble(variable: VariableSpec, document: Document) -> Iterator[Diagnostic]:
    place = ("spec", "variables", variable.name)
    for index, item in enumerate(variable.enum):
        if words := misfit(replace(variable, enum=()), item):
            position = document.position((*place, "enum", index))
            yield Diagnostic(
                summary="Wrong value", detail=f"A value of the variable `{variable.name}` {words}.", position=position
            )
    if variable.has_default and (words := misfit(variable, variable.default)):
        position = document.position((*place, "default"))
        yield Diagnostic(
            summary="Wrong value", detail=f"The default of the variable `{variable.name}` {words}.", position=position
        )


def _command_trouble(
    agent: AgentSpec, project: Project, document: Document, search_path: str | None
) -> Iterator[Diagnostic]:
    program = agent.command[0]
    path = str(Path(project.folder) / program) if "/" in program else program
    if program in INTERPRETERS or ("\0" not in path and shutil.which(path, path=search_path)):
        return
    where = "under the project folder" if "/" in program and not program.startswith("/") else "on this machine"
    yield Diagnostic(
        summary="Command not found",
        detail=f"The agent `{agent.name}` runs `{program}`, and no such program is {where}.",
        hint="Install it, make the file executable, or correct the command.",
        position=document.position(("spec", "agents", agent.name, "command", 0)),
    )


def _remote(written: str | Mapping[str, Any]) -> RemoteSpec:
    if isinstance(written, str):
        return RemoteSpec(type=written)
    return RemoteSpec(
        type=written["type"],
        base_url=written.get("baseUrl"),
        organization=written.get("organization"),
        api_key_env=written.get("apiKey", {}).get("env"),
    )


def _agent(name: str, written: Mapping[str, Any]) -> AgentSpec:
    return AgentSpec(
        name=name,
        command=tuple(written.get("command", ())),
        timeout=seconds(written["timeout"]) if "timeout" in written else None,
        env_allow=tuple(written.get("env", {}).get("allow", ())),
    )


def _variable(document: Document, name: str, written: Mapping[str, Any]) -> VariableSpec:
    return VariableSpec(
        name=name,
        type=VariableType(written.get("type", VariableType.STRING)),
        has_default="default" in written,
        default=written.get("default"),
        enum=tuple(written.get("enum", ())),
        sensitive=written.get("sensitive", False),
        description=written.get("description", ""),
        position=document.position(("spec", "variables", name), key=True),
    )


def fitting_name(text: str) -> str:
    """Return a valid name that is made of any text."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:128] or "project"
