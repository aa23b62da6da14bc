"""The stage of each test, with a clock that only moves when somebody sleeps."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from apply_stages import Stage

from taskspec.apply import performing, sending, settling
from taskspec.observed import refreshing


@pytest.fixture
def stage(tmp_path, monkeypatch):
    made = Stage(tmp_path)
    for module in (performing, sending, settling):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=made.clock.sleep))
    monkeypatch.setattr(refreshing, "SECOND_LOOK", 0.01)
    return made
