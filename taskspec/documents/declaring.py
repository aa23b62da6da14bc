"""Checked documents → the project and its tasks, as values. Reads no file; looks only whether a command is there."""

import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, Position, nearest
from taskspec.documents.denying import policies_of, repeated_policies
from taskspec.documents.durations import seconds
from taskspec.documents.fitting import check_variables, declaration_trouble
from taskspec.documents.keeping import state_trouble
from taskspec.documents.model import (
    LOCAL,
    AgentSpec,
    Budget,
    Document,
    GivenValue,
    Limits,
    Origin,
    Project,
    RemoteSpec,
    Source,
    VariableSpec,
    VariableType,
)
from taskspec.documents.overlaying import Overlay, environment_of
from taskspec.documents.places import LOCAL_PLACE
from taskspec.documents.project_files import hint_above, is_closed
from taskspec.settings import DEFAULT_ENVIRONMENT

INTERPRETERS: Final = frozenset({"python", "python3"})
"""Commands that are always there: the interpreter that runs taskspec."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """Where a project stands, before its document is read; `search_path` as in `PATH` (None: this process's)."""

    name: str
    folder: Path
    data_folder: Path
    environment: str = DEFAULT_ENVIRONMENT
    search_path: str | None = field(default=None, repr=False)


def bare_project(ground: Ground) -> Project:
    """Return the project that has no document: every default holds."""
    return Project(
        name=ground.name,
        folder=str(ground.folder),
        data_folder=str(ground.data_folder),
        environment=ground.environment,
        results_path=_results_path({}, ground.environment),
    )


def declare_project(document: Document, ground: Ground) -> Project:
    """Return the project that a checked document declares, in the environment of its ground."""
    spec, source = _in_environment(document, ground.environment)
    given = environment_of(document, ground.environment)
    place = ("spec", "environments", ground.environment, "variables")
    return replace(
        bare_project(ground),
        name=document.value["metadata"]["name"],
        remote=_remote(spec.get("remote", LOCAL)),
        state=spec.get("state", LOCAL_PLACE),
        results_path=_results_path(given.get("results", {}), ground.environment, spec.get("results", {})),
        agents={name: _agent(name, written) for name, written in spec.get("agents", {}).items()},
        variables={name: _variable(document, name, written) for name, written in spec.get("variables", {}).items()},
        values={
            name: GivenValue(value, document.position((*place, name), key=True), document.position((*place, name)))
            for name, value in given.get("variables", {}).items()
        },
        limits=_limits(spec.get("limits", {})),
        budget=_budget(spec.get("budget", {})),
        policies=policies_of(document, ground.environment),
        env_allow=tuple(spec.get("env", {}).get("allow", ())),
        document=document,
        source=source,
    )


def check_flawed(document: Document, flaws: Iterable[tuple[str | int, ...]]) -> Iterator[Diagnostic]:
    """Find what else is wrong with the variables of a project's document whose form has flaws at these paths."""
    spec, flawed = document.value.get("spec"), {path[:3] for path in flaws}
    variables = spec.get("variables") if isinstance(spec, Mapping) else None
    for name, written in variables.items() if isinstance(variables, Mapping) else ():
        if ("spec", "variables", name) not in flawed:
            yield from declaration_trouble(_variable(document, name, written), document)


def check_project(project: Project, search_path: str | None, *, runs_agents: bool = True) -> Iterator[Diagnostic]:
    """Find what is wrong with a declared project beyond its form; agents' programs are looked for only to run them."""
    document, source = project.document, project.source
    if document is None or source is None:
        return
    yield from _results_trouble(project, source)
    yield from state_trouble(document)
    yield from _shared_results(document)
    written = _in_environment(document, project.environment)[0].get("remote")
    if isinstance(written, Mapping) and project.remote.type == LOCAL:
        for name in [name for name in written if name != "type"]:
            detail = f"`{name}` means nothing to the remote `local`."
            position = source.position(("remote", name), key=True)
            yield Diagnostic(summary="Unused field", detail=detail, hint="Remove it.", position=position)
    yield from check_variables(project, document)
    yield from repeated_policies(document)
    for agent in project.agents.values():
        if not agent.command and not agent.worker:
            yield missing_command(agent.name, source.position(("agents", agent.name), key=True))
        elif runs_agents and agent.command and project.remote.type == LOCAL:
            yield from _command_trouble(agent, project, source, search_path)


def missing_command(name: str, position: Position) -> Diagnostic:
    """Say that nobody carries out the runs of an agent."""
    return Diagnostic(
        summary="Missing field",
        detail=f"`spec.agents.{name}` has neither a `command` nor `worker: true`.",
        hint="Add `command: [program, argument]`, or `worker: true` where workers connect to `taskspec serve`.",
        position=position,
    )


def unknown_agent(agent: str, project: Project, position: Position) -> Diagnostic | None:
    """Say that the embedded engine has no such agent; None where it has, or where another remote runs the tasks."""
    if project.remote.type != LOCAL or agent in project.agents:
        return None
    above = hint_above(project.folder) if project.document is None else ""
    example = f"Declare it in the project: `agents: {{{agent}: {{command: [python, agents/{agent}.py]}}}}`."
    return Diagnostic(
        summary="Unknown agent",
        detail=f"The project declares no agent `{agent}`.",
        hint=above or f"{nearest(agent, project.agents)} {example}".strip(),
        position=position,
    )


def _results_trouble(project: Project, source: Source) -> Iterator[Diagnostic]:
    path = project.results_path
    if path.startswith(("/", "~")) or path.split("/")[0] in {"..", "."} or is_closed(path):
        yield Diagnostic(
            summary="Results folder",
            detail="`spec.results.path` must be a folder of its own within the project, relative to it.",
            hint="Write, for example, `results: {path: results}`.",
            position=source.position(("results", "path")),
        )


def _shared_results(document: Document) -> Iterator[Diagnostic]:
    """Find environments with one results folder: each would write over the files of the other."""
    spec = document.value.get("spec") or {}
    owners = {_results_path({}, DEFAULT_ENVIRONMENT, spec.get("results", {})): DEFAULT_ENVIRONMENT}
    for name, own in spec.get("environments", {}).items():
        folder = _results_path(own.get("results", {}), name, spec.get("results", {}))
        if (other := owners.setdefault(folder, name)) != name:
            yield Diagnostic(
                summary="Results folder",
                detail=f"The environments `{other}` and `{name}` have one folder for their results, `{folder}`: each "
                "would write over the other's files.",
                hint="Give each a folder of its own.",
                position=document.position(("spec", "environments", name, "results", "path")),
            )


def _command_trouble(
    agent: AgentSpec, project: Project, source: Source, search_path: str | None
) -> Iterator[Diagnostic]:
    program = agent.command[0]
    path = str(Path(project.folder) / program) if "/" in program else program
    if program in INTERPRETERS or ("\0" not in path and shutil.which(path, path=search_path)):
        return
    if "\0" not in path and "/" in program and Path(path).is_file():
        yield Diagnostic(
            summary="Command not found",
            detail=f"The agent `{agent.name}` runs `{program}`, and the file may not be executed.",
            hint=f"Make it executable (`chmod +x {program}`), or name what runs it: `command: [python, {program}]`.",
            position=source.position(("agents", agent.name, "command", 0)),
        )
        return
    where = "under the project folder" if "/" in program and not program.startswith("/") else "on this machine"
    yield Diagnostic(
        summary="Command not found",
        detail=f"The agent `{agent.name}` runs `{program}`, and no such program is {where}.",
        hint="Install it, make the file executable, or correct the command.",
        position=source.position(("agents", agent.name, "command", 0)),
    )


def _in_environment(document: Document, environment: str) -> tuple[Mapping[str, Any], Source]:
    """Return the spec that holds in an environment, and where its parts stand."""
    spec = document.value.get("spec") or {}
    own = environment_of(document, environment)
    laid = {name: value for name, value in own.items() if name not in {"variables", "defaults", "policies"}}
    if not laid:
        return spec, Source(document=document)
    overlay = Overlay()
    overlay.value = dict(spec)
    over = own.get("agents", {})
    overlay.value["agents"] = {name: _carried_out(a, over.get(name)) for name, a in spec.get("agents", {}).items()}
    remote = spec.get("remote")
    if "remote" in laid and _type_of(laid["remote"], _type_of(remote)) != _type_of(remote):
        overlay.value.pop("remote", None)
    elif isinstance(remote, str) and isinstance(laid.get("remote"), Mapping):
        overlay.value["remote"] = {"type": remote}
    elif isinstance(laid.get("remote"), str):
        del laid["remote"]
    overlay.lay(laid, Origin(document, ("spec", "environments", environment), f"environment {environment}"))
    return overlay.value, Source(document=document, given=overlay.given)


def _carried_out(agent: Mapping[str, Any], laid: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return an agent without its own way of carrying out runs, where an environment gives it another."""
    if laid is None or not laid.keys() & {"command", "worker"}:
        return agent
    dropped = {"worker"} if "command" in laid else {"command", "env"}
    return {name: value for name, value in agent.items() if name not in dropped}


def _type_of(remote: Any, otherwise: str = LOCAL) -> str:
    """Return the type of a remote as it is written."""
    return remote if isinstance(remote, str) else str((remote or {}).get("type", otherwise))


def _results_path(own: Mapping[str, Any], environment: str, common: Mapping[str, Any] | None = None) -> str:
    """Return the folder of results: the environment's own, or a folder of its name in the common one."""
    path = posixpath.normpath((common or {}).get("path", "results"))
    if "path" in own:
        return str(posixpath.normpath(own["path"]))
    return path if environment == DEFAULT_ENVIRONMENT else f"{path}/{environment}"


def _remote(written: str | Mapping[str, Any]) -> RemoteSpec:
    if isinstance(written, str):
        return RemoteSpec(type=written)
    return RemoteSpec(
        type=written.get("type", LOCAL),
        base_url=written.get("baseUrl"),
        organization=written.get("organization"),
        api_key_env=written.get("apiKey", {}).get("env"),
    )


def _limits(written: Mapping[str, Any]) -> Limits:
    return Limits(
        max_create=written.get("maxCreate"),
        max_stop=written.get("maxStop"),
        max_stop_percent=written.get("maxStopPercent"),
    )


def _budget(written: Mapping[str, Any]) -> Budget:
    return Budget(
        max_runs=written.get("maxRuns"),
        max_tokens=written.get("maxTokens"),
        per=seconds(written["per"]) if "per" in written else None,
    )


def _agent(name: str, written: Mapping[str, Any]) -> AgentSpec:
    return AgentSpec(
        name=name,
        command=tuple(written.get("command", ())),
        worker="worker" in written,
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
        pattern=written.get("pattern", ""),
        sensitive=written.get("sensitive", False),
        description=written.get("description", ""),
        position=document.position(("spec", "variables", name), key=True),
    )


def fitting_name(text: str) -> str:
    """Return a valid name that is made of any text."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:128] or "project"
