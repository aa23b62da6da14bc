"""Sweeping: one create that the remote carries out twice is found in the pass that made it, told, and told once."""

import pytest
from apply_stages import A, B, task

from taskspec.apply.sweeping import kept_first
from taskspec.events import DuplicatesFound, RunStopped, SweepFailed
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode
from taskspec.report.narrating import Narrator
from taskspec.report.text import Paint
from taskspec.taskapi.records import TaskRecord


def words_of(events):
    said = []
    narrator = Narrator(said.append, Paint(color=False), Tally())
    for event in events:
        narrator.on(event)
    return "\n".join(said)


def test_a_create_that_is_carried_out_twice_is_told_and_nothing_is_stopped(stage):
    stage.remote.sends = ["twice"]
    stage.remote.scripts["Write."] = [["executing"], ["completed"]]
    assert stage.apply(task())[A].verdict == "accepted"
    (found,) = stage.told(DuplicatesFound)
    assert (found.address, found.kept, found.others, found.detail) == (A, "run-2", ("run-1",), "run run-1 is executing")
    assert stage.exit_code() is ExitCode.UNKNOWN
    assert stage.remote.asked["DELETE"] == 0
    assert stage.record().accepted.run == "run-2"
    assert "as 2 runs: run-2 is kept, beside run-1; run run-1 is executing" in words_of([found])


def test_the_other_run_is_stopped_where_that_was_asked_for(stage):
    stage.remote.sends = ["twice"]
    stage.remote.scripts["Write."] = [["executing"], ["completed"]]
    stage.apply(task(), stop_duplicates=True)
    assert [(event.run, event.cause) for event in stage.told(RunStopped)] == [("run-1", "duplicate")]
    assert stage.remote.runs["run-1"].steps == ["stopped"]
    assert stage.exit_code() is ExitCode.UNKNOWN
    assert stage.history()[-1] == "duplicates"


def test_a_duplicate_that_has_ended_is_not_asked_to_stop(stage):
    stage.remote.sends = ["twice"]
    stage.apply(task(), stop_duplicates=True)
    assert stage.told(DuplicatesFound)
    assert stage.remote.asked["DELETE"] == 0


def test_a_duplicate_that_cannot_be_stopped_is_told(stage, monkeypatch):
    stage.remote.sends = ["twice"]
    stage.remote.scripts["Write."] = [["executing"], ["completed"]]

    def refuse(run, writer):
        from fault_server import http

        writer.write(http(422, {"detail": "not now"}))

    monkeypatch.setattr(stage.remote, "_stop", refuse)
    assert stage.apply(task(), stop_duplicates=True)[A].verdict == "accepted"
    (found,) = stage.told(DuplicatesFound)
    assert "run-1" in found.detail
    assert not stage.told(RunStopped)


def test_a_duplicate_is_told_once(stage):
    stage.remote.sends = ["twice"]
    stage.apply(task())
    stage.apply(task(), task("b", "Other."))
    assert not stage.told(DuplicatesFound)
    assert stage.exit_code() is ExitCode.OK


def test_a_duplicate_that_shows_up_late_is_told_by_the_next_pass_that_creates(stage, monkeypatch):
    stage.remote.sends = ["twice"]
    stage.remote.list_lag = 500.0
    stage.apply(task())
    assert not stage.told(DuplicatesFound)
    stage.clock.time += 1_000
    stage.apply(task(), task("b", "Other."))
    assert [found.address for found in stage.told(DuplicatesFound)] == [A]


def test_an_unknown_outcome_with_two_runs_takes_the_earliest_where_the_others_are_stopped(stage):
    stage.remote.sends = ["drop-twice"]
    stage.remote.scripts["Write."] = [["completed"], ["executing"]]
    stage.apply(task(), hold_unknown=True)
    finished = stage.apply(task())[A]
    assert finished.health == "unknown"
    assert "--on-duplicate=stop" in finished.detail
    assert stage.apply(task(), stop_duplicates=True)[A].verdict == "accepted"
    assert stage.record().accepted.run == "run-1"


@pytest.mark.parametrize("number", [1, 20])
def test_a_sweep_costs_one_list_for_each_agent_that_creates_were_sent_to(stage, monkeypatch, number):
    asked = []
    listed = stage.remote._list
    monkeypatch.setattr(stage.remote, "_list", lambda *said: (asked.append(said[:2]), listed(*said)))
    stage.apply(*[task(f"t{n}", f"Write {n}.") for n in range(number)], wait=False)
    assert asked == [("writer", None)]


def test_where_nothing_was_created_nothing_is_listed(stage):
    stage.apply(task())
    stage.remote.asked.clear()
    stage.apply(task())
    assert stage.remote.asked["GET"] <= 1, "the plan of the stage looks at the run"


def test_where_keys_are_kept_nothing_is_swept(stage):
    stage.remote.honours_keys = True
    stage.remote.lists = False
    stage.apply(task(), wait=False)
    assert not stage.told(SweepFailed)


def test_a_sweep_that_could_not_be_made_is_told_and_changes_no_outcome(stage):
    stage.remote.lists = False
    assert stage.apply(task(), task("b", "Other.", agent="editor"))[B].verdict == "accepted"
    assert sorted(event.agent for event in stage.told(SweepFailed)) == ["editor", "writer"]
    assert stage.exit_code() is ExitCode.OK
    assert "twice was not found out" in words_of(stage.told(SweepFailed))


def test_a_refused_create_is_no_reason_to_sweep(stage):
    stage.remote.sends = [422]
    stage.remote.lists = False
    stage.apply(task())
    assert not stage.told(SweepFailed)


def test_the_recorded_run_is_kept_and_else_the_earliest():
    runs = [TaskRecord(id=run, agent_id="writer", status="executing") for run in ("early", "late")]
    assert kept_first(runs, frozenset({"late"}))[0].id == "late"
    assert kept_first(runs, frozenset())[0].id == "early"


def test_the_words_of_the_remote_steer_no_terminal():
    found = DuplicatesFound(address=A, kept="r\x1b[31m1", others=("r2",), detail="::error::x")
    assert "\x1b" not in words_of([found, SweepFailed(agent="w\x1b", detail="\x07")])
