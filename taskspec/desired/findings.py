"""What is found wrong while tasks are resolved: each thing once, with the cells that have it. Finds nothing itself."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from taskspec.address import Address, task_name
from taskspec.diagnostics import Diagnostic

MAX_FINDINGS: Final = 1000
"""With more of them nothing else is looked at."""


class Findings:
    """Diagnostics in the order in which they were found."""

    def __init__(self) -> None:
        self.cell: Address | None = None
        """Whose mistakes are noted now."""
        self._cells: dict[Diagnostic, set[Address]] = {}

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def are_many(self) -> bool:
        """Tell whether there are so many that nothing else is to be looked at."""
        return len(self) > MAX_FINDINGS

    def note(self, found: Iterable[Diagnostic]) -> None:
        """Keep findings: many cells of one task have the same."""
        for finding in found:
            cells = self._cells.setdefault(finding, set())
            if self.cell is not None:
                cells.add(self.cell)

    def take(self, start: int) -> list[Diagnostic]:
        """Return the findings from a place on, and forget them."""
        taken = list(self._cells)[start:]
        for finding in taken:
            del self._cells[finding]
        return taken

    def all(self, declared: Iterable[Address] = ()) -> tuple[Diagnostic, ...]:
        """Return every finding; one that only some of the declared cells of its task have names one of them."""
        totals: dict[str, int] = {}
        for address in declared:
            name = task_name(address)
            totals[name] = totals.get(name, 0) + 1
        return tuple(_naming(finding, cells, totals) for finding, cells in self._cells.items())


def _naming(finding: Diagnostic, cells: set[Address], totals: Mapping[str, int]) -> Diagnostic:
    if len(cells) >= sum(totals.get(name, 0) for name in {task_name(cell) for cell in cells}):
        return finding
    others = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
    return replace(finding, detail=f"{finding.detail} This is so in `{min(cells)}`{others}.")
