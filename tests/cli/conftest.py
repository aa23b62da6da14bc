"""A checkout of a project, and the scripted remote that its tasks run on."""

import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from commanded_remote import Checkout, CommandedRemote

from taskspec.apply import sending
from taskspec.cli import timing, wiring
from taskspec.observed import refreshing
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.remotes import Traits


@pytest.fixture
def remote():
    with CommandedRemote() as made:
        yield made


@pytest.fixture
def checkout(tmp_path, monkeypatch, capfd, remote):
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SALES_KEY", "k" * 32)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("TASKSPEC_TRACEBACK", "TASKSPEC_ENV", "XPANDER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    hurried = partial(Traits, poll_interval=0.01, quiet_period=0.2, create_timeout=2.0)
    for module in (timing, wiring):
        monkeypatch.setattr(module, "Traits", hurried)
    monkeypatch.setattr(refreshing, "SECOND_LOOK", 0.01)
    monkeypatch.setattr(Patience, "pause", _hurried(Patience.pause))
    monkeypatch.setattr(sending, "_pause", lambda error, tries: 0.01)
    return Checkout(folder, remote, capfd)


def _hurried(pause):
    def hurried(self, failures, stated=None):
        seconds = pause(self, failures, stated)
        return None if seconds is None else min(seconds, 0.01)

    return hurried
