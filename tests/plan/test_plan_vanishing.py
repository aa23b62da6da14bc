"""Many runs gone at once: rather a wrong remote than lost runs."""

import pytest
from plan_worlds import attempt, observation, record

from taskspec.plan.vanishing import vanished


def refused(sights, *, overridden=()):
    held = {
        f"t{n}": record(f"t{n}", attempts=[attempt(address=f"t{n}", status="executing")]) for n in range(len(sights))
    }
    runs = {held[f"t{n}"].generation.attempts[-1].run: observation(f"t{n}", sight) for n, sight in enumerate(sights)}
    return [(r.limit, r.allowed, r.found, r.addresses) for r in vanished(held, runs, overridden)]


def test_three_of_five_runs_gone_at_once_are_refused_by_name():
    sights = ["absent", "executing", "absent", "executing", "absent"]
    assert refused(sights) == [("missing", 2, 3, ("t0", "t2", "t4"))]


@pytest.mark.parametrize(
    "sights",
    [
        [],
        ["absent"],
        ["absent", "absent"],
        ["absent", "absent", "executing"],
        ["absent"] * 3 + ["executing"] * 3,
        ["unreadable"] * 10,
        ["absent", "absent", "unreadable"],
    ],
)
def test_fewer_or_at_most_half_may_be_lost(sights):
    assert refused(sights) == []


@pytest.mark.parametrize("count", [3, 4, 50])
def test_all_of_three_or_more_are_never_believed(count):
    assert [found for _, _, found, _ in refused(["absent"] * count)] == [count]


def test_a_person_may_believe_it():
    assert refused(["absent"] * 5, overridden={"missing"}) == []


def test_what_was_lost_before_vanishes_no_more():
    attempts = {f"t{n}": [attempt(address=f"t{n}", status="executing", verdict="lost")] for n in range(4)}
    held = {address: record(address, attempts=those) for address, those in attempts.items()}
    runs = {those[-1].run: observation(address, "absent") for address, those in attempts.items()}
    assert vanished(held, runs, ()) == ()
