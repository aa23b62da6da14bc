"""What a run is likely to take, by the runs of the same task before: never a guess, and never 0 for what is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import attempt, desired, planned, record, snapshot, task

from taskspec.address import Address
from taskspec.plan.estimates import Estimate, Measured, Spread, Total
from taskspec.plan.estimating import (
    estimate,
    estimated,
    likely_tokens,
    measured,
    total_seconds,
    total_tokens,
)
from taskspec.state.model import Note

RUNS = st.lists(
    st.builds(
        Measured,
        seconds=st.none() | st.floats(0, 1e6),
        tokens=st.none() | st.integers(1, 10**9),
    ),
    max_size=20,
)


def end(status="completed", **data):
    return Note(address=Address("a"), at=0.0, what="ended", data={"status": status, **data})


def took(seconds=None, tokens=None):
    return Measured(seconds=seconds, tokens=tokens)


def plan_of_changed(*addresses):
    """Plan tasks that have each a result for another text than the declared one."""
    done = attempt(status="completed", verdict="accepted")
    held = [record(one, attempts=[done], accepted=(1, "A")) for one in addresses]
    return planned(desired(*[task(one, "B") for one in addresses]), snapshot(*held))


def test_half_of_the_runs_took_no_more_than_the_p50_and_nine_of_ten_no_more_than_the_p90():
    found = estimate([took(seconds=float(n), tokens=10 * n) for n in range(1, 11)])
    assert found.seconds == Spread(p50=5.0, p90=9.0, runs=10)
    assert found.tokens == Spread(p50=50, p90=90, runs=10)


@given(RUNS)
def test_an_estimate_is_made_of_what_was_measured_and_of_nothing_else(runs):
    found = estimate(runs)
    for spread, values in (
        (found.seconds, [run.seconds for run in runs if run.seconds is not None]),
        (found.tokens, [run.tokens for run in runs if run.tokens is not None]),
    ):
        assert (spread is None) is (not values)
        if spread is not None:
            assert spread.runs == len(values)
            assert {spread.p50, spread.p90} <= set(values)
            assert spread.p50 <= spread.p90
            assert sum(value <= spread.p50 for value in values) * 2 >= len(values)
            assert sum(value <= spread.p90 for value in values) * 10 >= len(values) * 9


def test_one_run_alone_says_on_how_much_it_rests():
    assert estimate([took(seconds=3.0)]).seconds == Spread(p50=3.0, p90=3.0, runs=1)


def test_what_no_run_tells_is_unknown_and_not_0():
    assert estimate([]) == Estimate(seconds=None, tokens=None)
    assert estimate([took(seconds=3.0)]).tokens is None


def test_only_runs_that_ended_by_themselves_count():
    notes = [end("stopped", seconds=1.0), end("error", seconds=2.0), end("failed", seconds=3.0), end(seconds=4.0)]
    assert [run.seconds for run in measured(notes)] == [3.0, 4.0]


def test_only_the_last_twenty_count():
    assert [run.seconds for run in measured(end(seconds=float(n)) for n in range(99))] == [float(n) for n in range(20)]


def test_no_more_of_a_history_is_read_than_is_needed():
    read = []

    def notes():
        for n in range(10_000):
            read.append(n)
            yield Note(address=Address("a"), at=0.0, what="seen", data={})

    assert list(measured(notes())) == []
    assert len(read) <= 101


@pytest.mark.parametrize(
    "data",
    [{}, {"seconds": None, "tokens": None}, {"seconds": "3", "tokens": 3}, {"seconds": -1.0, "tokens": {"prompt": 1}}],
)
def test_what_a_note_does_not_tell_is_unknown(data):
    assert list(measured([end(**data)])) == [Measured(seconds=None, tokens=None)]


def test_a_remote_that_counts_no_token_has_told_nothing():
    (run,) = measured([end(seconds=0.0, tokens={"prompt": 0, "completion": 0})])
    assert run == Measured(seconds=0.0, tokens=None)


def test_all_tokens_of_a_run_count():
    (run,) = measured([end(tokens={"prompt": 3, "completion": 4})])
    assert run.tokens == 7


def test_only_what_may_start_a_run_is_looked_up():
    asked = []
    kept = record("a", attempts=[attempt(status="completed", verdict="accepted")], accepted=(1, "A"))
    old = record("b", attempts=[attempt(address="b", status="completed", verdict="accepted")], accepted=(1, "A"))
    plan = planned(desired(task("a"), task("b", "B"), task("c")), snapshot(kept, old))
    made = estimated(plan, lambda address: asked.append(address) or [took(seconds=2.0)])
    assert asked == ["b"], "a is up to date, and c never ran"
    assert [change.estimate for change in made.changes] == [None, estimate([took(seconds=2.0)]), Estimate()]
    assert estimated(planned(desired(task("a")), snapshot(kept)), asked.append) is not None
    assert asked == ["b"]


def test_a_task_with_another_name_is_estimated_by_the_runs_under_its_former_one():
    held = record("old", attempts=[attempt(address="old", status="failed", verdict="failed")])
    plan = planned(desired(task("new", "B"), former={"new": "old"}), snapshot(held))
    asked = []
    estimated(plan, lambda address: asked.append(address) or ())
    assert asked == ["old"]


def test_a_total_is_of_what_is_known_and_says_how_much_is_not():
    runs = {"a": [took(2.0, 40)] * 2, "b": [took(3.0)], "c": []}
    plan = estimated(plan_of_changed("a", "b", "c"), runs.__getitem__)
    assert total_seconds(plan) == Total(p50=5.0, p90=5.0, known=2, unknown=1)
    assert total_tokens(plan) == Total(p50=40, p90=40, known=1, unknown=2)


def test_a_total_of_nothing_known_is_none_and_not_0():
    assert total_tokens(estimated(plan_of_changed("a"), lambda _: ())) == Total(p50=None, p90=None, known=0, unknown=1)


def test_a_budget_gets_the_p90_of_each_run_and_none_where_nobody_knows():
    runs = {"a": [took(tokens=n) for n in (10, 20)], "b": []}
    assert likely_tokens(estimated(plan_of_changed("a", "b"), runs.__getitem__).changes) == {"a": 20, "b": None}
