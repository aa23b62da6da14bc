"""A saved plan that meets another world is done as it was planned, or less: never more."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED
from test_plan_properties import ADDRESSES, SIGHTS, observation, plan_of, worlds

from taskspec.address import Address
from taskspec.health import Health
from taskspec.plan.capping import capped, differences, is_stronger
from taskspec.plan.causes import Reason
from taskspec.plan.keeping import Kept
from taskspec.plan.model import IDLE, Action, Change, Plan
from taskspec.state.model import Attempt, ResultRef
from taskspec.taskapi.remotes import RemoteIdentity

GENTLE = IDLE | {Action.WAIT, Action.SETTLE, Action.REJUDGE, Action.UPDATE, Action.MOVE, Action.ADOPT}


@st.composite
def two_worlds(draw):
    """Draw a world, and the same one in which the remote shows something else."""
    wanted, held, observed, requested = draw(worlds())
    runs = dict(observed.runs)
    for kept in held.records.values():
        last = kept.generation.last
        if last.run and (sight := draw(st.sampled_from([None, *SIGHTS]))):
            runs[last.run] = observation(last.run, sight)
    return (wanted, held, observed, requested), (wanted, held, replace(observed, runs=runs, strays={}), requested)


@UNHURRIED
@given(two_worlds())
def test_nothing_is_started_ended_or_given_up_that_was_not_planned(both):
    planned, now = map(plan_of, both)
    before = {change.address: change for change in planned.changes}
    for change in capped(now, planned).changes:
        was = before[change.address]
        assert not change.paid or was.paid
        assert not change.destructive or was.destructive
        assert not change.retitles or was.retitles
        assert change.action in GENTLE | {Action.CREATE} or was.action not in GENTLE | {Action.CREATE}
        assert not is_stronger(change, was)


@UNHURRIED
@given(worlds())
def test_in_the_same_world_a_plan_is_carried_out_as_it_is(world):
    plan = plan_of(world)
    assert capped(plan, plan) == plan
    assert not differences(plan, plan)


@UNHURRIED
@given(two_worlds())
def test_what_is_left_out_says_so_and_is_no_healthier_than_it_was(both):
    planned, now = map(plan_of, both)
    before = {change.address: change for change in planned.changes}
    today = {change.address: change for change in now.changes}
    for change in capped(now, planned).changes:
        was = before.get(change.address)
        as_told = [today[change.address].reasons, *([was.reasons] if was is not None else [])]
        if any(change == replace(today[change.address], reasons=reasons) for reasons in as_told):
            continue
        assert change.reasons[0].code == "not_planned"
        assert change.action in IDLE
        assert was is not None
        if change.action is Action.NONE and today[change.address].action is Action.UPDATE and was.action not in IDLE:
            assert change.health == today[change.address].health
            continue
        assert change.refused or (change.health, change.in_error) == (was.health, was.in_error)


@UNHURRIED
@given(two_worlds(), st.sets(st.sampled_from(ADDRESSES)))
def test_what_the_plan_was_not_about_is_left_alone(both, chosen):
    world, now = both
    planned = plan_of(world, selected=frozenset(chosen))
    known = {change.address for change in planned.changes}
    for change in capped(plan_of(now), planned).changes:
        assert change.address in known or change.action in IDLE


def change(action, **more):
    reasons = (Reason(code="told", text="so it is"),)
    return Change(address=Address("a"), action=action, reasons=reasons, health=Health.HEALTHY, agent="writer", **more)


def plan_with(one):
    return Plan(id="p", project="x", environment="e", lineage="l", serial=1, created_at=0.0, changes=(one,))


def done_of(now, planned):
    (left,) = capped(plan_with(now), plan_with(planned)).changes
    return left


def test_a_title_that_was_not_to_be_sent_is_not_sent():
    left = done_of(change(Action.UPDATE), change(Action.REJUDGE))
    assert (left.action, left.refused, left.reasons[0].code) == (Action.NONE, False, "not_planned")
    assert done_of(change(Action.UPDATE), change(Action.UPDATE)).action is Action.UPDATE


def test_a_run_is_not_stopped_where_only_its_record_was_to_be_given_up():
    left = done_of(change(Action.STOP), change(Action.FORGET))
    assert (left.action, left.refused) == (Action.HOLD, True)
    assert done_of(change(Action.FORGET), change(Action.STOP)).action is Action.FORGET


def kept(generation):
    ref = ResultRef.of(f"answer {generation}", None)
    remote = RemoteIdentity(type="local")
    made = Attempt(
        number=1, nonce="", marker="", body_digest="", intended_at=0.0, send_deadline=0.0, remote=remote, result=ref
    )
    return Kept(generation=generation, attempt=made, result=ref, agent="writer", at=0.0)


def test_that_another_result_is_taken_than_was_planned_is_told():
    one, other = (plan_with(change(Action.ADOPT, kept=kept(number))) for number in (1, 3))
    assert differences(other, one)
    assert not differences(one, one)
    assert not is_stronger(other.changes[0], one.changes[0])


def test_a_result_is_not_taken_where_nothing_was_to_be_paid_for():
    left = done_of(change(Action.ADOPT, kept=kept(1)), change(Action.HOLD))
    assert (left.action, left.kept, left.reasons[0].code) == (Action.HOLD, None, "not_planned")
