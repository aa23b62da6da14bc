"""Programs from the package index, each in a virtual environment of its own. Runs none of them."""

import subprocess
import venv
from pathlib import Path

from measuring import CommandError


def install(folder: Path, package: str, program: str) -> Path:
    """Return the program of a package, installed into the virtual environment `folder` unless it is there."""
    path, done_before = folder / "bin" / program, folder / f".{package}"
    if path.exists() and done_before.exists():
        return path
    venv.create(folder, with_pip=True, clear=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandError(f"{package} cannot be installed; pip said:\n{done.stderr.strip()}")
    done_before.touch()
    return path


def version(folder: Path, package: str) -> str:
    """Return the version that is installed, as in `octodns 1.2.3`."""
    code = f"from importlib.metadata import version; print({package!r}, version({package!r}))"
    done = subprocess.run([str(folder / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
