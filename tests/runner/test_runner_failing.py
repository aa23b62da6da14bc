"""A remote in this process that fails while an apply waits: it ends, records what is known, and says why."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from taskspec.errors import EngineError
from taskspec.events import Effect, RunCreated
from taskspec.runner import applying


@pytest.fixture
def failing(ports, monkeypatch):
    """Let the engine fail as soon as a run is created."""
    connect = ports.connect

    @asynccontextmanager
    async def connected(project, need):
        async with connect(project, need) as link:
            yield replace(link, failure=lambda: EngineError("the engine has ended") if ports.told(RunCreated) else None)

    monkeypatch.setattr(ports, "connect", connected)
    monkeypatch.setattr(applying, "_LOOK", 0.01)
    return ports


def test_an_apply_does_not_outlast_its_engine(failing):
    failing.remote.scripts["Write."] = [["executing"]]
    failing.task()
    with pytest.raises(EngineError, match="the engine has ended"):
        failing.apply()
    finished = failing.finished()["a"]
    assert (finished.effect, finished.verdict) == (Effect.CUT, "active")
    assert failing.records()["a"].generation.last.run == "run-1"
