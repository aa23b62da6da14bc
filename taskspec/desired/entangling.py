"""What can be wrong between tasks: circles, too many dependencies, results of another format. Resolves nothing."""

from collections.abc import Mapping, Sequence

from taskspec.address import Address
from taskspec.desired.depending import MAX_LOOKED, Dependencies
from taskspec.desired.model import Cell
from taskspec.diagnostics import Diagnostic


def circular(circle: Sequence[Address], waits: Dependencies) -> Diagnostic:
    """Return what is wrong with tasks each of which waits for the next."""
    following = circle[1 % len(circle)]
    whole = " → ".join([*circle, circle[0]])
    detail = f"Each of these tasks waits for the next: {whole}. Here, `{circle[0]}` waits for `{following}`."
    return Diagnostic(
        summary="Tasks in a circle",
        detail=detail if len(circle) > 1 else f"`{circle[0]}` waits for itself.",
        hint="Remove one of the dependencies: in `dependsOn`, or in a template that uses `tasks`.",
        position=waits.place(following),
    )


def entangled(cell: Cell) -> Diagnostic:
    """Return what is wrong where more is waited for than is looked at, told at one of the tasks."""
    return Diagnostic(
        summary="Too many dependencies",
        detail=f"The tasks of the project wait for more than {MAX_LOOKED:,} others, counted at each of them.",
        hint="Let one task wait for the many, and the others for that one.",
        position=cell.task.document.position(("metadata", "name")),
    )


def misfits(waits: Dependencies, formats: Mapping[Address, str]) -> list[Diagnostic]:
    """Find uses of the JSON of results that are not asked for as JSON."""
    return [
        Diagnostic(
            summary="Wrong dependency",
            detail=f"The JSON of `{address}` is used, and `{address}` asks for {formats[address]}.",
            hint=f"Write `outputFormat: json` in `{address}`, or use tasks…result.",
            position=use.place(),
        )
        for use in waits.uses
        for address in use.addresses
        if use.member == "json" and formats.get(address, "json") != "json"
    ]
