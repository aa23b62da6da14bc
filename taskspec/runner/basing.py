"""Basing: the documents as they were at another revision: whose settings are trusted, and what they asked for.

Asks no remote and opens no state. What cannot be read is an error, and never taken for nothing.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from taskspec.desired.model import Desired
from taskspec.desired.resolving import resolve
from taskspec.diagnostics import Severity
from taskspec.documents.loading import load, load_project
from taskspec.documents.locating import Place, locate, shown
from taskspec.documents.model import Document, Origin, Project, Source
from taskspec.documents.supplying import SuppliedFile, read_values
from taskspec.documents.trusting import Base, alike_hidden, filled
from taskspec.errors import TaskspecError, UsageError
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import given_by, surroundings_of
from taskspec.runner.rewinding import require_outermost, rewound


def base_of(invocation: Invocation, revision: str, name: str) -> Base:
    """Return the project at the revision that is trusted; TaskspecError where it cannot be told what it is.

    `name` is how people know the revision.
    """
    place = locate(invocation.target)
    require_outermost(place.ground.folder, name, invocation.settings.environ)
    with _rewound(invocation, revision, place) as folder:
        target = _target(place, folder)
        try:
            loaded = load_project(target, invocation.environment)
        except UsageError:  # no such file, no such environment: it says nothing that could be trusted
            return Base(revision=name)
        wrong = next((one for one in loaded.diagnostics if one.severity is Severity.ERROR), None)
        if wrong is not None:
            where = f"{Path(wrong.position.file).name}:{wrong.position.line}"
            raise TaskspecError(
                f"The project at `{name}` is wrong, so nobody can tell what is trusted: {wrong.summary} ({where}).",
                hint="Mend it there first, or name another revision with --base.",
            )
        project = loaded.manifests.project
        held = _placed(project, folder, place, name) if project.document is not None else None
        return Base(revision=name, project=held)


def desired_at(invocation: Invocation, revision: str, after: Project, ports: Ports) -> Desired:
    """Return what the documents asked for at a revision; a task that was wrong there is left out.

    `after` is the project of now: what is secret in it is secret there too.
    """
    place = locate(invocation.target)
    with _rewound(invocation, revision, place) as folder:
        try:
            loaded = load(_target(place, folder), invocation.environment)
        except UsageError:
            return Desired(project=after, tasks={})
        project = alike_hidden(loaded.manifests.project, after)
        project = filled(project) if invocation.offline else project
        manifests = replace(loaded.manifests, project=project)
        files = [_known(read_values(path)[0], project) for path in invocation.variable_files]
        given = given_by(invocation, files, project)
        given = replace(given, cli={name: text for name, text in given.cli.items() if name in project.variables})
        found, _ = resolve(manifests, given, surroundings_of(invocation, after, ports))
        return found


@contextmanager
def _rewound(invocation: Invocation, revision: str, place: Place) -> Iterator[Path]:
    if not revision or revision.startswith("-") or "\0" in revision:
        raise UsageError(f"`{revision}` is no revision of git.", hint="Name a branch, a tag or a commit.")
    with rewound(place.ground.folder, revision, invocation.settings.environ) as folder:
        yield folder


def _target(place: Place, folder: Path) -> Path:
    """Return what stands for the target in a rewound folder: a file alone only where it is a project of its own."""
    alone = place.single is not None and place.project_file is None
    return folder / place.single.name if alone and place.single is not None else folder


def _known(file: SuppliedFile, project: Project) -> SuppliedFile:
    return replace(file, values={name: value for name, value in file.values.items() if name in project.variables})


def _placed(project: Project, folder: Path, place: Place, revision: str) -> Project:
    """Return a project whose document is told to stand in the project folder at a revision."""
    before, here = f"{shown(folder)}/", shown(place.ground.folder)

    def renamed(document: Document) -> Document:
        inner = document.file.removeprefix(before)
        return replace(document, file=f"{os.path.normpath(f'{here}/{inner}')} at {revision}")

    document = renamed(project.document) if project.document is not None else None
    source = project.source
    if source is not None:
        given: Mapping[tuple[str | int, ...], Origin | None] = {
            path: None if origin is None else origin._replace(document=renamed(origin.document))
            for path, origin in source.given.items()
        }
        source = Source(document=renamed(source.document), given=given)
    return replace(project, document=document, source=source)
