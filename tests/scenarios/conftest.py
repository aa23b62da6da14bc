"""The project folder of a scenario."""

import sys
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
    return made
