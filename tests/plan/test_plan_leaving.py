"""What a partial plan leaves out: who is named and why, and that nothing unselected is ever touched."""

from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import UNHURRIED, attempt, deferred, desired, planned, record, snapshot, task
from test_plan_properties import ADDRESSES, plan_of, worlds

from taskspec.plan.model import IDLE, Affected


def accepted(address, text="A"):
    done = attempt(address=address, status="completed", verdict="accepted")
    return record(address, text=text, attempts=[done], accepted=(1, text))


CHAIN = desired(task("a"), deferred("b", uses=["a"]), task("c", upstream=["b"]), task("d"))


def left_out(wanted, held, *selected):
    return [(one.address, one.why.value, one.of) for one in planned(wanted, held, selected=set(selected)).left_out]


def test_the_upstream_that_is_not_accepted_is_named_with_what_needs_it():
    assert left_out(CHAIN, snapshot(), "c") == [("a", "upstream", ("b",)), ("b", "upstream", ("c",))]


def test_upstream_that_is_accepted_is_not_named():
    assert left_out(CHAIN, snapshot(accepted("a")), "b") == [("c", "dependent", ("b",))]


def test_what_depends_on_a_run_is_named_directly_or_not():
    assert left_out(CHAIN, snapshot(), "a") == [("b", "dependent", ("a",)), ("c", "dependent", ("b",))]


def test_what_is_recorded_and_declared_no_longer_is_named():
    assert left_out(CHAIN, snapshot(accepted("x")), "d") == [("x", "undeclared", ())]


def test_a_whole_plan_leaves_nothing_out():
    assert planned(CHAIN, snapshot(accepted("x"))).left_out == ()


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from(ADDRESSES)))
def test_nothing_is_done_about_what_was_not_selected(world, selected):
    plan = plan_of(world, selected=selected)
    meant = selected | {change.address for change in plan.changes if change.moved_from in selected}
    assert {change.address for change in plan.changes} <= meant
    assert not {one.address for one in plan.left_out} & {change.address for change in plan.changes}


@UNHURRIED
@given(worlds(), st.sets(st.sampled_from(ADDRESSES)))
def test_whatever_is_blocked_by_what_was_not_selected_has_it_named(world, selected):
    wanted, *_ = world
    plan = plan_of(world, selected=selected)
    named = {one.address: one for one in plan.left_out}
    assert len(named) == len(plan.left_out) <= plan.unselected
    for change in plan.changes:
        if "upstream_not_selected" in {reason.code for reason in change.reasons}:
            lacking = [one for one in wanted.tasks[change.address].upstream if one in named]
            assert any(named[one].why is Affected.UPSTREAM and change.address in named[one].of for one in lacking)
        if change.paid:
            behind = [one for one, declared in wanted.tasks.items() if change.address in declared.upstream]
            assert {one for one in behind if one not in {other.address for other in plan.changes}} <= named.keys()


@UNHURRIED
@given(worlds())
def test_a_task_with_all_that_it_needs_is_blocked_by_nothing_unselected(world):
    wanted, *_ = world
    for address in wanted.tasks:
        needed, waiting = {address}, [address]
        while waiting:
            above = set(wanted.tasks[waiting.pop()].upstream) - needed
            needed |= above
            waiting += above
        plan = plan_of(world, selected=needed)
        assert not any(one.why is Affected.UPSTREAM for one in plan.left_out)
        for change in plan.changes:
            assert "upstream_not_selected" not in {reason.code for reason in change.reasons}
            assert change.action in IDLE or change.address in needed
