"""The ports of each story, onto a scripted remote and a project folder of its own."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from runner_ports import ScriptedPorts

from taskspec.apply import performing, sending, settling
from taskspec.observed import refreshing


@pytest.fixture
def ports(tmp_path, monkeypatch):
    folder = tmp_path / "sales"
    folder.mkdir()
    made = ScriptedPorts(folder)
    made.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: {remote: xpander}\n", "taskspec.yaml"
    )
    for module in (performing, sending, settling):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=made.remote.clock.sleep))
    monkeypatch.setattr(refreshing, "SECOND_LOOK", 0.01)
    return made
