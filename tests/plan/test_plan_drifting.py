"""Drift: what the remote shows against what is recorded, and never a green word for what is not known."""

import pytest
from hypothesis import given
from plan_worlds import HERE, REMOTES, UNHURRIED, attempt, observation, record, shown
from test_plan_properties import worlds

from taskspec.observed.model import Observed, Present
from taskspec.plan.drifting import Difference, drift
from taskspec.taskapi.records import TaskRecord


def drifted(said, sight=None, *, marked=None, accepted=None, **more):
    one = attempt(**said)
    held = record(attempts=[one], accepted=accepted)
    runs = {one.run: observation(one.run, sight)} if sight else {}
    observed = Observed(runs=runs, marked={one.nonce: marked} if marked is not None else {})
    return drift(held, observed, more.get("remote", HERE))


@pytest.mark.parametrize(
    ("said", "sight", "difference", "health", "in_error"),
    [
        ({"status": "executing"}, "executing", "none", "healthy", False),
        ({"status": None}, "pending", "none", "healthy", False),
        ({"status": "pending"}, "executing", "status", "healthy", False),
        ({"status": "executing"}, "completed", "status", "healthy", False),
        ({"status": "executing"}, "failed", "status", "unhealthy", False),
        ({"status": "executing"}, "stopped", "status", "unhealthy", False),
        ({"status": "executing"}, "paused", "status", "needsInput", False),
        ({"status": "executing"}, "dreaming", "status", "unknown", True),
        ({"status": "executing"}, "absent", "gone", "unknown", False),
        ({"status": "failed", "verdict": "failed"}, "absent", "gone", "unhealthy", False),
        ({"status": "executing"}, "unreadable", "unreadable", "unknown", True),
        ({"status": "executing", "verdict": "lost"}, None, "none", "unknown", False),
        ({"status": "executing", "verdict": "lost"}, "absent", "none", "unknown", False),
        ({"status": "executing", "verdict": "lost"}, "executing", "back", "healthy", False),
        ({"status": "failed", "verdict": "failed"}, None, "none", "unhealthy", False),
        ({"status": "executing", "remote": "another remote"}, None, "unreadable", "unknown", True),
        ({"sending": "intended"}, None, "unsettled", "unknown", False),
        ({"sending": "intended", "remote": "another engine"}, None, "unreadable", "unknown", True),
        ({"sending": "refused"}, None, "none", "unhealthy", False),
    ],
)
def test_what_the_remote_shows_against_what_is_recorded(said, sight, difference, health, in_error):
    found = drifted(said, sight)
    assert (found.difference, found.health, found.in_error) == (difference, health, in_error)
    assert found.detail


@pytest.mark.parametrize(("sight", "difference"), [("absent", "gone"), ("executing", "status"), ("completed", "none")])
def test_an_accepted_result_stays_healthy_whatever_its_run_shows(sight, difference):
    found = drifted({"status": "completed", "verdict": "accepted"}, sight, accepted=(1, "A"))
    assert (found.difference, found.health) == (difference, "healthy")


def test_an_accepted_run_that_cannot_be_read_is_healthy_and_an_error_of_the_look():
    found = drifted({"status": "completed", "verdict": "accepted"}, "unreadable", accepted=(1, "A"))
    assert (found.difference, found.health, found.in_error) == ("unreadable", "healthy", True)


def test_the_run_of_an_intent_is_found_by_its_marker():
    one = drifted({"sending": "intended"}, marked=(shown("m0", "executing"),))
    two = drifted({"sending": "intended"}, marked=(shown("m0", "executing"), shown("m1", "executing")))
    assert [(found.difference, found.run, found.drifted) for found in (one, two)] == [
        ("found", "m0", True),
        ("found", None, True),
    ]
    assert "m1" in two.detail


def test_titles_are_not_compared():
    one = attempt(status="executing", title="Mine")
    seen = Present(record=TaskRecord(id=one.run, agent_id="writer", status="executing", title="Another"))
    assert not drift(record(attempts=[one]), Observed(runs={one.run: seen}), HERE).drifted


def test_a_run_that_waits_says_for_what():
    one = attempt(status="executing")
    seen = Present(record=TaskRecord(id=one.run, agent_id="writer", status="paused", waits_for="a signature"))
    assert "a signature" in drift(record(attempts=[one]), Observed(runs={one.run: seen}), HERE).detail


@UNHURRIED
@given(worlds())
def test_what_is_not_known_is_never_healthy_and_what_is_seen_as_recorded_never_drifts(world):
    _, held, observed, _ = world
    for kept in held.records.values():
        for remote in REMOTES.values():
            found = drift(kept, observed, remote)
            assert found.difference is not Difference.UNREADABLE or found.in_error
            assert found.difference is not Difference.UNSETTLED or found.health == "unknown"
            assert not found.in_error or found.health == "unknown" or kept.accepted is not None
            if found.observed is not None and found.observed == found.recorded:
                assert found.difference in {Difference.NONE, Difference.BACK, Difference.FOUND}
            assert found.noteworthy or found.health == "healthy"
