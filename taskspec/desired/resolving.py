"""Documents + given variables → desired: each task expanded, rendered, checked again, normalised and fingerprinted.

Reads the project's own files, and nothing else; a task that has an error is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from taskspec.address import Address, task_name
from taskspec.desired.assigning import GivenVariables, assign
from taskspec.desired.attaching import ProjectFiles, checked_url, is_url
from taskspec.desired.budgeting import weight
from taskspec.desired.confining import WrongFileError
from taskspec.desired.depending import MAX_LOOKED, Declared, Dependencies, depend
from taskspec.desired.expanding import Room, WrongCellsError, expand
from taskspec.desired.fingerprinting import fingerprint
from taskspec.desired.including import ProjectTexts
from taskspec.desired.model import Cell, DeferredTask, Desired, DesiredTask, LocalFile
from taskspec.desired.normalising import SENT, SENT_ONLY, normalised, without_secrets
from taskspec.desired.ordering import ordered
from taskspec.desired.rechecking import recheck
from taskspec.desired.results import Whatever, WrongResultError, known, later, result_file, words
from taskspec.desired.tabulating import Tables
from taskspec.desired.templating import RenderedSpec, SpecRenderer
from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.documents.locating import shown
from taskspec.documents.model import Manifests, Project, TaskDocument


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
    resolver = _Resolver(manifests.project, renderer, surroundings)
    try:
        tasks = resolver.resolve(manifests)
    finally:
        renderer.close()
    desired = Desired(
        project=manifests.project,
        tasks=tasks,
        cells=resolver.cells,
        givers=assigned.givers,
        variables=assigned.scope.masked["vars"],
        environ=assigned.scope.masked["env"],
        files=texts.read | resolver.files.read,
    )
    return desired, found + renderer.findings.all(resolver.declared)


class _Resolver:
    """Resolves the tasks of one project."""

    def __init__(self, project: Project, renderer: SpecRenderer, surroundings: Surroundings) -> None:
        self._renderer = renderer
        self._findings = renderer.findings
        self._project = project
        self._takes_local_files = surroundings.takes_local_files
        self.files = ProjectFiles(Path(project.folder))
        self._declared = Declared(cells={})
        self._formats: dict[Address, str] = {}
        self._flawed: frozenset[str] = frozenset()

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
        self._declared = self._expanded(manifests)
        waits: dict[Address, Dependencies] = {}
        for address, cell in self._declared.cells.items():
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
                self._findings.note([self._entangled(cell)])
            if len(self._findings) > before:
                waits[address] = replace(waits[address], sound=False)
        order, circles = ordered({address: found.upstream for address, found in waits.items()})
        for circle in {frozenset(map(task_name, circle)): circle for circle in reversed(circles)}.values():
            wrong = self._circular(circle, waits[circle[0]])
            self._findings.cell = None
            self._findings.note([wrong])
        tasks: dict[Address, DesiredTask | DeferredTask] = {}
        for address in order:
            task = self._task(self._declared.cells[address], waits[address])
            if task is not None:
                tasks[address] = task
        return tasks

    def _expanded(self, manifests: Manifests) -> Declared:
        cells: dict[Address, Cell] = {}
        broken = set(manifests.broken)
        room, tables = Room(), Tables(self.files)
        for task in (*manifests.tasks, *manifests.flawed):
            if room.left < 0 and ("matrix" in task.spec or "forEach" in task.spec or task.source.given):
                broken.add(task.address)
                continue
            before = len(self._findings)
            plain = Cell(task=task, address=task.address)
            try:
                found = list(expand(task, partial(self._renderer.value, plain), tables.items, room))
                room.repeat(weight(task.spec) * (len(found) - (not task.source.given)))
            except WrongCellsError as fault:
                broken.add(task.address)
                if len(self._findings) == before:
                    self._findings.cell = None
                    self._findings.note([self._wrong_cells(task, fault)])
                continue
            cells.update((cell.address, cell) for cell in found)
        return Declared(cells=cells, broken=frozenset(broken), is_whole=manifests.is_whole)

    def _wrong_cells(self, task: TaskDocument, fault: WrongCellsError) -> Diagnostic:
        position, detail = task.source.position(fault.path, key=fault.key), fault.detail
        if fault.file is not None:
            file, (line, column) = fault.file
            detail += f" It is read at {position}."
            position = Position(file=shown(Path(self._project.folder) / file), line=line, column=column)
        return Diagnostic(summary="Wrong cells", detail=detail, hint=fault.hint, position=position)

    def _circular(self, circle: Sequence[Address], waits: Dependencies) -> Diagnostic:
        following = circle[1 % len(circle)]
        whole = " → ".join([*circle, circle[0]])
        detail = f"Each of these tasks waits for the next: {whole}. Here, `{circle[0]}` waits for `{following}`."
        return Diagnostic(
            summary="Tasks in a circle",
            detail=detail if len(circle) > 1 else f"`{circle[0]}` waits for itself.",
            hint="Remove one of the dependencies: in `dependsOn`, or in a template that uses `tasks`.",
            position=waits.place(following),
        )

    def _entangled(self, cell: Cell) -> Diagnostic:
        return Diagnostic(
            summary="Too many dependencies",
            detail=f"The tasks of the project wait for more than {MAX_LOOKED:,} others, counted at each of them.",
            hint="Let one task wait for the many, and the others for that one.",
            position=cell.task.document.position(("metadata", "name")),
        )

    def _task(self, cell: Cell, waits: Dependencies) -> DesiredTask | DeferredTask | None:
        if cell.task.address in self._flawed:
            self._renderer.render(cell, SENT, Whatever(), ahead=True)
            return None
        if not waits.sound:
            self._desired(cell, waits, Whatever(), ahead=True)
            return None
        if not waits.uses:
            return self._desired(cell, waits, None)
        self._findings.note(self._misfits(waits))
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
        )

    def _misfits(self, waits: Dependencies) -> list[Diagnostic]:
        """Find uses of the JSON of results that are not asked for as JSON."""
        return [
            Diagnostic(
                summary="Wrong dependency",
                detail=f"The JSON of `{address}` is used, and `{address}` asks for {self._formats[address]}.",
                hint=f"Write `outputFormat: json` in `{address}`, or use tasks…result.",
                position=use.place(),
            )
            for use in waits.uses
            for address in use.addresses
            if use.member == "json" and self._formats.get(address, "json") != "json"
        ]

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
        rendered = self._renderer.render(cell, SENT, tasks, ahead=ahead)
        if rendered is None:
            return None
        if rendered.templated:
            self._findings.note(recheck(cell.task, rendered, self._project))
        if len(self._findings) > before:
            return None
        files = self._attached(cell, rendered.real.get("files") or (), results)
        if len(self._findings) > before:
            return None
        task = _normalised(cell, rendered, files)
        self._formats[cell.address] = task.spec.get("outputFormat", "text")
        return replace(task, upstream=waits.upstream) if waits.upstream else task

    def _attached(
        self, cell: Cell, entries: Sequence[Any], results: Mapping[Address, str] | None
    ) -> tuple[LocalFile | str, ...]:
        found: list[LocalFile | str] = []
        for index, entry in enumerate(entries):
            try:
                found.append(self._file(entry, results))
            except WrongFileError as fault:
                position = cell.task.source.position(("files", index))
                wrong = Diagnostic(summary="Wrong file", detail=fault.detail, hint=fault.hint, position=position)
                self._findings.note([wrong])
        return tuple(found)

    def _file(self, entry: Any, results: Mapping[Address, str] | None) -> LocalFile | str:
        if isinstance(entry, str) and is_url(entry):
            return checked_url(entry)
        if not self._takes_local_files:
            what = f"`{entry}` is a local path" if isinstance(entry, str) else "A result is no URL"
            raise WrongFileError(
                f"{what}, but the remote takes only URLs.",
                "Give a URL that the agent can read, or put the text into the prompt instead.",
            )
        if isinstance(entry, str):
            return self.files.attach(entry)
        address = Address(entry["task"])
        if results is None:
            return words([address])
        if address not in results:
            raise WrongFileError(f"`{address}` comes from a template.", "Write `{task: …}` in the list itself.")
        return result_file(address, results[address], self._formats.get(address, "text"))


def _normalised(cell: Cell, rendered: RenderedSpec, files: tuple[LocalFile | str, ...]) -> DesiredTask:
    task = cell.task
    request = normalised(rendered.real)
    title = " ".join(str(request.get("title", "")).split()) or str(cell.address)
    request["title"] = title
    masked = request if rendered.masked is rendered.real else normalised(rendered.masked)
    spec = without_secrets({name: value for name, value in masked.items() if name not in SENT_ONLY})
    if files:
        request["files"] = [file.path if isinstance(file, LocalFile) else file for file in files]
        spec["files"] = [
            {"path": file.path, "sha256": file.sha256} if isinstance(file, LocalFile) else file for file in files
        ]
    return DesiredTask(
        address=cell.address,
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
