"""octoDNS, the program that taskspec is measured against, in a virtual environment of its own. Measures nothing."""

import subprocess
import venv
from pathlib import Path

from measuring import CommandError, Subject

NO_CHANGES = "No changes were planned"


def install(folder: Path) -> None:
    """Make the virtual environment with octoDNS in it, unless it is there."""
    if (folder / "bin" / "octodns-sync").exists():
        return
    venv.create(folder, with_pip=True, clear=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "octodns"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"octoDNS cannot be installed; pip said:\n{done.stderr.strip()}")


def version(folder: Path) -> str:
    """Return the version that is installed, as in `octoDNS 1.2.3`."""
    code = "from importlib.metadata import version; print('octoDNS', version('octodns'))"
    done = subprocess.run([str(folder / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def plan(folder: Path, project: Path) -> Subject:
    """Return octoDNS's plan of a project as something to measure."""
    return Subject(
        name="octodns-sync",
        command=[str(folder / "bin" / "octodns-sync"), "--config-file", "octodns.yaml", "--quiet"],
        folder=project,
        expected=NO_CHANGES,
    )
