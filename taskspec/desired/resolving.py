"""Documents + given variables → desired: each task expanded, rendered, checked again, normalised and fingerprinted.

Reads the project's own files, and nothing else; a task that has an error is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from taskspec.address import Address, task_name
from taskspec.desired.assigning import GivenVariables, assign
from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.composing import desired_task, items_of, not_known_yet, written_triggers
from taskspec.desired.depending import Declared, Dependencies, depend
from taskspec.desired.enclosing import Encloser
from taskspec.desired.entangling import circular, entangled, misfits
from taskspec.desired.including import ProjectTexts
from taskspec.desired.making import Making
from taskspec.desired.model import Cell, DeferredTask, Desired, DesiredTask, Giver
from taskspec.desired.moving import former_addresses
from taskspec.desired.multiplying import multiply
from taskspec.desired.normalising import SENT
from taskspec.desired.ordering import ordered
from taskspec.desired.rechecking import TRIGGERS, recheck, unfit_triggers
from taskspec.desired.results import Whatever, WrongResultError, known, later
from taskspec.desired.scope import Scope
from taskspec.desired.templating import SpecRenderer
from taskspec.desired.workshop import Maker
from taskspec.diagnostics import Diagnostic, ManifestError
from taskspec.documents.model import Manifests, Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What resolving needs to know of the world; without a cache folder no compiled template is kept."""

    takes_local_files: bool
    cache_folder: Path | None = None


def resolve(
    manifests: Manifests, given: GivenVariables, surroundings: Surroundings
) -> tuple[Desired, tuple[Diagnostic, ...]]:
    """Return what the manifests ask for, and every diagnostic at once."""
    assigned, found = assign(manifests.project, given, is_known=manifests.knows_project)
    texts = ProjectTexts(Path(manifests.project.folder))
    cache_folder = surroundings.cache_folder
    if cache_folder is not None and cache_folder.resolve().is_relative_to(Path(manifests.project.folder).resolve()):
        cache_folder = None  # what is kept is code: nobody who writes a project may put any there
    renderer = SpecRenderer(assigned.scope, cache_folder, texts)
    files = ProjectFiles(Path(manifests.project.folder))
    maker = Maker(manifests.project, assigned.givers, renderer, texts, files)
    resolver = _Resolver(manifests.project, renderer, surroundings, files, maker)
    try:
        tasks = resolver.resolve(manifests)
    finally:
        renderer.close()
    desired = Desired(
        project=manifests.project,
        tasks=tasks,
        cells=resolver.cells,
        former=resolver.former,
        givers=assigned.givers,
        variables=assigned.scope.masked["vars"],
        environ=assigned.scope.masked["env"],
        files=texts.read | resolver.files.read,
        texts={path: digest for path, digest in texts.read.items() if path in texts.shown},
        sought=frozenset(texts.sought | resolver.files.sought),
    )
    return desired, found + renderer.findings.all(resolver.declared)


def reopen(
    project: Project,
    cells: Mapping[Address, Cell],
    formats: Mapping[Address, str],
    scope: Scope,
    texts: ProjectTexts,
    files: ProjectFiles,
    surroundings: Surroundings,
    givers: Mapping[str, Giver],
) -> tuple[Mapping[Address, DesiredTask | DeferredTask], tuple[Diagnostic, ...]]:
    """Return the tasks of cells that were resolved before, and what is wrong with them now.

    `formats` are those of the results of the cells that are only used by others.
    """
    renderer = SpecRenderer(scope, None, texts)
    maker = Maker(project, givers, renderer, texts, files)
    resolver = _Resolver(project, renderer, surroundings, files, maker)
    try:
        tasks = resolver.reopened(cells, formats)
    finally:
        renderer.close()
    return tasks, renderer.findings.all(resolver.declared)


class _Resolver:
    """Resolves the tasks of one project."""

    def __init__(
        self, project: Project, renderer: SpecRenderer, surroundings: Surroundings, files: ProjectFiles, maker: Maker
    ) -> None:
        self._renderer = renderer
        self._findings = renderer.findings
        self._project = project
        self.files = files
        self._declared = Declared(cells={})
        self._formats: dict[Address, str] = {}
        takes_local_files = surroundings.takes_local_files
        self._maker = maker
        self._encloser = Encloser(self.files, self._formats, takes_local_files=takes_local_files)
        self._flawed: frozenset[str] = frozenset()
        self.former: Mapping[Address, Address] = {}

    @property
    def declared(self) -> Iterable[Address]:
        """Return the addresses of all cells, of wrong tasks too."""
        return self._declared.cells

    @property
    def cells(self) -> Mapping[Address, Cell]:
        """Return every task that is declared, whether it is right or not."""
        if not self._flawed:
            return self._declared.cells
        return {
            address: cell for address, cell in self._declared.cells.items() if cell.task.address not in self._flawed
        }

    def resolve(self, manifests: Manifests) -> dict[Address, DesiredTask | DeferredTask]:
        """Return every task that is right, each behind its upstream."""
        self._flawed = frozenset(task.address for task in manifests.flawed)
        self._declared = multiply(manifests, self._renderer, self.files)
        self.former = former_addresses(self._declared.cells, self._flawed, self._renderer.value, self._findings)
        return self._resolved(self._declared.cells)

    def reopened(
        self, cells: Mapping[Address, Cell], formats: Mapping[Address, str]
    ) -> dict[Address, DesiredTask | DeferredTask]:
        """Return the tasks of some cells; what is known of a result's format belongs to a cell that is only used."""
        self._declared = Declared(cells=cells)
        self._formats.update(formats)
        return self._resolved({address: cell for address, cell in cells.items() if address not in formats})

    def _resolved(self, cells: Mapping[Address, Cell]) -> dict[Address, DesiredTask | DeferredTask]:
        waits: dict[Address, Dependencies] = {}
        for address, cell in cells.items():
            if self._declared.is_exhausted() or self._findings.are_many:
                waits[address] = Dependencies(sound=False)
                continue
            before = len(self._findings)
            waits[address], found = depend(
                cell,
                self._declared,
                partial(self._renderer.value, cell),
                partial(self._renderer.references, cell),
                partial(self._renderer.reference_position, cell),
            )
            self._findings.note(found)
            if self._declared.is_exhausted():
                self._findings.note([entangled(cell)])
            if len(self._findings) > before:
                waits[address] = replace(waits[address], sound=False)
        order, circles = ordered({address: found.upstream for address, found in waits.items()})
        for circle in {frozenset(map(task_name, circle)): circle for circle in reversed(circles)}.values():
            wrong = circular(circle, waits[circle[0]])
            self._findings.cell = None
            self._findings.note([wrong])
        tasks: dict[Address, DesiredTask | DeferredTask] = {}
        for address in order:
            task = self._task(self._declared.cells[address], waits[address])
            if task is not None:
                tasks[address] = task
        return tasks

    def _task(self, cell: Cell, waits: Dependencies) -> DesiredTask | DeferredTask | None:
        if cell.task.address in self._flawed:
            self._renderer.render(cell, SENT, Whatever(), ahead=True)
            return None
        if not waits.sound:
            self._desired(cell, waits, Whatever(), ahead=True)
            return None
        if not waits.uses:
            return self._desired(cell, waits, None)
        self._findings.note(misfits(waits, self._formats))
        shown = self._desired(cell, waits, later(waits.uses), ahead=True)
        if shown is None:
            return None
        return DeferredTask(
            address=shown.address,
            agent=shown.agent,
            title=shown.title,
            spec=shown.spec,
            labels=shown.labels,
            policies=shown.policies,
            assertions=shown.assertions,
            source=shown.source,
            upstream=shown.upstream,
            uses=waits.used,
            finish=partial(self._finished, cell, waits),
            file=shown.file,
            making=shown.making,
        )

    def _finished(self, cell: Cell, waits: Dependencies, results: Mapping[Address, str]) -> DesiredTask:
        before = len(self._findings)
        try:
            names = known(waits.uses, results, self._declared.cells)
            task = self._desired(cell, waits, names, results=results)
        except WrongResultError as fault:
            wrong = Diagnostic(summary="Wrong result", detail=fault.detail, hint=fault.hint, position=fault.use.place())
            raise ManifestError([wrong]) from fault
        if task is None:
            raise ManifestError(self._findings.take(before))
        return task

    def _desired(
        self,
        cell: Cell,
        waits: Dependencies,
        tasks: Mapping[str, Any] | None,
        *,
        results: Mapping[Address, str] | None = None,
        ahead: bool = False,
    ) -> DesiredTask | None:
        """Return a cell resolved; None where something is wrong with it."""
        before = len(self._findings)
        triggers = self._triggers(cell)
        rendered = self._renderer.render(cell, SENT, tasks, ahead=ahead)
        if rendered is None or len(self._findings) > before:
            return None
        unknown = not_known_yet(cell, rendered) if ahead else {}
        if unknown:
            rendered = rendered.without(unknown)
        if rendered.templates:
            self._findings.note(recheck(cell.task, rendered, self._project))
        if len(self._findings) > before:
            return None
        files, found = self._encloser.enclosed(cell, rendered.real.get("files") or (), waits, results)
        self._findings.note(found)
        if len(self._findings) > before:
            return None
        task = desired_task(cell, rendered, files, triggers)
        if unknown:
            task = replace(task, spec={**task.spec, **unknown})
        self._formats[cell.address] = task.spec.get("outputFormat", "text")
        making = Making(
            maker=self._maker,
            source=task.source,
            templates=(*rendered.templates, *written_triggers(cell)),
            own=cell.names,
            matrix=cell.task.spec.get("matrix") if cell.names else None,
            each=cell.task.spec.get("forEach") if cell.names else None,
            items=items_of(cell),
            tasks=tasks,
        )
        file = self._maker.within(cell.task.document.file)
        return replace(task, upstream=waits.upstream, file=file, making=making)

    def _triggers(self, cell: Cell) -> Mapping[str, Any]:
        """Return the values whose change is a reason to run again; what is wrong with them is noted."""
        rerun = cell.task.spec.get("rerun")
        written = rerun.get("triggers") if isinstance(rerun, Mapping) else None
        if not written:
            return {}
        before = len(self._findings)
        real, masked = self._renderer.value(cell, written, TRIGGERS)
        failed = len(self._findings) > before
        sound = {name: (real[name], masked[name]) for name in real if not failed or real[name] is not None}
        self._findings.note(unfit_triggers(cell.task, sound))
        found: Mapping[str, Any] = masked
        return found
