"""What is left of a budget while a plan is carried out: places that are kept, taken and given back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.apply.allowing import Allowance
from taskspec.errors import LimitError
from taskspec.health import Health
from taskspec.plan.model import Action, Change, Plan, Reason, Spending

A, B, C = map(Address, "abc")


def change(address):
    return Change(
        address=address,
        action=Action.CREATE,
        reasons=(Reason(code="x", text="x"),),
        health=Health.HEALTHY,
        agent="a",
        paid=True,
    )


def allowance(*planned, **stands):
    plan = Plan(
        id="p",
        project="p",
        environment="default",
        lineage="l",
        serial=1,
        created_at=0.0,
        changes=tuple(map(change, planned)),
        spending=Spending(planned=len(planned), **stands) if stands else None,
    )
    return Allowance(plan)


def test_without_a_budget_any_number_is_allowed():
    free = allowance(A)
    for _ in range(100):
        free.take(A)
    free.use(10**9)
    assert free.refuses(A) == ""
    assert Allowance().refuses(A) == ""


def test_a_further_attempt_never_takes_the_place_of_a_run_that_was_planned():
    left = allowance(A, B, max_runs=3)
    left.take(A)
    left.take(A)
    assert left.refuses(A) == "the budget's `maxRuns` (3) is used up"
    with pytest.raises(LimitError, match="not started: the budget's `maxRuns`"):
        left.take(A)
    left.take(B)


def test_a_place_that_is_not_needed_is_free_again():
    left = allowance(A, B, max_runs=2)
    left.take(A)
    assert left.refuses(A)
    left.leave(B)
    left.take(A)
    assert left.refuses(A)


def test_what_reached_no_agent_is_given_back():
    left = allowance(A, max_runs=1)
    left.take(A)
    left.give_back()
    left.take(A)
    assert left.refuses(A)


def test_a_run_that_was_found_takes_the_place_that_was_kept_for_it():
    left = allowance(A, B, max_runs=2)
    left.found(A)
    left.found(A)
    left.found(C)
    assert left.refuses(A)
    left.take(B)


def test_when_all_tokens_are_used_not_even_what_was_planned_is_started():
    left = allowance(A, max_tokens=10, tokens=4)
    left.use(None)
    left.use(5)
    assert left.refuses(A) == ""
    left.use(1)
    assert left.refuses(A) == "the budget's `maxTokens` (10) is used up: 10 tokens were used"


@given(st.integers(0, 8), st.integers(0, 8), st.lists(st.sampled_from([A, B, C])))
def test_no_more_runs_are_started_than_the_budget_allows(used, more, wanted):
    planned = (A, B)
    left = allowance(*planned, max_runs=used + len(planned) + more, runs=used)
    started = 0
    for address in wanted:
        if not left.refuses(address):
            left.take(address)
            started += 1
    assert started <= len(planned) + more
    assert all(not left.refuses(address) for address in planned if address not in wanted)
