"""The foot of the terminal: what it shows at fixed sizes, and that it keeps within the room it is given."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from taskspec import events
from taskspec.address import Address
from taskspec.events import ChangeDecided, ChangeFinished, Effect
from taskspec.health import Health
from taskspec.observed.model import TaskRecord
from taskspec.plan.estimates import Estimate, Spread
from taskspec.plan.model import Action, Change, Plan
from taskspec.report.board import Board, Left, Phase
from taskspec.report.table import ASCII, MOST, UNICODE, Room, lines, progress
from taskspec.report.text import Paint

PLAIN = Paint(False)


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


def change(name, action=Action.CREATE, *, after=(), p50=None, p90=None, **more):
    seconds = None if p50 is None else Spread(p50=p50, p90=p90 or p50, runs=3)
    return Change(
        **{
            "address": Address(name),
            "action": action,
            "reasons": (),
            "health": Health.HEALTHY,
            "agent": "writer",
            "paid": action is Action.CREATE,
            "conditional": bool(after),
            "after": tuple(map(Address, after)),
            "generation": 1,
            "attempt": 1,
            "estimate": Estimate(seconds=seconds),
            **more,
        }
    )


def board(*changes, parallelism=10):
    clock = Clock()
    plan = Plan(id="p", project="s", environment="e", lineage="l", serial=1, created_at=500.0, changes=changes)
    return Board(plan, parallelism, clock), clock


def created(name, attempt=1, generation=1):
    return events.RunCreated(address=Address(name), agent="writer", generation=generation, attempt=attempt, run="r")


def status(name, word):
    return events.RunStatusChanged(address=Address(name), run="r", status=word)


def finished(name, health=Health.HEALTHY):
    return ChangeFinished(address=Address(name), action="create", effect=Effect.DONE, health=health)


def ended(name, tokens=None):
    return events.RunEnded(address=Address(name), run="r", status="completed", verdict="accepted", tokens=tokens)


def at_work():
    """A board on which everything is there that can be."""
    made, clock = board(
        change("extract", p50=30.0, p90=50.0),
        change("clean", p50=10.0, p90=12.0),
        change("ask"),
        change("doubtful"),
        change("again", p50=60.0),
        change("queued", p50=5.0),
        change("summary", after=["extract", "clean", "again", "ask", "queued"]),
        change("letter[emea,formal]", after=["summary"]),
        change("done"),
        change(
            "looked-up",
            Action.WAIT,
            observed=TaskRecord(id="r", agent_id="writer", status="executing", started_at=390.0),
        ),
    )
    made.on(events.ApplyStarted(plan="p", changes=10, paid=9))
    for name in ("extract", "clean", "ask", "again", "done"):
        made.on(created(name))
        made.on(status(name, "executing"))
    made.on(ended("done", tokens=12_345))
    made.on(finished("done"))
    clock.time += 12.5
    made.on(events.OutcomeUnknown(address=Address("doubtful"), seconds=40.0, detail="cut"))
    made.on(ended("again"))
    made.on(events.RetryScheduled(address=Address("again"), attempt=2, seconds=30.0))
    made.on(status("ask", "paused"))
    made.on(finished("ask", Health.NEEDS_INPUT))
    clock.time += 5.0
    return made


@pytest.mark.parametrize(
    ("width", "height", "signs"),
    [
        (110, 40, UNICODE),
        (110, 18, UNICODE),
        (79, 24, UNICODE),
        (60, 24, UNICODE),
        (39, 24, UNICODE),
        (79, 40, ASCII),
        (20, 2, ASCII),
    ],
    ids=lambda value: "ascii" if value is ASCII else "" if value is UNICODE else str(value),
)
def test_what_is_open_is_shown_as_far_as_there_is_room(width, height, signs, snapshot):
    shown = lines(at_work(), Room(width=width, height=height, signs=signs), PLAIN)
    assert "\n".join(shown) == snapshot
    if signs is ASCII:
        assert all(line.isascii() for line in shown)


def test_nothing_is_drawn_where_nothing_was_planned():
    assert lines(board()[0], Room(width=80, height=24), PLAIN) == []


def test_colours_change_nothing_but_the_colours(snapshot):
    shown = lines(at_work(), Room(width=90, height=40), Paint(True))
    assert "\n".join(shown).replace("\x1b", "ESC") == snapshot


def test_a_log_is_told_how_far_it_is():
    assert progress(at_work()) == (
        "2 of 10 finished, 6 active: ask needs input, clean late 17s, doubtful settling for 35s and 3 more "
        "(~1m25s left + 5 unknown)"
    )


def test_what_nobody_knows_is_unknown():
    made, _ = board(change("a"), change("b", Action.FORGET))
    assert made.left() == Left(seconds=None, unknown=1)
    assert "time left unknown" in lines(made, Room(width=80, height=24), PLAIN)[0]


def test_the_time_left_is_that_of_all_runs_over_the_places_and_no_less_than_the_longest_chain():
    one_by_one = [change(f"t{number}", p50=10.0) for number in range(6)]
    assert board(*one_by_one, parallelism=2)[0].left() == Left(seconds=30.0, unknown=0)
    assert board(*one_by_one, parallelism=100)[0].left() == Left(seconds=10.0, unknown=0)
    chain = [change("a", p50=10.0), change("b", after=["a"], p50=20.0), change("c", after=["b"], p50=5.0)]
    assert board(*chain, parallelism=100)[0].left() == Left(seconds=35.0, unknown=0)
    made, clock = board(*chain)
    made.on(created("a"))
    made.on(status("a", "executing"))
    clock.time += 4.0
    assert made.left() == Left(seconds=31.0, unknown=0)


def test_how_much_longer_a_late_run_takes_is_unknown():
    made, clock = board(change("a", p50=10.0, p90=20.0), change("b", p50=7.0))
    made.on(created("a"))
    made.on(status("a", "executing"))
    clock.time += 20.5
    assert made.rows()[0].phase is Phase.LATE
    assert made.left() == Left(seconds=7.0, unknown=1)


def test_a_run_that_was_at_work_before_has_been_so_for_longer():
    seen = TaskRecord(id="r", agent_id="writer", status="executing", started_at=440.0)
    made, clock = board(change("a", Action.WAIT, observed=seen))
    made.on(status("a", "executing"))
    clock.time += 1.0
    assert made.rows()[0].elapsed == 61.0


def test_what_waits_is_ready_when_the_last_of_the_others_is_finished():
    made, _ = board(change("a"), change("b"), change("c", after=["a", "b"]))
    made.on(finished("a"))
    assert [(row.address, row.phase, row.behind) for row in made.rows()][-1] == ("c", Phase.WAITING, ("b",))
    made.on(finished("b"))
    assert [(row.address, row.phase) for row in made.rows()] == [("c", Phase.READY)]
    made.on(ChangeDecided(address=Address("c"), action="none", detail=""))
    made.on(ChangeFinished(address=Address("c"), action="none", effect=Effect.LEFT, health=Health.HEALTHY))
    assert (made.finished, made.planned, made.rows()) == (3, 3, [])


KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]
TEXTS = st.sampled_from(
    ["a", "b", "c", "nobody", "executing", "paused", "\x1b[2J", "\u202e東京東京東京東京", "x" * 300, ""]
)
VALUES = {
    "seconds": st.floats(allow_nan=False, min_value=-10, max_value=1e9),
    "addresses": st.just((Address("a"),)),
    "effect": st.sampled_from(Effect),
    "health": st.sampled_from(Health),
    "outcome": st.sampled_from(events.RoundOutcome),
    "tokens": st.none() | st.integers(-5, 10**12),
    "signum": st.sampled_from([1, 2, 15]),
}
NUMBERS = {"changes", "paid", "generation", "attempt", "source", "round", "started", "accepted", "unchanged"}


@st.composite
def happenings(draw):
    kind = draw(st.sampled_from([kind for kind in KINDS if kind is not events.Event]))
    given = {
        field.name: draw(st.integers(0, 10**6) if field.name in NUMBERS else VALUES.get(field.name, TEXTS))
        for field in fields(kind)
    }
    return kind(**given)


@given(
    told=st.lists(st.tuples(happenings(), st.floats(0, 1e6)), max_size=25),
    width=st.integers(1, 200),
    height=st.integers(1, 100),
    signs=st.sampled_from([UNICODE, ASCII]),
)
def test_whatever_happens_in_whichever_order_the_foot_keeps_within_its_room(told, width, height, signs):
    names = ["a", "b", "c", "d[東京,\u202e]", *(f"t{number}" for number in range(20))]
    made, clock = board(*(change(name, after=names[i - 3 : i], p50=float(i) or None) for i, name in enumerate(names)))
    for event, seconds in told:
        made.on(event)
        clock.time += seconds
        shown = lines(made, Room(width=width, height=height, signs=signs), PLAIN)
        assert 1 <= len(shown) <= max(1, min(MOST, height // 3))
        assert all(cell_len(line) <= width for line in shown)
        assert all(character.isprintable() for line in shown for character in line)
        progress(made)
    assert 0 <= made.finished <= made.planned
