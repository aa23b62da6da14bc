"""A clock that somebody sets, between and during applies: no quiet period is cut short, and no time-out is early."""

import time

import pytest
from apply_stages import A, task

from taskspec.cli.clock import steady_clock
from taskspec.events import RunStopped
from taskspec.taskapi.remotes import Traits

HOUR, YEAR = 3600.0, 365 * 24 * 3600.0
WHOLE = Traits().create_timeout + Traits().quiet_period
"""Seconds after an intent, and its only sending, after which its absence is believed."""


@pytest.mark.parametrize("jump", [30.0, HOUR, YEAR])
def test_a_clock_that_was_set_back_costs_one_whole_quiet_period_and_no_more(stage, jump):
    stage.remote.sends = ["lose"]
    assert stage.apply(task(), hold_unknown=True)[A].effect == "unknown"
    stage.clock.time -= jump
    began = stage.clock.time
    assert stage.apply(task())[A].verdict == "accepted"
    assert WHOLE <= stage.clock.time - began < WHOLE + 60
    assert len(stage.remote.started("Write.")) == 1


def test_an_intent_of_long_ago_is_decided_at_once(stage):
    stage.remote.sends = ["lose"]
    stage.apply(task(), hold_unknown=True)
    stage.clock.time += HOUR
    began = stage.clock.time
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.clock.time - began < 1


def test_a_run_that_is_there_is_adopted_whatever_the_clock_shows(stage):
    stage.remote.sends = ["drop"]
    stage.apply(task(), hold_unknown=True)
    stage.clock.time -= YEAR
    for run in stage.remote.runs.values():
        run.applies_at = run.listed_at = 0.0
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


@pytest.mark.parametrize("off", [-YEAR, -HOUR, HOUR, YEAR])
def test_a_remote_whose_clock_is_another_stops_no_run_before_its_time(stage, off):
    began = {"status": "executing", "started_at": stage.clock.time + off}
    stage.remote.scripts["Write."] = [[began, began, began, "completed"]]
    finished = stage.apply(task(policies={"timeout": 60.0}))
    assert finished[A].verdict == "accepted"
    assert not stage.told(RunStopped)


@pytest.mark.parametrize("off", [-YEAR, YEAR])
def test_a_run_that_takes_too_long_is_stopped_whatever_the_remote_s_clock_shows(stage, off):
    began = {"status": "executing", "started_at": stage.clock.time + off}
    stage.clock.tick = 1.0
    stage.remote.scripts["Write."] = [[began]]
    finished = stage.apply(task(policies={"timeout": 20.0}))
    assert (finished[A].verdict, [event.cause for event in stage.told(RunStopped)]) == ("failed", ["timeout"])


def test_a_run_that_ends_before_it_began_has_no_length(stage):
    ended = {"status": "completed", "result": "hi", "started_at": 1e9 + HOUR, "finished_at": 1e9}
    stage.remote.scripts["Write."] = [[ended]]
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.attempts()[0].seconds is None


def test_a_moment_that_no_calendar_has_keeps_no_result_from_being_written(stage):
    ended = {"status": "completed", "result": "hi", "started_at": 1e18, "finished_at": -1e18}
    stage.remote.scripts["Write."] = [[ended]]
    assert stage.apply(task())[A].verdict == "accepted"
    assert (stage.folder / "results" / "a.txt").read_text() == "hi"


def test_the_clock_of_a_command_does_not_jump(monkeypatch):
    now = steady_clock()
    before, real = now(), time.time
    assert abs(before - real()) < 5
    for jump in (HOUR, -HOUR, YEAR, -YEAR):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        assert before <= now() < before + 60
