"""A small disk of its own for a project, where the machine lets us mount one."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "scenarios"))

from scenario_workspaces import Workspace


class Disk:
    """A file system in memory, that can be made smaller, larger and read-only."""

    def __init__(self, folder):
        self.folder = folder

    def mount(self, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], capture_output=True)
        return done.returncode == 0

    def unmount(self):
        subprocess.run(["umount", "-l", self.folder], check=True)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True, capture_output=True)

    def fill(self, leaving=0):
        """Fill the disk up, but for so many bytes."""
        block = b"x" * 4096
        with suppress(OSError), (self.folder / "filler").open("wb") as file:
            while True:
                file.write(block)
                file.flush()  # it fails, in the end
        if leaving:
            with (self.folder / "filler").open("r+b") as file:
                file.truncate(max(0, (self.folder / "filler").stat().st_size - leaving))

    def free(self):
        (self.folder / "filler").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    made = Disk(folder)
    if not made.mount("size=8m"):
        pytest.skip("no file system can be mounted here")
    yield made
    made.unmount()


@pytest.fixture
def workspace(disk, tmp_path):
    """Return a project on the small disk, with its cache elsewhere."""
    made = Workspace(disk.folder, tmp_path / "cache")
    made.shell("echo", "cat; echo >> started")
    made.shell("large", "cat; echo >> started; head -c 600000 /dev/zero | tr '\\0' x")
    made.project()
    made.tasks(**{f"t{n}": {"agent": "echo", "prompt": f"hi {n}"} for n in range(4)})
    return made
