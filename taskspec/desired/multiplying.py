"""The tasks of a project → all of their cells, and what is wrong with them. Renders nothing but what names cells."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.budgeting import weight
from taskspec.desired.depending import Declared
from taskspec.desired.expanding import Room, WrongCellsError, expand
from taskspec.desired.model import Cell
from taskspec.desired.tabulating import Tables
from taskspec.desired.templating import SpecRenderer
from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.documents.locating import shown
from taskspec.documents.model import Manifests, TaskDocument
from taskspec.documents.salvaging import CELLS

if TYPE_CHECKING:
    from taskspec.address import Address


def multiply(manifests: Manifests, renderer: SpecRenderer, files: ProjectFiles) -> Declared:
    """Return the cells of all tasks; what is wrong with them is noted."""
    findings = renderer.findings
    cells: dict[Address, Cell] = {}
    broken = set(manifests.broken)
    empty: list[TaskDocument] = []
    room, tables = Room(), Tables(files)
    for task in (*manifests.tasks, *manifests.flawed):
        if room.left < 0 and ("matrix" in task.spec or "forEach" in task.spec or task.source.given):
            broken.add(task.address)
            continue
        before = len(findings)
        plain = Cell(task=task, address=task.address)
        try:
            found = list(expand(task, partial(renderer.value, plain), tables.items, room))
            carried = {name: value for name, value in task.spec.items() if name not in CELLS}
            room.repeat(weight(carried) * (len(found) - (not task.source.given)))
        except WrongCellsError as fault:
            broken.add(task.address)
            if len(findings) == before:
                findings.cell = None
                findings.note([_wrong_cells(task, fault, manifests.project.folder)])
            continue
        if not found:
            empty.append(task)
        cells.update((cell.address, cell) for cell in found)
    severity = Severity.WARNING if cells or broken else Severity.ERROR
    findings.cell = None
    findings.note([_no_cell(task, severity) for task in empty])
    return Declared(cells=cells, broken=frozenset(broken), is_whole=manifests.is_whole)


def _wrong_cells(task: TaskDocument, fault: WrongCellsError, folder: str) -> Diagnostic:
    position, detail = task.source.position(fault.path, key=fault.key), fault.detail
    if fault.file is not None:
        file, (line, column) = fault.file
        detail += f" It is read at {position}."
        position = Position(file=shown(Path(folder) / file), line=line, column=column)
    return Diagnostic(summary="Wrong cells", detail=detail, hint=fault.hint, position=position)


def _no_cell(task: TaskDocument, severity: Severity) -> Diagnostic:
    """Say that a task has no cell: on purpose perhaps, but a project in which nothing is declared is a mistake."""
    field = "matrix" if "matrix" in task.spec else "forEach"
    return Diagnostic(
        summary="No cell",
        detail=f"The `{field}` of `{task.address}` gives no cell, so nothing is declared by it.",
        hint="Look at its lists; what was applied before is no longer declared.",
        position=task.source.position((field,), key=True),
        severity=severity,
    )
