"""Projects of somebody who means harm."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile_projects import HostileProject


@pytest.fixture
def hostile(tmp_path):
    return HostileProject(tmp_path / "project", tmp_path / "cache")
