"""The project folder of a scenario."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from scenario_workspaces import Workspace


@pytest.fixture
def workspace(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    made = Workspace(folder, tmp_path / "cache")
    made.shell("echo", "cat")
    made.shell("slow", 'echo "$TASKSPEC_RUN_ID" >> started; cat; sleep 600')
    yield made
    for at_work in Path("/proc").glob("[0-9]*/cwd"):  # as an agent whose engine was killed, which would wait on
        with suppress(OSError):
            if at_work.readlink().is_relative_to(tmp_path):
                os.kill(int(at_work.parent.name), signal.SIGKILL)
