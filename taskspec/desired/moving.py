"""What tasks say of their former names (`moved`): for each address, the one that it had before. Knows no state."""

import re
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from taskspec.address import Address, cell_address, cell_values, is_address, task_name
from taskspec.desired.dotted import is_template
from taskspec.desired.findings import Findings
from taskspec.desired.model import Cell
from taskspec.diagnostics import Diagnostic

_PATH: Final = ("moved", "from")
_LOOSE: Final = re.compile(r"([a-z0-9][a-z0-9_-]*)\[([^\[\]\"]+)\]")
"""A cell whose values stand there as they are, without the quotes that some of them need."""
_ONE_CELL: Final = (
    "Only one cell can go on with its result: let `from` be an empty text for the others, as in "
    "`{% if matrix.format == 'pdf' %}report[{{ matrix.region }}]{% endif %}`."
)

Rendered = Callable[[Cell, Any, tuple[str | int, ...]], tuple[Any, Any]]
"""Renders a value of a cell's spec at a path: as it is, and masked; what is wrong with it is told elsewhere."""


def former_addresses(
    cells: Mapping[Address, Cell], skipped: Container[str], rendered: Rendered, findings: Findings
) -> Mapping[Address, Address]:
    """Return the former address of each cell that tells one; no two tell the same, and what is wrong is noted.

    `skipped` names the tasks that are wrong already.
    """
    found: dict[Address, Address] = {}
    told: set[Address] = set()
    claims: dict[Address, Address] = {}
    for address, cell in cells.items():
        if "moved" not in cell.task.spec or cell.task.address in skipped:
            continue
        before = _former(cell, rendered, findings)
        if before is None:
            continue
        wrong = _wrong_place(address, before, cells, claims)
        if wrong is not None:
            if cell.task.address not in told:  # the other cells have the same mistake
                findings.cell = None
                findings.note([_diagnostic(cell, *wrong)])
            told.add(cell.task.address)
            continue
        found[address] = before
        claims[before] = address
    findings.cell = None
    return found


def _former(cell: Cell, rendered: Rendered, findings: Findings) -> Address | None:
    """Return the address that a cell tells; None where it tells none, or it is wrong."""
    written = cell.task.spec["moved"]["from"]
    before = len(findings)
    text, masked = rendered(cell, written, _PATH)
    if len(findings) > before or text is None:
        return None
    if text is not masked:
        detail = "A sensitive variable is used in what names a task, which is shown everywhere."
        findings.note([_diagnostic(cell, detail, "Write the name, or use a variable that is not sensitive.")])
        return None
    if isinstance(text, str) and not text.strip():
        return None
    address = _address(text.strip()) if isinstance(text, str) else None
    if address is None:
        detail = f"`{text}` is no name and no address of a task."
        findings.note([_diagnostic(cell, detail, "Write `report` or `report[q1]`, as `taskspec status` shows it.")])
        return None
    keyed = "[" not in address and "[" in cell.address and not is_template(written)
    return Address(address + cell.address[len(task_name(cell.address)) :]) if keyed else address


def _address(text: str) -> Address | None:
    if is_address(text):
        return cell_address(task_name(text), cell_values(text)) if "[" in text else Address(text)
    loose = _LOOSE.fullmatch(text)
    quoted = cell_address(loose[1], loose[2].split(",")) if loose is not None else ""
    return Address(quoted) if is_address(quoted) else None


def _wrong_place(
    address: Address, before: Address, cells: Mapping[Address, Cell], claims: Mapping[Address, Address]
) -> tuple[str, str] | None:
    """Return what is wrong with a former address, and the way out; None where nothing is."""
    if before == address:
        return f"`{address}` says that it was `{before}`, which is its own name.", "Write the former name."
    if before in cells:
        return (
            f"`{address}` says that it was `{before}`, and `{before}` is still declared.",
            "A record has one task: remove that one, or the `moved`.",
        )
    if before in claims:
        several = task_name(claims[before]) == task_name(address)
        return (
            f"`{claims[before]}` and `{address}` both say that they were `{before}`.",
            _ONE_CELL if several else "A record has one task: remove the `moved` of the other.",
        )
    return None


def _diagnostic(cell: Cell, detail: str, hint: str) -> Diagnostic:
    return Diagnostic(summary="Wrong move", detail=detail, hint=hint, position=cell.task.source.position(_PATH))
