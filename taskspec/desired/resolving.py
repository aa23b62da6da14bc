"""Documents + given variables → desired: each task rendered, checked again, normalised and fingerprinted.

Reads the project's local files, for their digests, and nothing else; a task that has an error is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taskspec.desired.assigning import GivenVariables, assign
from taskspec.desired.attaching import ProjectFiles, WrongFileError, checked_url, is_url
from taskspec.desired.fingerprinting import fingerprint
from taskspec.desired.model import Desired, DesiredTask, LocalFile
from taskspec.desired.normalising import SENT, SENT_ONLY, normalised, without_secrets
from taskspec.desired.rechecking import recheck
from taskspec.desired.templating import RenderedSpec, SpecRenderer
from taskspec.diagnostics import Diagnostic
from taskspec.documents.model import Manifests, Project, TaskDocument

if TYPE_CHECKING:
    from taskspec.address import Address


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What resolving needs to know of the world; without a cache folder no compiled template is kept."""

    takes_local_files: bool
    cache_folder: Path | None = None


def resolve(
    manifests: Manifests, given: GivenVariables, surroundings: Surroundings
) -> tuple[Desired, tuple[Diagnostic, ...]]:
    """Return what the manifests ask for, and every diagnostic at once."""
    scope, found = assign(manifests.project, given)
    resolver = _Resolver(manifests.project, SpecRenderer(scope, surroundings.cache_folder), surroundings)
    tasks: dict[Address, DesiredTask] = {}
    try:
        for task in manifests.tasks:
            resolved = resolver.resolve(task)
            if resolved is not None:
                tasks[task.address] = resolved
    finally:
        resolver.renderer.close()
    return Desired(project=manifests.project, tasks=tasks), found + tuple(resolver.diagnostics)


class _Resolver:
    """Resolves the tasks of one project, one after the other."""

    def __init__(self, project: Project, renderer: SpecRenderer, surroundings: Surroundings) -> None:
        self.renderer = renderer
        self.diagnostics = renderer.diagnostics
        self._project = project
        self._takes_local_files = surroundings.takes_local_files
        self._files = ProjectFiles(Path(project.folder))

    def resolve(self, task: TaskDocument) -> DesiredTask | None:
        """Return a task resolved; None where something is wrong with it."""
        before = len(self.diagnostics)
        rendered = self.renderer.render(task, SENT)
        if rendered is None:
            return None
        if rendered.templated:
            self.diagnostics.extend(recheck(task, rendered, self._project))
        if len(self.diagnostics) > before:
            return None
        files = self._attached(task, rendered.real.get("files") or ())
        return None if len(self.diagnostics) > before else _desired(task, rendered, files)

    def _attached(self, task: TaskDocument, entries: Sequence[str]) -> tuple[LocalFile | str, ...]:
        found: list[LocalFile | str] = []
        for index, entry in enumerate(entries):
            try:
                found.append(checked_url(entry) if is_url(entry) else self._local(entry))
            except WrongFileError as fault:
                position = task.source.position(("files", index))
                self.diagnostics.append(
                    Diagnostic(summary="Wrong file", detail=fault.detail, hint=fault.hint, position=position)
                )
        return tuple(found)

    def _local(self, entry: str) -> LocalFile:
        if not self._takes_local_files:
            raise WrongFileError(
                f"`{entry}` is a local path, but the remote takes only URLs.",
                "Give a URL that the agent can read, or put the text into the prompt instead.",
            )
        return self._files.attach(entry)


def _desired(task: TaskDocument, rendered: RenderedSpec, files: tuple[LocalFile | str, ...]) -> DesiredTask:
    request = normalised(rendered.real)
    title = " ".join(str(request.get("title", "")).split()) or str(task.address)
    request["title"] = title
    masked = request if rendered.masked is rendered.real else normalised(rendered.masked)
    spec = without_secrets({name: value for name, value in masked.items() if name not in SENT_ONLY})
    if files:
        request["files"] = [file.path if isinstance(file, LocalFile) else file for file in files]
        spec["files"] = [
            {"path": file.path, "sha256": file.sha256} if isinstance(file, LocalFile) else file for file in files
        ]
    return DesiredTask(
        address=task.address,
        agent=request["agent"],
        title=title,
        spec=spec,
        fingerprint=fingerprint(spec),
        request=request,
        files=files,
        labels=task.labels,
        policies=task.policies,
        assertions=tuple(task.spec.get("assertions") or ()),
        source=task.source,
    )
