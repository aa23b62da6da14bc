"""Trusting: which settings of a project hold that a change request may have altered: those of its base. Pure.

Which key goes to which host, what a program may see and run, and what guards a plan is not for those to say who only
ask for a change. What the tasks ask for is theirs.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from taskspec.documents.model import AgentSpec, Project, RemoteSpec, VariableSpec, VariableType
from taskspec.documents.places import LOCAL_PLACE


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The project at the revision that is trusted; `project` is None where that has none, and nothing is trusted."""

    revision: str
    """As it was named."""
    project: Project | None = None


_REMOTE: Final = {
    "type": "remote.type",
    "base_url": "remote.baseUrl",
    "organization": "remote.organization",
    "api_key_env": "remote.apiKey",
}
_PLACEHOLDERS: Final[Mapping[VariableType, Any]] = {
    VariableType.NUMBER: 0,
    VariableType.INTEGER: 0,
    VariableType.BOOLEAN: False,
    VariableType.LIST: [],
    VariableType.MAP: {},
}
"""What stands for a value that is not known, where it cannot be a text that says so."""
_LIMITS: Final = {"max_create": "maxCreate", "max_stop": "maxStop", "max_stop_percent": "maxStopPercent"}
_BUDGET: Final = {"max_runs": "maxRuns", "max_tokens": "maxTokens", "per": "per"}


def trusted(project: Project, base: Base, given: Collection[str]) -> Project:
    """Return a project whose trust settings are those of its base; `given` names the variables that others give.

    A variable that the base does not declare, and that gets its value from outside of the documents, is a secret: it
    may have been meant for something else. What a secret has to look like is not for the project to say: each guess
    would be answered.
    """
    held = base.project
    if held is None:
        return replace(
            project,
            remote=RemoteSpec(),
            state=LOCAL_PLACE,
            agents={},
            variables=_hidden(project.variables, {}, given),
        )
    return replace(
        project,
        name=held.name,
        remote=held.remote,
        state=held.state,
        agents=held.agents,
        variables=_hidden(project.variables, held.variables, given),
        limits=held.limits,
        budget=held.budget,
        policies=held.policies,
    )


def guarded_by(project: Project, base: Base) -> Project:
    """Return a trusted project that says of what guards its plans where the base says it.

    It allows its templates no more than the base does: they have been rendered.
    """
    held = base.project
    if held is None:
        return replace(project, env_allow=())
    return replace(project, document=held.document, source=held.source, env_allow=held.env_allow)


def guarded_like(project: Project, other: Project) -> Project:
    """Return the project of a saved plan, which holds no guards, with those of another project."""
    return replace(project, document=other.document, source=other.source, limits=other.limits, policies=other.policies)


def allowed(environ: Mapping[str, str], project: Project, base: Base) -> dict[str, str]:
    """Return what the templates of a project may see of the process environment: what the base allows, and no more.

    What only the project allows has a placeholder, so that it can be planned what will use it.
    """
    held = base.project.env_allow if base.project is not None else ()
    return {name: environ[name] for name in held if name in environ} | {
        name: placeholder(f"env.{name}") for name in project.env_allow if name not in held
    }


def placeholder(name: str) -> str:
    """Return the text that stands for a value that is not known here."""
    return f"(not known here: {name})"


def filled(project: Project) -> Project:
    """Return a project in which every variable that nothing gives a value has one that stands for it."""
    return replace(
        project,
        variables={
            name: one
            if one.has_default
            else replace(one, has_default=True, default=_PLACEHOLDERS.get(one.type, placeholder(f"vars.{name}")))
            for name, one in project.variables.items()
        },
    )


def alike_hidden(project: Project, other: Project) -> Project:
    """Return a project in which a variable is secret where it is one in another project too."""
    secret = {name for name, variable in other.variables.items() if variable.sensitive}
    return replace(
        project,
        variables={
            name: replace(variable, sensitive=variable.sensitive or name in secret)
            for name, variable in project.variables.items()
        },
    )


def distrusted(project: Project, base: Base) -> tuple[str, ...]:
    """Return the names of the trust settings in which a project differs from its base; never a value."""
    held = base.project
    return () if held is None else (*_differing(project, held), *_misshapen(project, held))


def unlike(planned: Project, merged: Project) -> tuple[str, ...]:
    """Return the names of the trust settings that a saved plan has otherwise than the documents; never a value.

    What guarded it when it was made is not in it: limits and policies are asked once more.
    """
    found = [name for name in _differing(planned, merged) if not name.startswith(("policies", "limits."))]
    secret = [
        f"variables.{name}.sensitive"
        for name, variable in planned.variables.items()
        if name in merged.variables and variable.sensitive is not merged.variables[name].sensitive
    ]
    return tuple(dict.fromkeys([*found, *secret]))


def _hidden(
    variables: Mapping[str, VariableSpec], held: Mapping[str, VariableSpec], given: Collection[str]
) -> dict[str, VariableSpec]:
    return {name: _kept_secret(one, held.get(name), given) for name, one in variables.items()}


def _kept_secret(variable: VariableSpec, held: VariableSpec | None, given: Collection[str]) -> VariableSpec:
    """Return a variable that is secret where it may be, and of which no guess is answered then."""
    if held is not None and held.sensitive:
        return replace(variable, sensitive=True, type=held.type, enum=held.enum, pattern=held.pattern)
    if variable.name in given and (variable.sensitive or held is None):
        form = held or replace(variable, type=VariableType.STRING, enum=(), pattern="")
        return replace(variable, sensitive=True, type=form.type, enum=form.enum, pattern=form.pattern)
    return variable


def _differing(project: Project, held: Project) -> Iterator[str]:
    if project.name != held.name:
        yield "metadata.name"
    yield from _parts(project.remote, held.remote, _REMOTE)
    if project.state != held.state:
        yield "state"
    if set(project.env_allow) != set(held.env_allow):
        yield "env.allow"
    yield from _agents(project.agents, held.agents)
    if [(one.name, one.deny) for one in project.policies] != [(one.name, one.deny) for one in held.policies]:
        yield "policies"
    yield from (f"limits.{name}" for name in _parts(project.limits, held.limits, _LIMITS))
    yield from (f"budget.{name}" for name in _parts(project.budget, held.budget, _BUDGET))
    for name, variable in project.variables.items():
        before = held.variables.get(name)
        if before is not None and before.sensitive and not variable.sensitive:
            yield f"variables.{name}.sensitive"


def _misshapen(project: Project, held: Project) -> Iterator[str]:
    """Yield the secrets of which a project wants another form."""
    for name, variable in project.variables.items():
        before = held.variables.get(name)
        if before is not None and before.sensitive and _form(variable) != _form(before):
            yield f"variables.{name}"


def _form(variable: VariableSpec) -> tuple[object, ...]:
    return variable.type, variable.enum, variable.pattern


def _parts(one: Any, other: Any, names: Mapping[str, str]) -> Iterator[str]:
    known = [field.name for field in fields(one)]
    yield from (names[name] for name in known if getattr(one, name) != getattr(other, name))


def _agents(agents: Mapping[str, AgentSpec], held: Mapping[str, AgentSpec]) -> Iterator[str]:
    for name in sorted({*agents, *held}):
        if agents.get(name) != held.get(name):
            yield f"agents.{name}"
