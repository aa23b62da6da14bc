"""The rounds of a watch in words: one line each, and what is not healthy once."""

from dataclasses import replace

import pytest

from taskspec import events
from taskspec.address import Address
from taskspec.events import Effect, RoundOutcome
from taskspec.health import Health
from taskspec.report.rounds import RoundNarrator
from taskspec.report.text import Paint

A = Address("a")
ROUND = events.RoundFinished(
    round=7,
    outcome=RoundOutcome.SETTLED,
    started=2,
    accepted=2,
    unchanged=41,
    unhealthy=0,
    needing=0,
    unknown=0,
    seconds=8.2,
    pause=300.0,
)
QUIET = replace(ROUND, started=0, accepted=0)
ILL = events.ChangeFinished(
    address=A, action="none", effect=Effect.LEFT, health=Health.UNHEALTHY, verdict="failed", detail="run r1 failed"
)
WELL = replace(ILL, effect=Effect.DONE, health=Health.HEALTHY, verdict="accepted", detail="")


def told(*heard, whole=False):
    written = []
    view = RoundNarrator(written.append, Paint(False), lambda: "12:03:10", whole=whole)
    for event in heard:
        view.on(event)
    view.close()
    return written


def test_a_round_is_one_line():
    assert told(ROUND) == ["12:03:10 round 7: 2 runs started, 2 accepted, 41 unchanged (8.2s); next in 5m00s"]
    assert told(QUIET) == ["12:03:10 round 7: 41 unchanged (8.2s); next in 5m00s"]
    assert told(replace(QUIET, unchanged=0)) == ["12:03:10 round 7: nothing to do (8.2s); next in 5m00s"]


def test_what_is_not_healthy_is_counted_in_it():
    (line,) = told(replace(QUIET, unhealthy=1, needing=2, unknown=3))
    assert "1 without an accepted result, 2 tasks waiting for a person, 3 unknown, 41 unchanged" in line


@pytest.mark.parametrize(
    ("outcome", "pause", "line"),
    [
        (RoundOutcome.CUT, 0.0, "left for the changed files (41 unchanged) (8.2s); next now"),
        (RoundOutcome.WRONG, 300.0, "wrong: why (8.2s); next in 5m00s"),
        (RoundOutcome.REFUSED, 300.0, "refused: why (8.2s); next in 5m00s"),
        (RoundOutcome.HELD, 4.0, "held: why (8.2s); next in 4.0s"),
        (RoundOutcome.HINDERED, 4.0, "hindered: why (8.2s); next in 4.0s"),
        (RoundOutcome.STOPPED, 0.0, "stopped (41 unchanged) after 8.2s"),
    ],
)
def test_a_round_that_came_to_less_says_why(outcome, pause, line):
    assert told(replace(QUIET, outcome=outcome, pause=pause, detail="why")) == [f"12:03:10 round 7: {line}"]


def test_a_round_that_was_cut_before_it_did_anything_counts_nothing():
    stopped = replace(QUIET, unchanged=0, outcome=RoundOutcome.STOPPED)
    assert told(stopped) == ["12:03:10 round 7: stopped after 8.2s"]


def test_no_word_of_a_remote_steers_the_terminal():
    (line,) = told(replace(QUIET, outcome=RoundOutcome.HINDERED, detail="\x1b[2J\n::error::x"))
    assert "\x1b" not in line
    assert "\n" not in line


def test_a_task_that_is_not_healthy_is_told_once_until_that_changes():
    assert told(ILL, QUIET, ILL, QUIET) == ["  a: left as it is: run r1 failed", *told(QUIET), *told(QUIET)]
    assert len(told(ILL, replace(ILL, detail="run r2 failed"))) == 2
    assert len(told(ILL, WELL, ILL)) == 2


def test_what_a_policy_holds_is_told_once_whatever_its_health_is():
    held = replace(WELL, action="hold", effect=Effect.REFUSED, detail="`protect` is set")
    assert told(held, held) == ["  a: refused: `protect` is set"]


def test_a_run_that_fails_is_told_with_the_reason_and_one_that_is_accepted_is_not():
    failed = events.RunEnded(address=A, run="r1", status="failed", verdict="failed", detail="exit code 1")
    accepted = events.RunEnded(address=A, run="r1", status="completed", verdict="accepted", seconds=1.0)
    assert told(failed) == ["  a: failed", "      exit code 1"]
    assert told(accepted) == []
    assert told(accepted, whole=True) == ["  a: accepted in 1.0s"]


def test_all_is_told_where_it_is_wanted_but_the_last_line_of_an_apply():
    created = events.RunCreated(address=A, agent="x", generation=1, attempt=1, run="r1")
    assert told(created, events.ApplyFinished(seconds=1.0)) == []
    assert told(created, events.ApplyFinished(seconds=1.0), whole=True) == ["  a: created run r1 (g1)"]


def test_files_that_changed_are_named_but_not_all_of_many():
    assert told(events.FilesChanged(files=("a.yaml", "b.yaml"))) == ["12:03:10 changed: a.yaml, b.yaml"]
    files = tuple(f"{number}.yaml" for number in range(9))
    assert told(events.FilesChanged(files=files)) == ["12:03:10 changed: 0.yaml, 1.yaml, 2.yaml and 6 more"]


def test_a_signal_is_answered():
    (line,) = told(events.Interrupted(signum=15))
    assert line == "12:03:10 stopping (SIGTERM): recording what runs. Once more ends at once."


def test_a_create_that_was_carried_out_twice_is_told_once_until_that_changes():
    twice = events.DuplicatesFound(address=Address("a"), kept="r1", others=("r2",), detail="run r2 is executing")
    once = told(twice, twice)
    assert len(once) == 1
    assert "as 2 runs: r1 is kept, beside r2" in once[0]
    assert len(told(twice, replace(twice, detail=""))) == 2


def test_that_nobody_could_look_for_a_second_run_is_told_once():
    failed = events.SweepFailed(agent="writer", detail="503 from the remote")
    assert len(told(failed, failed)) == 1
