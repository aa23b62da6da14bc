"""A text that returns and its kept result of before, over values."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_worlds import (
    HERE,
    REMOTES,
    UNHURRIED,
    attempt,
    desired,
    fingerprint,
    planned,
    record,
    snapshot,
    task,
)
from test_plan_capping import change, done_of
from test_plan_properties import plan_of, worlds

from taskspec.plan.decoding import plan_of as decoded
from taskspec.plan.encoding import to_json
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Action
from taskspec.state.model import ResultRef, Verdict

NOW = record(text="B", generation=2, attempts=[attempt(status="completed", verdict="accepted")], accepted=(2, "B"))
ANSWER = ResultRef.of("words", None)


def kept(text="A", generation=1, *, whole=True, **said):
    run = attempt(generation=generation, **{"status": "completed", "verdict": "accepted", "kept": "words", **said})
    asked = fingerprint(text) if whole else None
    return Kept(
        generation=generation, attempt=run, result=ANSWER, agent="writer", at=1_699_999_000.0, fingerprint=asked
    )


def change_of(*found, of=NOW, answers=("words",), **said):
    known = {ResultRef.of(text, None).digest: text for text in answers}
    plan = planned(
        desired(task(**said)),
        snapshot(of),
        former=lambda address, record: found,
        answer=lambda ref: known.get(ref.digest),
    )
    return plan.changes[0]


def test_the_newest_accepted_result_of_the_very_text_is_taken():
    taken = change_of(kept("C", 4), kept("A", 3, verdict="rejected"), kept("A", 2), kept("A", 1))
    assert (taken.action, taken.paid, taken.kept.generation, taken.generation) == (Action.ADOPT, False, 2, 3)


def test_the_beginning_of_a_digest_is_not_enough():
    assert change_of(kept(whole=False)).action is Action.CREATE


@pytest.mark.parametrize(
    ("found", "more"),
    [
        (kept(remote="another remote"), {}),
        (kept(), {"answers": ()}),
        (kept(), {"assertions": ({"regex": "nosuch"},)}),
        (kept(), {"rerun": {"when": "always"}}),
        (kept(), {"rerun": {"after": 999}}),
    ],
    ids=["elsewhere", "not readable", "rejected now", "always", "grown old"],
)
def test_what_does_not_count_today_is_told_and_runs(found, more):
    left = change_of(found, **more)
    assert (left.action, left.paid, left.kept) == (Action.CREATE, True, None)
    assert left.reasons[-1].code == "kept_not_taken"
    assert left.reasons[-1].text.startswith("asked for before as g1, but that result does not count: ")


def test_another_instance_of_the_engine_makes_no_difference():
    assert change_of(kept(remote="another engine")).action is Action.ADOPT


def test_no_history_is_asked_of_what_has_not_changed_or_has_no_older_generation():
    asked = []

    def former(address, record):
        asked.append(address)
        return ()

    first = record("a", text="A", attempts=[attempt(status="completed", verdict="accepted")], accepted=(1, "A"))
    held = snapshot(first, replace(NOW, address="b"), replace(NOW, address="c"))
    planned(desired(task("a", "Z"), task("b", "B"), task("c", "Z")), held, former=former)
    assert asked == ["c"]


@pytest.mark.parametrize(
    ("status", "verdict", "action", "run"),
    [
        ("error", "error", Action.ADOPT, True),
        ("failed", "failed", Action.ADOPT, False),
        ("completed", None, Action.ADOPT, False),
        ("stopped", "stopped", Action.ADOPT, False),
        ("pending", None, Action.ADOPT, True),
        ("executing", None, Action.ADOPT, True),
        ("dreaming", None, Action.HOLD, True),
        ("executing", "lost", Action.HOLD, True),
    ],
)
def test_what_has_become_of_the_text_between_is_seen_to_its_end_first(status, verdict, action, run):
    held = record(text="B", generation=2, attempts=[attempt(generation=2, status=status, verdict=verdict)])
    found = change_of(kept(), of=held)
    assert (found.action, found.run is not None, found.paid) == (action, run, False)
    assert (found.kept is not None) == (action is Action.ADOPT)


def test_an_intent_of_unknown_outcome_is_settled_and_starts_nothing():
    held = record(text="B", generation=2, attempts=[attempt(generation=2, sending="intended")])
    found = change_of(kept(), of=held)
    assert (found.action, found.health, found.paid, found.kept.generation) == (Action.SETTLE, "unknown", False, 1)


def test_a_plan_that_is_read_back_tells_what_it_takes():
    plan = planned(desired(task()), snapshot(NOW), former=lambda address, record: (kept(),), answer=lambda ref: "words")
    assert to_json(decoded(to_json(plan))) == to_json(plan)


def test_a_saved_plan_takes_a_result_in_the_place_of_a_run_and_never_a_run_in_its_place():
    taken, run = change(Action.ADOPT, kept=kept()), change(Action.CREATE, paid=True, generation=3)
    assert done_of(taken, run).action is Action.ADOPT
    assert done_of(taken, change(Action.WAIT, kept=kept())).action is Action.ADOPT
    left = done_of(run, taken)
    assert (left.action, left.refused, left.paid) == (Action.HOLD, True, False)
    held = done_of(taken, change(Action.HOLD))
    assert (held.action, held.kept, held.reasons[0].code) == (Action.HOLD, None, "not_planned")


@UNHURRIED
@given(worlds(), st.sampled_from(["here", "another remote"]), st.booleans())
def test_a_kept_result_takes_the_place_of_runs_alone_and_only_of_changed_texts(world, place, is_there):
    def former(address, record):
        return [kept(text, 1, address=address, remote=place) for text in ("A", "B", "C", "A+answer")]

    without = {was.address: was for was in plan_of(world).changes}
    told = {"former": former, "answer": lambda ref: "words" if is_there else None}
    for one in plan_of(world, **told).changes:
        was = without[one.address]
        if one.kept is None:
            continue
        assert place == "here"
        assert is_there
        assert not one.paid
        assert one.action in {Action.ADOPT, Action.WAIT, Action.SETTLE}
        assert one.record.generation.number > 1
        assert not one.declares(one.record.generation.fingerprint)
        assert one.fingerprint == one.kept.fingerprint
        assert one.kept.attempt.remote.same_remote(HERE)
        assert one.kept.attempt.verdict is Verdict.ACCEPTED
        assert was.paid or was.action is Action.BLOCKED or was.refused or one.after  # `protect` holds runs alone
        assert not one.destructive or was.destructive


def test_these_remotes_are_other_ones():
    assert not REMOTES["another remote"].same_remote(HERE)
