"""What is left of a budget while a plan is carried out: places that are kept, taken and given back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.apply.allowing import Allowance
from taskspec.errors import LimitError
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.refusals import Spending
from taskspec.state.model import Attempt, Generation, Record
from taskspec.taskapi.remotes import RemoteIdentity

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


def plan(*planned, **stands):
    return Plan(
        id="p",
        project="p",
        environment="default",
        lineage="l",
        serial=1,
        created_at=0.0,
        changes=tuple(map(change, planned)),
        spending=Spending(planned=len(planned), **stands) if stands else None,
    )


def allowance(*planned, **stands):
    return Allowance(plan(*planned, **stands))


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


def test_a_run_of_unknown_outcome_keeps_its_place_until_it_is_found_or_made():
    left = allowance(A, B, max_runs=2)
    left.take(A)
    left.doubt(A)
    left.leave(A)
    assert left.refuses(C)
    left.found(A)
    left.found(A)
    left.take(B)
    assert left.refuses(C)
    again = allowance(A, max_runs=1)
    again.take(A)
    again.doubt(A)
    again.take(A)
    assert again.refuses(A)


def settling(*, same_text):
    """Return the change that settles an open intent of A, and starts the run of the same or of another text."""
    here = RemoteIdentity(type="local")
    intent = Attempt(number=1, nonce="n", marker="m", body_digest="0", intended_at=1.0, send_deadline=2.0, remote=here)
    asked = Generation(number=1, fingerprint="v1:0", spec={}, plan="p", attempts=(intent,))
    kept = Record(address=A, agent="a", generation=asked)
    return replace(change(A), action=Action.SETTLE, record=kept, generation=1 if same_text else 2, attempt=1)


@pytest.mark.parametrize("way", ["found", "take"])
def test_an_intent_that_counts_as_used_is_the_run_that_it_becomes(way):
    left = Allowance(replace(plan(max_runs=1, runs=1), changes=(settling(same_text=True),)))
    assert left.refuses(B)
    getattr(left, way)(A)
    assert left.refuses(A)


def test_an_intent_of_another_text_is_a_run_beside_the_one_that_is_planned():
    left = Allowance(replace(plan(max_runs=2, runs=1), changes=(settling(same_text=False),)))
    left.found(A)
    left.take(A)
    assert left.refuses(A)


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
