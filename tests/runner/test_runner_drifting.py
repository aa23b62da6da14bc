"""The story of --refresh-only: it shows what has drifted, plans nothing, and is not green about unknowns."""

import asyncio
import json
from dataclasses import replace

import pytest

from taskspec.events import DriftAcknowledged
from taskspec.plan.model import Action
from taskspec.report.drifts import drift_lines, drifted_lines, drifts_json
from taskspec.report.text import Paint
from taskspec.runner.drifting import acknowledge, drifts, drifts_in
from taskspec.runner.model import Refresh
from taskspec.runner.planning import plan


def looked(ports, *words, refresh=Refresh.ACTIVE):
    return asyncio.run(drifts(replace(ports.invocation(*words), refresh=refresh), ports))


def said(found):
    return "\n".join(drift_lines(found, Paint(color=False)))


@pytest.fixture
def active(ports):
    """Four runs that are executing."""
    ports.begin(4)
    return ports


def run_of(ports, address):
    return ports.remote.runs[ports.records()[address].generation.last.run]


def test_where_nothing_has_changed_nothing_has_drifted(active):
    looked(active)
    for run in active.remote.runs.values():
        run.steps = ["pending"]
    found = looked(active)
    assert (found.drifted, found.looked, found.exit_code(detailed=True)) == ((), 4, 0)
    assert said(found).startswith("Nothing has drifted.")


def test_what_has_changed_is_shown_and_nothing_is_recorded(active):
    before = active.records()
    run_of(active, "t0").steps = ["completed"]
    run_of(active, "t1").steps = ["paused"]
    found = looked(active, "t0", "t1")
    assert [(one.address, one.difference, one.observed, one.health) for one in found.drifted] == [
        ("t0", "status", "completed", "healthy"),
        ("t1", "status", "paused", "needsInput"),
    ]
    assert (found.exit_code(detailed=False), found.exit_code(detailed=True)) == (5, 5)
    assert active.records() == before
    assert "t0  pending → completed" in said(found)


def test_drift_that_is_well_is_2_where_details_are_asked_for(active):
    run_of(active, "t0").steps = ["completed"]
    found = looked(active, "t0")
    assert (found.exit_code(detailed=False), found.exit_code(detailed=True)) == (0, 2)


def test_a_lost_run_is_9_and_one_that_cannot_be_read_is_1(active):
    del active.remote.runs[run_of(active, "t0").id]
    assert looked(active, "t0").exit_code(detailed=True) == 9
    run_of(active, "t1").steps = [500]
    assert looked(active).exit_code(detailed=True) == 1


def test_many_runs_gone_at_once_are_doubted(active):
    active.remote.runs.clear()
    found = looked(active)
    assert [refusal.found for refusal in found.refusals] == [4]
    assert "organization" in said(found)
    assert drifts_json(found)["missing"] == ["t0", "t1", "t2", "t3"]


def test_in_full_the_run_of_an_intent_and_unrecorded_runs_are_found(ports):
    ports.task()
    ports.remote.sends = ["drop-twice"]
    ports.apply(hold_unknown=True)
    found = looked(ports, refresh=Refresh.FULL)
    assert [one.difference for one in found.found] == ["found"]
    assert (len(found.duplicates), found.exit_code(detailed=True)) == (1, 9)
    assert looked(ports).found[0].difference == "unsettled"
    assert looked(ports).exit_code(detailed=False) == 9


def test_a_plan_in_full_has_seen_the_same_drift_and_nobody_looks_twice(active):
    run_of(active, "t0").steps = ["completed"]
    del active.remote.runs[run_of(active, "t1").id]
    run_of(active, "t2").steps = ["paused"]
    run_of(active, "t3").steps = ["pending"]
    found = looked(active, refresh=Refresh.FULL)
    assert [one.difference for one in found.drifted] == ["status", "gone", "status"]
    made = plan(replace(active.invocation(), refresh=Refresh.FULL), active)
    before = dict(active.remote.asked)
    assert drifts_in(made) == found
    assert active.remote.asked == before


def test_it_needs_no_sound_task_and_no_remote_where_nothing_is_active(ports):
    ports.task()
    ports.apply()
    ports.write("apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: b}\nspec: {agent: writer}\n", "b.yaml")
    ports.needs.clear()
    found = looked(ports)
    assert (ports.needs, found.exit_code(detailed=True)) == ([], 0)


def test_without_a_state_there_is_nothing_to_compare(ports):
    ports.task()
    assert looked(ports).found == ()


def test_it_is_plain_json(active):
    run_of(active, "t0").steps = ["completed"]
    (row, *_) = json.loads(json.dumps(drifts_json(looked(active, "t0"))))["drift"]
    assert (row["address"], row["difference"], row["recorded"], row["observed"]) == (
        "t0",
        "status",
        "pending",
        "completed",
    )


@pytest.fixture
def accepted(ports):
    """Four runs whose results are accepted."""
    ports.begin(4)
    for run in ports.remote.runs.values():
        run.steps = ["completed"]
    ports.apply()
    assert all(record.accepted for record in ports.records().values())
    return ports


def noticed(ports, *words, approve=lambda _: True):
    return asyncio.run(
        acknowledge(replace(ports.invocation(*words), refresh=Refresh.FULL), ports, approve, ports.events.append)
    )


def test_what_an_accepted_run_shows_later_is_taken_notice_of_once_and_drives_nothing(accepted):
    run_of(accepted, "t0").steps = ["failed"]
    del accepted.remote.runs[run_of(accepted, "t1").id]
    before, asked = accepted.records(), dict(accepted.remote.asked)
    assert looked(accepted, refresh=Refresh.FULL).exit_code(detailed=True) == 2
    assert noticed(accepted, approve=lambda _: False) is None
    assert accepted.records() == before
    found = noticed(accepted)
    assert [(one.address, one.shown) for one in found.acknowledgeable] == [("t0", "failed"), ("t1", "gone")]
    assert [(told.address, told.status) for told in accepted.told(DriftAcknowledged)] == [
        ("t0", "failed"),
        ("t1", "gone"),
    ]
    after = accepted.records()
    for address, record in after.items():
        assert record.accepted.result == before[address].accepted.result
        assert record.generation == before[address].generation
        assert record.accepted.attempt.status == "completed"
    again = looked(accepted, refresh=Refresh.FULL)
    assert (again.drifted, again.exit_code(detailed=True)) == ((), 0)
    assert "Nothing has drifted." in said(again)
    made = plan(replace(accepted.invocation(), refresh=Refresh.FULL), accepted)
    assert {change.action for change in made.changes} == {Action.NONE}
    assert accepted.remote.asked["POST"] == asked["POST"]


def test_another_change_after_it_is_drift_again_also_back_to_what_it_was(accepted):
    run_of(accepted, "t0").steps = ["failed"]
    noticed(accepted)
    run_of(accepted, "t0").steps = ["stopped"]
    (one,) = looked(accepted, refresh=Refresh.FULL).drifted
    assert (one.recorded, one.observed) == ("failed", "stopped")
    run_of(accepted, "t0").steps = ["completed"]
    (one,) = looked(accepted, refresh=Refresh.FULL).drifted
    assert (one.recorded, one.observed) == ("failed", "completed")


@pytest.mark.parametrize("status", ["gone", "unknown", "ev\x1b[2Jil"])
def test_a_status_that_nobody_knows_is_never_taken_notice_of(accepted, status):
    run_of(accepted, "t0").steps = [status]
    before = accepted.records()
    found = noticed(accepted)
    assert (found.acknowledgeable, accepted.records()) == ((), before)
    assert looked(accepted, refresh=Refresh.FULL).exit_code(detailed=True) == 2


def test_what_was_taken_notice_of_is_over_when_a_result_is_accepted_anew(accepted):
    run_of(accepted, "t0").steps = ["failed"]
    noticed(accepted)
    accepted.task("t0", "Write 0.", assertions=[{"regex": "nothing like it"}])
    accepted.apply()
    assert accepted.records()["t0"].accepted is None
    accepted.task("t0", "Write 0.")
    accepted.apply()
    assert accepted.records()["t0"].accepted.acknowledged is None
    assert [one.address for one in looked(accepted, refresh=Refresh.FULL).drifted] == ["t0"]


def test_a_check_proposes_nothing_where_so_many_are_gone(accepted):
    for name in ("t0", "t1", "t2"):
        del accepted.remote.runs[run_of(accepted, name).id]
    made = plan(replace(accepted.invocation(), refresh=Refresh.FULL), accepted)
    assert "--refresh-only" not in "\n".join(drifted_lines(drifts_in(made), Paint(color=False)))


def test_runs_that_go_on_are_left_to_an_apply(active):
    run_of(active, "t0").steps = ["completed"]
    before = active.records()
    found = noticed(active)
    assert (found.acknowledgeable, active.told(DriftAcknowledged)) == ((), [])
    assert active.records() == before
    assert "--refresh-only" not in said(found)


def test_so_many_that_are_gone_are_taken_notice_of_only_when_that_is_believed(accepted):
    for name in ("t0", "t1", "t2"):
        del accepted.remote.runs[run_of(accepted, name).id]
    before = accepted.records()
    refused = noticed(accepted)
    assert (refused.exit_code(detailed=False), accepted.records()) == (6, before)
    believing = replace(accepted.invocation(), refresh=Refresh.FULL, overridden=frozenset({"missing"}))
    assert asyncio.run(acknowledge(believing, accepted, lambda _: True, accepted.events.append)) is not None
    assert looked(accepted, refresh=Refresh.FULL).exit_code(detailed=True) == 0
