"""When did what run: what is told of attempts and of events, the longest chain, and the scale of the picture."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from told_accounts import NOW, account, attempt, generation, realistic, task, told

from taskspec.events import RunCreated, RunEnded
from taskspec.report.account import Heard, Kind
from taskspec.report.html.spans import Span, critical_chain, scale, spans
from taskspec.state.model import Sending, Verdict

MOMENTS = st.floats(0, 1e6, allow_nan=False)


def span(asked, ended):
    return Span(attempt=1, asked=asked, began=asked, ended=ended, verdict="accepted")


def test_an_apply_tells_of_its_own_runs_and_not_of_those_before():
    found = spans(account([told("a", (attempt(at=NOW + 5, waited=2.0, took=10.0),))]))
    (one,) = found["a"]
    assert (one.asked, one.waited, one.worked, one.verdict) == (NOW + 5, 2.0, 10.0, "accepted")


def test_a_run_that_goes_on_lasts_until_the_end_and_is_not_over():
    (one,) = spans(account([told("a", (attempt(at=NOW + 5, verdict=None),))]))["a"]
    assert (one.ended, one.is_over, one.verdict) == (NOW + 300, False, None)


def test_how_things_stand_tells_of_the_newest_generation():
    old = generation(1, attempts=(attempt(at=NOW - 900_000),))
    new = generation(2, attempts=(attempt(1, at=NOW - 5_000, verdict=Verdict.FAILED), attempt(2, at=NOW - 4_000)))
    found = spans(account([task("a", generations=(new, old))], kind=Kind.STANDING))
    assert [one.asked for one in found["a"]] == [NOW - 5_000, NOW - 4_000]


def test_events_tell_where_no_attempts_do():
    heard = (
        Heard(at=NOW + 1, event=RunCreated(address="a", agent="w", generation=1, attempt=1, run="r1")),
        Heard(at=NOW + 21, event=RunEnded(address="a", run="r1", status="failed", verdict="failed", seconds=15.0)),
        Heard(at=NOW + 30, event=RunCreated(address="a", agent="w", generation=1, attempt=2, run="r2")),
    )
    first, second = spans(account([task("a", heard=heard)]))["a"]
    assert (first.asked, first.began, first.ended, first.verdict) == (NOW + 1, NOW + 6, NOW + 21, "failed")
    assert (second.attempt, second.ended, second.is_over) == (2, NOW + 300, False)


def test_what_was_never_sent_has_no_span():
    refused = replace(attempt(at=NOW + 5), sending=Sending.REFUSED)
    assert spans(account([task("a", generations=(generation(attempts=(refused,)),))])) == {}


def test_a_clock_that_was_set_back_makes_no_negative_span():
    odd = replace(attempt(at=NOW + 5), started_at=NOW - 50, finished_at=NOW - 60)
    (one,) = spans(account([task("a", generations=(generation(attempts=(odd,)),))], began=NOW - 100))["a"]
    assert one.asked <= one.began <= one.ended


def test_the_longest_chain_is_what_the_whole_had_to_wait_for():
    made = realistic()
    chain = critical_chain(made, spans(made))
    assert chain[0] == "gather"
    assert chain[-3:] == ["briefing", "translate", "publish"]
    tasks = {one.address: one for one in made.tasks}
    assert all(first in tasks[then].upstream for first, then in itertools.pairwise(chain))


def test_nothing_ran_has_no_chain():
    assert critical_chain(account(), {}) == []


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=12))
def test_a_scale_keeps_the_order_and_stays_between_its_ends(pairs):
    found = {"a": [span(min(pair), max(pair)) for pair in pairs]}
    on = scale(found)
    moments = sorted(moment for pair in pairs for moment in pair)
    places = [on.place(moment) for moment in moments]
    assert all(0 <= place <= 1 for place in places)
    assert all(one <= other + 1e-9 for one, other in itertools.pairwise(places))


def test_a_long_time_in_which_nothing_ran_is_shortened():
    on = scale({"a": [span(0, 10)], "b": [span(100_000, 100_010)]})
    assert on.breaks == [(10, 100_000)]
    assert on.place(10) > 0.4
    assert on.place(100_000) < 0.6
