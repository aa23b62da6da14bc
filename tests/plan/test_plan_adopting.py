"""Adopting by hand: it never leaves another run unaccounted for, and what is adopted is never paid for again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import HERE, UNHURRIED, attempt, planned, record, shown, task
from test_plan_properties import SIGHTS, worlds

from taskspec.apply.adopting import adopted
from taskspec.desired.model import DesiredTask
from taskspec.observed.model import Observed, Present
from taskspec.plan.accounting import recorded_runs
from taskspec.plan.adopting import Candidate, refusal
from taskspec.plan.standing import Standing, stand
from taskspec.taskapi.records import ACTIVE

STATUSES = [sight for sight in SIGHTS if sight not in {"absent", "unreadable"}]


def candidates(world, status, run="mine"):
    """Yield what it would be to adopt one run for each address of a world."""
    wanted, held, observed, _ = world
    changes = {change.address: change for change in planned(wanted, held, observed).changes}
    for address, change in changes.items():
        yield Candidate(
            address=address,
            task=change.task,
            situation=stand(held.records.get(address), observed, HERE),
            run=shown(run, status),
            lineage="line",
            taken=recorded_runs(held.records).get(run),
        )


@UNHURRIED
@given(worlds(dependent=False), st.sampled_from(STATUSES))
def test_nothing_is_adopted_beside_a_run_that_is_active_or_not_accounted_for(world, status):
    for candidate in candidates(world, status):
        if refusal(candidate, foreign=False) is None:
            assert candidate.situation.standing not in {
                Standing.PENDING,
                Standing.EXECUTING,
                Standing.PAUSED,
                Standing.UNJUDGED,
                Standing.UNREADABLE,
                Standing.UNKNOWN_STATUS,
            }
            assert candidate.run.agent_id == "writer"


@UNHURRIED
@given(worlds(dependent=False), st.sampled_from([*ACTIVE, "completed", "dreaming"]))
def test_what_was_adopted_for_the_declared_text_starts_no_run(world, status):
    wanted, held, observed, _ = world
    for candidate in candidates(world, status):
        if refusal(candidate, foreign=False) is not None:
            continue
        made = adopted(candidate, HERE, 5.0, "nonce")
        last = made.generation.last
        assert (last.run, last.verdict, last.status) == ("mine", None, status)
        if not isinstance(candidate.task, DesiredTask) or candidate.fingerprint != candidate.task.fingerprint:
            continue
        after = replace(held, records={**held.records, candidate.address: made})
        seen = replace(observed, runs={**observed.runs, "mine": Present(record=candidate.run)})
        (change,) = (c for c in planned(wanted, after, seen).changes if c.address == candidate.address)
        assert not change.paid
        assert change.action in {"wait", "rejudge", "hold", "stop"}
        assert made.accepted == (candidate.record.accepted if candidate.record else None)


def candidate(*, held=None, declared=("A",), **more):
    return Candidate(
        **{
            "address": "a",
            "task": task(text=declared[0]) if declared else None,
            "situation": stand(held, Observed(), HERE),
            "run": shown("mine", "executing"),
            "lineage": "line",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("held", "numbers"),
    [
        (None, (1, 1)),
        (record(attempts=[attempt(sending="refused")]), (1, 2)),
        (record(attempts=[attempt(status="executing", verdict="lost")]), (1, 2)),
        (record(attempts=[attempt(sending="intended")]), (1, 1)),
        (record(text="B", attempts=[attempt(sending="intended")]), (1, 1)),
        (record(text="B", attempts=[attempt(status="failed", verdict="failed")]), (2, 1)),
        (record(text="B", attempts=[attempt(status="executing", verdict="lost")]), (2, 1)),
    ],
)
def test_it_continues_the_generation_of_its_text_or_begins_one(held, numbers):
    made = adopted(candidate(held=held), HERE, 5.0, "nonce")
    assert (made.generation.number, made.generation.last.number) == numbers
    assert refusal(candidate(held=held), foreign=False) is None


def test_the_marker_of_a_run_without_one_is_in_the_record_only():
    made = adopted(candidate(), HERE, 5.0, "0123456789abcdef").generation.last
    assert made.marker.startswith("[ts1.line.")
    assert made.marker.endswith(".g1.0123456789abcdef]")


def test_an_undeclared_address_has_no_text_to_adopt_for():
    assert "not declared" in refusal(candidate(declared=()), foreign=False)[0]
    with pytest.raises(TypeError):
        adopted(candidate(declared=()), HERE, 5.0, "nonce")
