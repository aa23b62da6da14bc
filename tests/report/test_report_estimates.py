"""What a plan says of time and tokens: what it rests on, and "unknown" where nobody knows."""

import pytest

from taskspec.address import Address
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.estimates import Measured
from taskspec.plan.estimating import estimate
from taskspec.plan.model import Action, Change, Plan
from taskspec.report.plans import lines
from taskspec.report.text import Paint


def change(address, *runs, paid=True):
    return Change(
        address=Address(address),
        action=Action.CREATE if paid else Action.NONE,
        reasons=(Reason(code="not_recorded", text="no run of it is recorded yet"),),
        health=Health.HEALTHY,
        agent="writer",
        paid=paid,
        estimate=estimate([Measured(seconds=seconds, tokens=tokens) for seconds, tokens in runs]) if paid else None,
    )


def shown(*changes):
    plan = Plan(
        id="p", project="sales", environment="default", lineage="l", serial=1, created_at=0.0, changes=tuple(changes)
    )
    return list(lines(plan, Paint(color=False)))


def test_a_run_is_estimated_by_those_before_it():
    told = shown(change("a", *[(float(n), 1000 * n) for n in range(1, 11)]))
    assert told[1] == "  about 5.0k tokens (p90 9.0k); about 5.0s of run time (p90 9.0s)"
    assert "      about 5.0k tokens (p90 9.0k); about 5.0s of run time (p90 9.0s); by 10 runs before" in told


def test_one_run_is_told_to_be_one():
    assert "      about 700 tokens; about 2m05s of run time; by 1 run before" in shown(change("a", (125.0, 700)))


def test_what_is_unknown_is_said_to_be():
    told = shown(change("a", (2.0, 40_300)), change("b", (3.0, None)), change("c"))
    assert told[1] == (
        "  about 40k tokens (p90 40k) for 1 of 3 runs, 2 unknown; about 5.0s of run time (p90 5.0s) for 2 of 3 runs, "
        "1 unknown"
    )
    assert "      tokens unknown; about 3.0s of run time; by 1 run before" in told


def test_where_nothing_is_known_a_plan_says_so_once():
    told = shown(change("a"), change("b"))
    assert told[1] == "  tokens and time unknown: there is no earlier run to tell"
    assert sum("unknown" in line for line in told) == 1


def test_a_plan_that_starts_nothing_says_nothing_of_it():
    assert not any("unknown" in line for line in shown(change("a", paid=False)))


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(1, "1"), (999, "999"), (1000, "1.0k"), (9_949, "9.9k"), (9_951, "10k"), (999_499, "999k"), (999_501, "1.0M"),
     (12_345_678, "12M"), (1_234_567_890, "1235M")],
)  # fmt: skip
def test_a_number_of_tokens_is_short(tokens, words):
    assert f"      about {words} tokens; time unknown; by 1 run before" in shown(change("a", (None, tokens)))


def test_a_short_run_whose_tokens_nobody_tells_is_told_in_the_sum_alone():
    told = shown(change("a", (0.1, None)), change("b", (0.2, None)))
    assert told[1] == "  tokens unknown; about 0.3s of run time (p90 0.3s)"
    assert not any("before" in line for line in told)
