"""What one failure on the way of a run costs: a little time, and never the run or the engine."""

import sqlite3
import threading

import pytest
from patience import PATIENCE, until

from taskspec.engine import dispatching, launching
from taskspec.engine.runs import RunStore


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(dispatching, "PAUSES", (0.01, 0.01))


def test_the_earlier_turns_of_a_run_that_cannot_be_read_once_are_read_again(project, monkeypatch):
    earlier, refusals = RunStore.earlier, []

    async def refused_once(self, run):
        if not refusals:
            refusals.append(run)
            raise sqlite3.OperationalError("disk I/O error")
        return await earlier(self, run)

    monkeypatch.setattr(RunStore, "earlier", refused_once)
    with project.engine() as engine:
        run = engine.run("echo", "one")["id"]
        after = engine.run("echo", "two", id=run)
        assert (after["status"], after["result"], refusals) == ("completed", "two", [run])


def test_what_a_run_was_given_and_cannot_be_removed_costs_neither_the_run_nor_the_engine(project, monkeypatch):

    def refused(run, config):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(launching, "clear", refused)
    with project.engine(parallelism=1) as engine:
        assert [engine.run("echo", text)["result"] for text in ("one", "two")] == ["one", "two"]


def test_a_stop_before_the_agent_is_started_is_recorded_although_the_database_refuses_once(project, monkeypatch):
    prepare, change = launching.prepare, RunStore.change
    reached, go, refusals = threading.Event(), threading.Event(), []

    def prepared(*given):
        reached.set()
        assert go.wait(PATIENCE)
        return prepare(*given)

    async def refused_once(self, run, decide):
        if reached.is_set() and not refusals:
            refusals.append(run)
            raise sqlite3.OperationalError("disk I/O error")
        return await change(self, run, decide)

    monkeypatch.setattr(launching, "prepare", prepared)
    monkeypatch.setattr(RunStore, "change", refused_once)
    with project.engine() as engine:
        run = engine.create("echo")["id"]
        assert reached.wait(PATIENCE)
        leash = engine.handle._engine.dispatcher._active[run]
        threading.Thread(target=lambda: (until(leash.cut.done), go.set())).start()
        stopped = engine.stop(run)
        assert (stopped["status"], stopped["is_manually_stopped"], refusals) == ("stopped", True, [run])
