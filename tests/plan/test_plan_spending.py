"""The budget: what the history counts as used, what a plan adds, and what is never started."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import DOCUMENT, UNHURRIED, attempt, desired, planned, record, snapshot, task
from test_plan_properties import plan_of, worlds

from taskspec.address import Address
from taskspec.documents.model import Budget, Source
from taskspec.plan.spending import Usage, overspent, spending, total, usage, without
from taskspec.state.model import Note
from taskspec.taskapi.records import Tokens

SOURCE = Source(document=DOCUMENT)


def note(what, at, *, address="a", generation=1, number=1, **data):
    facts = {"generation": generation, "attempt": number, **data}
    return Note(address=Address(address), at=at, what=what, data=facts)


def used(*notes, records=(), since=None):
    """Count notes that are given oldest first."""
    return usage(reversed(notes), {one.address: one for one in records}, since)


def test_a_run_counts_when_it_was_bound_and_one_that_reached_no_agent_does_not():
    assert used(
        note("intended", 1.0),
        note("refused", 2.0),
        note("intended", 3.0, number=2),
        note("absent", 4.0, number=2),
        note("intended", 5.0, number=3),
        note("bound", 6.0, number=3, run="r3"),
    ) == Usage(runs=1, unknown=1)


def test_tokens_are_those_of_the_end_and_no_tokens_are_unknown():
    assert used(
        note("bound", 1.0, run="r1"),
        note("ended", 2.0, run="r1", tokens=40),
        note("bound", 3.0, number=2, run="r2"),
        note("ended", 4.0, number=2, run="r2", tokens=None),
        note("bound", 5.0, number=3, run="r3"),
    ) == Usage(runs=3, tokens=40, unknown=2)


@pytest.mark.parametrize("tokens", [None, Tokens(), Tokens(prompt=0, completion=0)])
def test_a_run_that_tells_no_tokens_has_not_used_0(tokens):
    assert total(tokens) is None


def test_a_run_that_ended_twice_counts_with_its_last_end():
    story = [note("bound", 1.0, run="r"), note("ended", 2.0, run="r", tokens=10), note("revived", 3.0, run="r")]
    assert used(*story, note("ended", 4.0, run="r", tokens=30)) == Usage(runs=1, tokens=30)
    assert used(*story, note("stopped", 4.0, run="r", tokens=None)) == Usage(runs=1, tokens=10)


def test_an_end_under_another_name_and_one_that_names_no_run_find_their_beginning():
    assert used(
        note("bound", 1.0, address="former", run="r1"),
        note("ended", 2.0, address="later", run="r1", tokens=5),
        note("bound", 3.0, generation=2, run="r2"),
        note("ended", 4.0, generation=2, tokens=7),
    ) == Usage(runs=2, tokens=12)


def test_a_run_that_a_person_adopted_counts_once():
    assert used(note("bound", 1.0, run="r"), note("adopted", 9.0, run="r", generation=4)) == Usage(runs=1, unknown=1)
    assert used(note("adopted", 9.0, run="s"), note("ended", 10.0, run="s", tokens=3)) == Usage(runs=1, tokens=3)


def test_what_is_older_than_the_time_of_the_budget_counts_no_longer():
    story = [
        note("bound", 1.0, run="old"),
        note("ended", 2.0, run="old", tokens=10),
        note("bound", 3.0, number=2, run="long"),
        note("ended", 12.0, number=2, run="long", tokens=20),
        note("bound", 13.0, number=3, run="new"),
        note("ended", 14.0, number=3, run="new", tokens=30),
    ]
    assert used(*story, since=10.0) == Usage(runs=1, tokens=50)
    assert used(*story) == Usage(runs=3, tokens=60)


def test_tokens_that_only_the_record_knows_count():
    kept = record(attempts=[replace(attempt(run="r"), tokens=Tokens(prompt=4, completion=5))])
    assert used(note("bound", 1.0, run="r"), note("ended", 2.0), records=[kept]) == Usage(runs=1, tokens=9)


def test_an_intent_of_unknown_outcome_counts_as_a_run():
    assert used(note("intended", 1.0), records=[record(attempts=[attempt(sending="intended")])]) == Usage(
        runs=1, unknown=1
    )


@st.composite
def stories(draw):
    """Draw runs of several addresses, and the notes that tell them, interleaved as they may come."""
    told, runs = [], []
    for index in range(draw(st.integers(0, 8))):
        begun = draw(st.integers(0, 20))
        ends = sorted(draw(st.lists(st.integers(begun, 30), max_size=2)))
        tokens = [draw(st.sampled_from([None, 0, 5, 7])) for _ in ends]
        address, run = draw(st.sampled_from("abc")), f"r{index}"
        told.append((begun, index, note("bound", float(begun), address=address, number=index, run=run)))
        for at, spent in zip(ends, tokens, strict=True):
            told.append((at, index, note("ended", float(at), address=address, number=index, run=run, tokens=spent)))
        runs.append((begun, list(zip(ends, tokens, strict=True))))
    return [one for *_, one in sorted(told, key=lambda one: (one[0], one[2].what != "bound", one[1]))], runs


@UNHURRIED
@given(stories(), st.sampled_from([None, 0.0, 10.0, 40.0]))
def test_one_pass_counts_what_looking_at_each_run_counts(story, since):
    notes, runs = story
    limit = float("-inf") if since is None else since
    counted = Usage()
    for begun, ends in runs:
        known = next((spent for at, spent in reversed(ends) if at >= limit and spent), None)
        is_new = begun >= limit
        counted = Usage(
            runs=counted.runs + is_new,
            tokens=counted.tokens + (known or 0),
            unknown=counted.unknown + (is_new and known is None),
        )
    assert used(*notes, since=since) == counted


def refused(budget, so_far, changes, estimates=None, overridden=()):
    stands = spending(budget, so_far, changes, estimates or {})
    return [(r.limit, r.allowed, r.found, r.message) for r in overspent(stands, changes, SOURCE, overridden)]


TWO = planned(desired(task("a"), task("b", upstream=["a"])), snapshot()).changes


def test_planned_runs_count_before_they_start_and_conditional_ones_as_certain():
    assert refused(Budget(max_runs=5), Usage(runs=3), TWO) == []
    assert refused(Budget(max_runs=4), Usage(runs=3), TWO) == [("maxRuns", 4, 5, "3 used, 2 planned")]


def test_known_estimates_count_and_what_is_unknown_is_told():
    estimates = {"a": 50, "b": None}
    told = "60 used and those of 1 run unknown, 50 expected, and nothing is known of 1 run to come"
    assert refused(Budget(max_tokens=110), Usage(runs=2, tokens=60, unknown=1), TWO, estimates) == []
    assert refused(Budget(max_tokens=109), Usage(runs=2, tokens=60, unknown=1), TWO, estimates) == [
        ("maxTokens", 109, 110, told)
    ]


def test_when_all_tokens_are_used_nothing_that_is_paid_for_starts():
    assert [limit for limit, *_ in refused(Budget(max_tokens=60), Usage(tokens=60), TWO)] == ["maxTokens"]
    assert refused(Budget(max_tokens=61), Usage(tokens=60), TWO) == []
    assert [limit for limit, *_ in refused(Budget(max_tokens=0), Usage(), TWO)] == ["maxTokens"]


def test_a_person_goes_beyond_a_part_of_the_budget():
    none = Budget(max_runs=0, max_tokens=0)
    assert [limit for limit, *_ in refused(none, Usage(), TWO)] == ["maxRuns", "maxTokens"]
    assert [limit for limit, *_ in refused(none, Usage(), TWO, overridden=["maxRuns"])] == ["maxTokens"]
    left = without(spending(none, Usage(), TWO), ["maxTokens"])
    assert (left.max_runs, left.max_tokens) == (0, None)


def test_settling_an_intent_and_making_its_run_is_one_run():
    held = snapshot(record(attempts=[attempt(sending="intended")]))
    changes = planned(desired(task("a")), held).changes
    so_far = usage([], held.records)
    assert (so_far.runs, spending(Budget(max_runs=1), so_far, changes).planned) == (1, 0)
    assert refused(Budget(max_runs=1), so_far, changes) == []


@UNHURRIED
@given(worlds(), st.integers(0, 9), st.integers(0, 9))
def test_a_plan_that_is_not_refused_stays_within_the_budget(world, allowed, before):
    changes = plan_of(world).changes
    paid = [change for change in changes if change.paid]
    so_far = replace(usage([], world[1].records), tokens=before)
    so_far = replace(so_far, runs=so_far.runs + before)
    names = {limit for limit, *_ in refused(Budget(max_runs=allowed, max_tokens=allowed), so_far, changes)}
    if not paid:
        assert names == set()
        return
    certain = len(paid) - len([one for one in paid if one.action == "settle"])
    assert ("maxRuns" in names) or before + certain <= allowed or certain == 0
    assert ("maxTokens" in names) is (before >= allowed)
