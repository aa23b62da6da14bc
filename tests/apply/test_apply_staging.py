"""The table: each planned change and its steps."""

from dataclasses import replace

import pytest
from apply_stages import REMOTE, A, task

from taskspec.apply.advancing import intended
from taskspec.apply.model import Create, Follow, Forget, Hold, Retake, Retitle, Settle, Stop
from taskspec.apply.staging import settling_steps, steps
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Action, Change, FieldDiff
from taskspec.state.model import Accepted, Attempt, ResultRef, StopCause

TASK = task()
OTHER = task(prompt="Write something else.")
ATTEMPT = Attempt(
    number=1, nonce="n", marker="[m]", body_digest="0", intended_at=0.0, send_deadline=60.0, remote=REMOTE
)
KEPT = Kept(generation=1, attempt=ATTEMPT, result=ResultRef(digest="0", size=1, format="text"), agent="writer", at=0.0)


def change(action, *, of=TASK, record=None, generation=1, run=None, diffs=()):
    return Change(
        address=A,
        action=Action(action),
        reasons=(Reason(code="c", text="t"),),
        health=Health.HEALTHY,
        agent="writer",
        generation=generation,
        run=run,
        task=of,
        record=record,
        diffs=diffs,
    )


def record(of=TASK, *, on_remove="stop", protect=False, accepted=None):
    made = intended(change("create", of=of), None, ATTEMPT, fresh=True, plan="p0")
    kept = accepted and Accepted(
        generation=1,
        fingerprint=accepted.fingerprint,
        plan="p0",
        agent="writer",
        attempt=ATTEMPT,
        result=ResultRef.of("x", None),
        at=1.0,
    )
    policies = task(policies={"on_remove": on_remove}).policies
    return replace(made, accepted=kept, on_remove=policies.on_remove, protect=protect)


def with_policies(**said):
    return replace(TASK, policies=task(policies=said).policies)


def holds(step):
    return [type(one) for one in step.adopted] == [Hold]


REPLACED, REMOVED, RETRIED = (Stop(cause=cause) for cause in (StopCause.REPLACE, StopCause.REMOVE, StopCause.RETRY))
TITLED = FieldDiff(path=("title",), before="Write", after="Write it")
AGAIN, ANEW = Create(fresh=False), Create(fresh=True)

TABLE = {
    "none": (change("none"), ()),
    "hold": (change("hold"), ()),
    "blocked": (change("blocked"), ()),
    "first create": (change("create"), (ANEW, Follow())),
    "next attempt": (change("create", record=record()), (AGAIN, Follow())),
    "next generation": (change("create", record=record(), generation=2), (ANEW, Follow())),
    "next attempt after an error": (change("create", record=record(), run="r"), (RETRIED, AGAIN, Follow())),
    "next generation after an error": (
        change("create", record=record(OTHER), generation=2, run="r"),
        (RETRIED, ANEW, Follow()),
    ),
    "replace": (change("replace", record=record(), generation=2, run="r"), (REPLACED, ANEW, Follow())),
    "wait": (change("wait", record=record()), (Follow(),)),
    "wait for another text": (
        replace(change("wait", record=record(OTHER), generation=2, run="r"), paid=True),
        (Follow(), ANEW, Follow()),
    ),
    "rejudge": (change("rejudge", record=record()), (Follow(),)),
    "update": (change("update", record=record()), (Retitle(),)),
    "move": (change("move", record=record()), ()),
    "move with another title": (change("move", record=record(), diffs=(TITLED,)), (Retitle(),)),
    "stop of what is not declared": (change("stop", of=None, record=record()), (REMOVED, Forget())),
    "stop of what came after an accepted text": (change("stop", record=record(OTHER)), (REPLACED,)),
    "forget": (change("forget", of=None, record=record()), (Forget(),)),
}

SETTLING = {
    "the declared text": (TASK, record(), Settle(adopted=(Follow(),), absent=(AGAIN, Follow()))),
    "another text": (
        TASK,
        record(OTHER),
        Settle(adopted=(REPLACED, ANEW, Follow()), absent=(ANEW, Follow())),
    ),
    "another text, and the declared one is accepted": (
        TASK,
        record(OTHER, accepted=TASK),
        Settle(adopted=(REPLACED,), absent=()),
    ),
    "another text, behind which the declared one queues": (
        with_policies(on_change_active="queue"),
        record(OTHER),
        Settle(adopted=(Follow(), ANEW, Follow()), absent=(ANEW, Follow())),
    ),
    "another text, which is let end": (
        with_policies(on_change_active="queue"),
        record(OTHER, accepted=TASK),
        Settle(adopted=(Follow(),), absent=()),
    ),
    "nothing recorded any more": (TASK, None, Settle(adopted=(Follow(),), absent=(AGAIN, Follow()))),
    "undeclared, to be stopped": (None, record(), Settle(adopted=(REMOVED, Forget()), absent=(Forget(),))),
    "undeclared, to be forgotten": (
        None,
        record(on_remove="forget"),
        Settle(adopted=(Forget(),), absent=(Forget(),)),
    ),
    "undeclared, to be held": (None, record(on_remove="hold"), Settle(adopted=(), absent=(Forget(),))),
}


HELD = {
    "a change held while a run is active": (with_policies(on_change_active="hold"), record(OTHER), 2),
    "protected": (with_policies(protect=True), record(OTHER), 2),
    "protected side effects that would queue": (
        with_policies(protect=True, side_effects=True, on_change_active="queue"),
        record(OTHER),
        2,
    ),
    "protected, and the declared text is accepted": (with_policies(protect=True), record(OTHER, accepted=TASK), 0),
    "undeclared, protected": (None, record(protect=True), 1),
}


@pytest.mark.parametrize("case", HELD)
def test_an_adopted_run_that_a_policy_holds_is_left_and_an_absent_one_is_not_waited_for(case):
    declared, recorded, follow = HELD[case]
    step = settling_steps(recorded, change("settle", of=declared, record=recorded))
    assert holds(step)
    assert len(step.absent) == follow


@pytest.mark.parametrize("case", TABLE)
def test_a_change_has_these_steps(case):
    planned, expected = TABLE[case]
    assert steps(planned) == expected


@pytest.mark.parametrize("case", SETTLING)
def test_an_intent_is_settled_like_this(case):
    declared, recorded, expected = SETTLING[case]
    planned = change("settle", of=declared, record=recorded)
    assert steps(planned) == (expected,)
    assert settling_steps(recorded, planned) == expected


def test_the_table_has_a_row_for_every_action():
    covered = {planned.action for planned, _ in TABLE.values()}
    assert covered | {Action.SETTLE, Action.ADOPT} == set(Action)


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (change("adopt"), ()),
        (change("adopt", run="r", record=record(OTHER)), (Stop(cause=StopCause.REPLACE),)),
        (change("wait", record=record(OTHER)), (Follow(),)),
    ],
    ids=["nothing is in the way", "a run is at work", "a run is let end"],
)
def test_a_kept_result_is_taken_when_no_run_is_in_the_way(planned, expected):
    assert steps(replace(planned, kept=KEPT)) == (*expected, Retake())


def test_an_intent_of_another_text_is_settled_before_a_kept_result_is_taken():
    settled = settling_steps(record(OTHER), replace(change("settle", record=record(OTHER)), kept=KEPT))
    assert settled == Settle(adopted=(Stop(cause=StopCause.REPLACE), Retake()), absent=(Retake(),))
    assert not settled.may_start
