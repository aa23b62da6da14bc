"""Who holds a lock, in words and for machines."""

from dataclasses import replace

import pytest
from state_values import ALICE

from taskspec.state.holding import as_json, cut_off, held
from taskspec.state.model import BEATS, TTL, Holding

AT_WORK = Holding(holder=ALICE, epoch=7, silent=12.2)
SUSPENDED = replace(AT_WORK, suspended=True)
SILENT = replace(AT_WORK, silent=TTL + 70)
BEGINNING = replace(AT_WORK, epoch=0, silent=0.0)


def test_a_holder_at_work_is_named_with_its_epoch_and_its_last_heartbeat():
    error = held("default", AT_WORK)
    assert error.message == (
        "The state of environment `default` is locked by alice on laptop since 2023-11-14 22:13:20 UTC: process 4711, "
        "`taskspec apply`. Epoch 7, last heartbeat 12 s ago."
    )
    assert "--lock-timeout" in error.hint
    assert "force-unlock" not in error.hint


def test_the_job_of_a_holder_in_ci_is_named():
    in_ci = replace(AT_WORK, holder=replace(ALICE, job="https://ci.example/runs/5"))
    assert "`taskspec apply` (https://ci.example/runs/5)." in held("default", in_ci).message


@pytest.mark.parametrize(("holding", "said"), [(SUSPENDED, "is suspended"), (SILENT, "may be suspended")])
def test_of_a_holder_that_does_not_go_on_both_ways_out_are_told(holding, said):
    error = held("prod", holding)
    assert said in error.message
    assert "`kill -CONT 4711` on laptop" in error.hint
    assert "`taskspec force-unlock 7 --env prod`" in error.hint


def test_a_suspended_holder_without_an_epoch_can_only_go_on_or_end():
    error = held("default", replace(BEGINNING, suspended=True))
    assert "Epoch" not in error.message
    assert "kill -KILL 4711" in error.hint
    assert "force-unlock" not in error.hint


@pytest.mark.parametrize("holding", [None, Holding(holder=None, epoch=0, silent=3.0)])
def test_a_holder_that_has_not_said_who_it_is_is_not_guessed(holding):
    error = held("default", holding)
    assert "another command, which has not yet said more" in error.message
    assert error.lock is None
    assert "PID" in cut_off("default", holding).hint


def test_machines_are_told_the_same():
    told = as_json(AT_WORK)
    assert told == {
        "epoch": 7,
        "user": "alice",
        "host": "laptop",
        "pid": 4711,
        "command": "taskspec apply",
        "since": 1_700_000_000.0,
        "job": None,
        "silentSeconds": 12.2,
        "expiresInSeconds": 47.8,
        "suspended": False,
    }
    assert held("default", AT_WORK).lock == told


def test_a_holder_is_alive_until_its_lease_runs_out_or_it_is_seen_to_stand_still():
    assert AT_WORK.is_alive
    assert not SUSPENDED.is_alive
    assert not SILENT.is_alive
    assert replace(AT_WORK, silent=TTL - 0.1).is_alive
    assert BEATS == 3
