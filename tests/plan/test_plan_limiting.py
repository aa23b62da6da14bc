"""Limits: what counts against them, what does not, and what a person can go beyond."""

from dataclasses import replace

import pytest
from plan_worlds import DOCUMENT

from taskspec.documents.model import Limits, Source
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.limiting import LIMITS, refusals
from taskspec.plan.model import Action, Change

SOURCE = Source(document=DOCUMENT)
WHY = (Reason(code="x", text="x"),)


def change(address, action, *, paid=False, conditional=False):
    return Change(
        address=address,
        action=action,
        reasons=WHY,
        health=Health.HEALTHY,
        agent="a",
        paid=paid,
        conditional=conditional,
    )


CREATES = [change(f"c{n}", Action.CREATE, paid=True, conditional=n > 0) for n in range(3)]
STOPS = [change("s", Action.STOP), change("r", Action.REPLACE, paid=True)]
SETTLED = [change(f"n{n}", Action.NONE) for n in range(20)]


def refused(changes, limits, *, recorded=100, overridden=()):
    return [(r.limit, r.allowed, r.found, r.addresses) for r in refusals(changes, recorded, limits, SOURCE, overridden)]


def test_conditional_runs_count_as_certain():
    assert refused(CREATES, Limits(max_create=3)) == []
    assert refused([*CREATES, *SETTLED], Limits(max_create=2)) == [("maxCreate", 2, 3, ("c0", "c1", "c2"))]


def test_a_run_that_is_replaced_is_stopped_and_started():
    assert refused(STOPS, Limits(max_create=0, max_stop=1)) == [
        ("maxCreate", 0, 1, ("r",)),
        ("maxStop", 1, 2, ("s", "r")),
    ]


@pytest.mark.parametrize(("recorded", "found"), [(9, []), (10, [20]), (11, [19]), (1000, [])])
def test_percentages_count_from_ten_tasks_on_and_are_rounded_up(recorded, found):
    limits = Limits(max_stop_percent=1)
    assert [percent for _, _, percent, _ in refused(STOPS, limits, recorded=recorded)] == found


def test_no_limit_refuses_nothing():
    assert refused([*CREATES, *STOPS], Limits()) == []


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_is_overridden_refuses_nothing(name):
    limits = Limits(max_create=0, max_stop=0, max_stop_percent=0)
    found = {limit for limit, *_ in refused([*CREATES, *STOPS], limits, overridden={name})}
    assert found == set(LIMITS) - {name}


def test_settling_counts_where_it_ends_a_run_that_was_seen_at_work():
    settles = [replace(change(f"s{n}", Action.SETTLE), destructive=n == 0) for n in range(2)]
    assert refused(settles, Limits(max_stop=0)) == [("maxStop", 0, 1, ("s0",))]
