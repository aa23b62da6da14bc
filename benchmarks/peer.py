"""octoDNS, the program that plans are measured against. Measures nothing."""

from pathlib import Path

from measuring import Subject

PACKAGE = "octodns"
PROGRAM = "octodns-sync"

NO_CHANGES = "No changes were planned"


def plan(folder: Path, project: Path) -> Subject:
    """Return octoDNS's plan of a project as something to measure."""
    return Subject(
        name="octodns-sync",
        command=[str(folder / "bin" / "octodns-sync"), "--config-file", "octodns.yaml", "--quiet"],
        folder=project,
        expected=NO_CHANGES,
    )
