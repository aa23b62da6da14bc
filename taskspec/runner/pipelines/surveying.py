"""A folder → the project in it, and its repository, as a pipeline sees them. Writes nothing, and asks no program."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from taskspec.diagnostics import ManifestError, Severity
from taskspec.documents.loading import load_project
from taskspec.documents.model import LOCAL, Project
from taskspec.documents.places import PlaceKind, place_of
from taskspec.errors import TaskspecError
from taskspec.runner.pipelines.model import Surveyed
from taskspec.settings import DEFAULT_ENVIRONMENT

_KEY: Final = "XPANDER_API_KEY"
_STATE: Final = "TASKSPEC_STATE"
_OPENING: Final = {
    PlaceKind.LOCAL: (),
    PlaceKind.POSTGRES: ("PGPASSWORD",),
    PlaceKind.OBJECTS: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"),
    PlaceKind.HTTP: ("TF_HTTP_USERNAME", "TF_HTTP_PASSWORD"),
}
_EXTRAS: Final = {
    PlaceKind.LOCAL: ("objectstore", "postgres"),  # that another place will be named is all that is known
    PlaceKind.POSTGRES: ("postgres",),
    PlaceKind.OBJECTS: ("objectstore",),
    PlaceKind.HTTP: (),
}
_USUAL: Final = ("main", "master", "trunk")
_BRANCH: Final = re.compile(r"[\w][\w./-]*")
_FOLDER: Final = re.compile(r"[\w.][\w./-]*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET: Final = re.compile(r"\w+_(KEY|TOKEN|SECRET|PASSWORD)")


def repository_of(folder: Path) -> Path:
    """Return the folder of the repository that a folder is in; the folder itself where it is in none."""
    here = Path(os.path.realpath(folder))
    return next((above for above in (here, *here.parents) if os.path.lexists(above / ".git")), here)


def new_project(name: str, folder: Path) -> Surveyed:
    """Return what a project is like that `init` is about to write."""
    return Surveyed(
        project=name,
        **_standing(folder),
        environments=(DEFAULT_ENVIRONMENT,),
        forgetful=(DEFAULT_ENVIRONMENT,),
        secrets=(_STATE,),
        extras=_EXTRAS[PlaceKind.LOCAL],
    )


def survey(folder: Path) -> Surveyed:
    """Read a project with all its environments; ManifestError for what is wrong with it."""
    plain = _project(folder, DEFAULT_ENVIRONMENT)
    spec = plain.document.value.get("spec", {}) if plain.document else {}
    environments = tuple(spec.get("environments", {})) or (DEFAULT_ENVIRONMENT,)
    projects = [_project(folder, environment) for environment in environments]
    kinds = {project.environment: place_of(project.state).kind for project in projects}
    keys = [project.remote.api_key_env or _KEY for project in projects if project.remote.type != LOCAL]
    agents = [agent for project in projects if project.remote.type == LOCAL for agent in project.agents.values()]
    opening = [name for kind in kinds.values() for name in _OPENING[kind]]
    own = [*keys, _STATE, *opening]
    return Surveyed(
        project=plain.name,
        **_standing(folder),
        environments=environments,
        forgetful=tuple(name for name, kind in kinds.items() if kind is PlaceKind.LOCAL),
        secrets=tuple(_variables(own)),
        agent_secrets=tuple(
            name
            for name in _variables(name for agent in agents for name in agent.env_allow)
            if _SECRET.fullmatch(name) and name not in own
        ),
        extras=tuple(sorted({extra for kind in kinds.values() for extra in _EXTRAS[kind]})),
    )


def _project(folder: Path, environment: str) -> Project:
    loaded = load_project(folder, environment)
    wrong = [finding for finding in loaded.diagnostics if finding.severity is Severity.ERROR]
    if wrong:
        raise ManifestError(wrong)
    return loaded.manifests.project


def _standing(folder: Path) -> Mapping[str, Any]:
    repository = repository_of(folder)
    inside = os.path.relpath(os.path.realpath(folder), repository)
    if not _FOLDER.fullmatch(inside):
        raise TaskspecError(
            f"The pipeline could not name the folder `{inside}` safely.",
            hint="Give it a name of letters, digits, `-`, `_` and `.`.",
        )
    return {"folder": inside, "branch": _branch(repository)}


def _branch(repository: Path) -> str:
    """Return the branch that others start from, as far as files tell: what a clone was made of, else a usual name."""
    origin = _referred(repository / ".git/refs/remotes/origin/HEAD").removeprefix("refs/remotes/origin/")
    current = _referred(repository / ".git/HEAD").removeprefix("refs/heads/")
    if _BRANCH.fullmatch(origin):
        return origin
    return current if current in _USUAL else _USUAL[0]


def _referred(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip().removeprefix("ref: ")
    return ""


def _variables(names: Iterable[str]) -> Iterator[str]:
    yield from (name for name in dict.fromkeys(names) if _VARIABLE.fullmatch(name))
