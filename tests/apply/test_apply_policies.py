"""What the policies of a task do in an apply: queue, hold, protect, side effects, rerun, and errors that pass."""

from dataclasses import replace

import pytest
from apply_stages import A, deferred, task

from taskspec.events import Effect, RunCreated, RunStopped
from taskspec.health import Health
from taskspec.report.exiting import ExitCode

ANEW = "Write anew."
QUEUE, HOLD = {"on_change_active": "queue"}, {"on_change_active": "hold"}
ONCE_MORE = {"retry": {"max_attempts": 2, "statuses": ("error", "failed")}}


@pytest.fixture
def active(stage):
    """A run of the first text that is executing, and goes on when it is looked at."""
    stage.remote.scripts["Write."] = [["executing"]]
    stage.apply(task(), wait=False)
    return stage.remote.runs["run-1"]


def created(stage):
    return [event.run for event in stage.told(RunCreated)]


def test_a_queued_change_starts_when_the_run_before_it_has_ended_and_both_are_kept(stage, active):
    active.steps = ["executing", "executing", "completed"]
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE))[A]
    assert (finished.verdict, stage.told(RunStopped), created(stage)) == ("accepted", [], ["run-2"])
    assert stage.record().accepted.generation == 2
    assert stage.history() == ["intended", "bound", "ended", "superseded", "intended", "bound", "ended"]
    stage.apply(task(prompt=ANEW, policies=QUEUE))
    assert created(stage) == []


@pytest.mark.parametrize("end", ["failed", "error", "stopped"])
def test_a_queued_change_starts_also_behind_a_run_that_ends_badly_and_grants_that_one_no_attempt(stage, active, end):
    active.steps = ["executing", end]
    finished = stage.apply(task(prompt=ANEW, policies={**QUEUE, **ONCE_MORE}))[A]
    assert (finished.verdict, created(stage)) == ("accepted", ["run-2"])
    assert stage.record().generation.number == 2


def test_a_queued_change_starts_beside_no_run_in_error_that_may_go_on(stage, active):
    active.steps = ["executing", "error"]
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE))[A]
    assert (finished.verdict, created(stage)) == ("accepted", ["run-2"])
    assert stage.history() == [
        "intended",
        "bound",
        "ended",
        "stopping",
        "stopped",
        "superseded",
        "intended",
        "bound",
        "ended",
    ]


def test_a_queued_change_is_behind_a_run_whose_error_passes_too(stage, active):
    active.steps = ["executing", "error", "executing", "completed"]
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE))[A]
    assert (finished.verdict, stage.told(RunStopped), created(stage)) == ("accepted", [], ["run-2"])
    assert stage.history() == [
        "intended",
        "bound",
        "ended",
        "revived",
        "ended",
        "superseded",
        "intended",
        "bound",
        "ended",
    ]


def test_a_queued_change_does_not_start_while_the_run_before_it_waits_for_a_person(stage, active):
    active.steps = ["executing", "paused"]
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE))[A]
    assert (finished.health, created(stage)) == (Health.NEEDS_INPUT, [])
    assert stage.exit_code() == ExitCode.NEEDS_INPUT


def test_a_queued_change_does_not_start_beside_a_run_that_is_lost(stage, active):
    active.steps = ["executing"]
    stage.remote.scripts[ANEW] = [["completed"]]

    async def vanishing(execution):
        del stage.remote.runs["run-1"]
        await execution.run()

    finished = stage.play(vanishing, task(prompt=ANEW, policies=QUEUE))[A]
    assert (finished.effect, created(stage)) == (Effect.UNKNOWN, [])


def test_a_queued_change_that_is_not_waited_for_starts_in_the_next_apply(stage, active):
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE), wait=False)[A]
    assert (finished.verdict, finished.effect, created(stage)) == ("active", Effect.CUT, [])
    assert stage.exit_code() is ExitCode.WAITED
    active.steps = ["completed"]
    assert stage.apply(task(prompt=ANEW, policies=QUEUE))[A].verdict == "accepted"
    assert created(stage) == ["run-2"]


def test_a_held_change_leaves_the_run_and_is_told_by_the_exit_code(stage, active):
    finished = stage.apply(task(prompt=ANEW, policies=HOLD), task("b"))
    assert (finished[A].effect, finished[A].health) == (Effect.REFUSED, Health.HEALTHY)
    assert finished["b"].verdict == "accepted"
    assert (active.steps, stage.exit_code()) == (["executing"], ExitCode.REFUSED)
    active.steps = ["completed"]
    stage.apply(task(prompt=ANEW, policies=HOLD))
    assert created(stage) == ["run-3"]


def test_a_run_of_another_text_is_let_end_and_takes_nobodys_place(stage):
    stage.apply(task())
    stage.remote.scripts[ANEW] = [["executing", "executing", "failed"]]
    stage.apply(task(prompt=ANEW), wait=False)
    finished = stage.apply(task(policies=QUEUE))[A]
    assert (finished.effect, finished.health) == (Effect.DONE, Health.HEALTHY)
    assert (stage.record().accepted.generation, stage.exit_code()) == (1, ExitCode.OK)


@pytest.mark.parametrize("policy", ["replace", "queue", "hold"])
@pytest.mark.parametrize("send", ["lose", "drop"])
def test_a_doubt_about_a_text_that_was_taken_back_is_none_about_the_kept_result(stage, send, policy):
    stage.apply(task())
    stage.remote.sends = [send]
    stage.remote.scripts[ANEW] = [["executing", "executing", "completed"]]
    stage.apply(task(prompt=ANEW), hold_unknown=True)
    finished = stage.apply(task(policies={"on_change_active": policy}), task("b", upstream=[A]))
    assert (finished[A].effect, finished[A].health) == (Effect.DONE, Health.HEALTHY)
    assert (finished["b"].verdict, stage.exit_code()) == ("accepted", ExitCode.OK)
    assert stage.record().accepted.generation == 1


def test_nobody_says_that_a_kept_result_is_well_which_was_judged_by_other_assertions(stage):
    stage.apply(task())
    stage.remote.sends = ["lose"]
    stage.apply(task(prompt=ANEW), hold_unknown=True)
    finished = stage.apply(replace(task(), assertions=({"regex": "nosuch"},)))
    assert (finished[A].health, stage.exit_code()) == (Health.UNKNOWN, ExitCode.UNKNOWN)


def test_an_adopted_run_of_another_text_is_held_where_the_policy_says_so(stage):
    stage.remote.sends = ["drop"]
    stage.remote.scripts["Write."] = [["executing"]]
    stage.apply(task(), hold_unknown=True)
    finished = stage.apply(task(prompt=ANEW, policies=HOLD))[A]
    assert (finished.effect, created(stage), stage.told(RunStopped)) == (Effect.REFUSED, [], [])
    assert stage.record().generation.last.run == "run-1"


def test_a_protected_run_is_not_stopped_and_the_others_go_on(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    stage.apply(task(policies={"protect": True}), wait=False)
    finished = stage.apply(task(prompt=ANEW, policies={"protect": True}), task("b"))
    assert (finished[A].effect, finished["b"].verdict) == (Effect.REFUSED, "accepted")
    assert stage.exit_code() == ExitCode.REFUSED
    finished = stage.apply(task("b"))
    assert (finished[A].effect, stage.told(RunStopped)) == (Effect.REFUSED, [])
    assert stage.record().protect


@pytest.mark.parametrize("declared", [[task(prompt=ANEW, policies={"protect": True})], []])
def test_a_protected_run_that_has_begun_since_the_plan_is_not_stopped(stage, declared):
    stage.remote.scripts["Write."] = [["pending", "pending", "executing"]]
    stage.apply(task(policies={"protect": True}), wait=False)
    finished = stage.apply(*declared)[A]
    assert (finished.effect, stage.told(RunStopped), created(stage)) == (Effect.REFUSED, [], [])
    assert (stage.remote.asked["DELETE"], stage.exit_code()) == (0, ExitCode.REFUSED)
    assert stage.record().generation.last.stop is None
    stage.remote.runs["run-1"].steps = ["completed"]
    assert stage.apply(task(policies={"protect": True}))[A].verdict == "accepted"


def test_a_protected_run_that_is_still_pending_is_replaced(stage):
    stage.remote.scripts["Write."] = [["pending"]]
    stage.apply(task(policies={"protect": True}), wait=False)
    finished = stage.apply(task(prompt=ANEW, policies={"protect": True}))[A]
    assert (finished.verdict, created(stage)) == ("accepted", ["run-2"])


def test_what_depends_on_a_queued_task_runs_behind_it(stage, active):
    active.steps = ["executing", "executing", "completed"]
    finished = stage.apply(task(prompt=ANEW, policies=QUEUE), deferred(uses=["a"]))
    assert [finished[one].verdict for one in ("a", "b")] == ["accepted", "accepted"]
    assert created(stage) == ["run-2", "run-3"]


def test_protected_side_effects_get_no_further_attempt_by_themselves(stage):
    stage.remote.scripts["Write."] = [["failed"]]
    policies = {**ONCE_MORE, "side_effects": True, "protect": True}
    stage.apply(task(policies=policies))
    assert len(stage.attempts()) == 1
    finished = stage.apply(task(policies=policies))[A]
    assert (finished.effect, created(stage)) == (Effect.REFUSED, [])


def test_an_error_that_passes_while_a_further_attempt_waits_is_followed_and_not_paid_again(stage):
    stage.remote.scripts["Write."] = [["executing", "error", "executing", "completed"]]
    finished = stage.apply(task(policies=ONCE_MORE))[A]
    assert (finished.verdict, created(stage), stage.told(RunStopped)) == ("accepted", ["run-1"], [])
    assert stage.history() == ["intended", "bound", "ended", "revived", "ended"]


def test_an_error_that_has_passed_since_the_last_apply_is_followed_and_not_paid_again(stage):
    stage.remote.scripts["Write."] = [["executing", "error"]]
    stage.apply(task())
    stage.remote.runs["run-1"].steps = ["error", "executing", "executing", "completed"]
    finished = stage.apply(task(policies=ONCE_MORE))[A]
    assert stage.plan.changes[0].action == "create"
    assert (finished.verdict, created(stage), stage.told(RunStopped)) == ("accepted", [], [])


def test_an_error_that_stays_is_stopped_and_gets_its_successor(stage):
    stage.remote.scripts["Write."] = [["executing", "error"], ["completed"]]
    finished = stage.apply(task(policies=ONCE_MORE))[A]
    assert (finished.verdict, created(stage)) == ("accepted", ["run-1", "run-2"])


def test_always_runs_once_in_every_apply(stage):
    lasting = task(policies={"rerun": {"when": "always"}})
    stage.apply(lasting)
    assert stage.apply(lasting)[A].verdict == "accepted"
    assert created(stage) == ["run-2"]
    assert stage.record().accepted.generation == 2


def test_what_grew_old_runs_again_and_is_young_then(stage):
    lasting = task(policies={"rerun": {"after": 3600.0}})
    stage.apply(lasting)
    stage.clock.time += 3599
    stage.apply(lasting)
    assert created(stage) == []
    stage.clock.time += 1
    stage.apply(lasting)
    assert created(stage) == ["run-2"]
    stage.apply(lasting)
    assert created(stage) == []


def test_an_ignored_change_goes_out_with_the_attempt_that_is_made_anyway(stage):
    ignoring = {**ONCE_MORE, "rerun": {"ignore": frozenset({"prompt"})}}
    stage.remote.scripts["Write."] = [["failed"]]
    stage.apply(task())
    finished = stage.apply(task(prompt=ANEW, policies=ignoring))[A]
    assert (finished.verdict, len(stage.remote.started(ANEW))) == ("accepted", 1)
    assert (stage.record().generation.number, stage.record().generation.spec["prompt"]) == (2, ANEW)
    stage.apply(task(prompt="Write otherwise.", policies=ignoring))
    assert created(stage) == []


SIDE_EFFECTS = {"side_effects": True, "protect": True}


def test_protected_side_effects_are_held_when_their_upstream_has_answered_otherwise(stage):
    stage.apply(task(), deferred(uses=["a"], policies=SIDE_EFFECTS))
    finished = stage.apply(task(prompt=ANEW), deferred(uses=["a"], policies=SIDE_EFFECTS))
    assert [finished[one].effect for one in ("a", "b")] == [Effect.DONE, Effect.REFUSED]
    assert (created(stage), stage.exit_code()) == (["run-3"], ExitCode.REFUSED)


def test_protected_side_effects_are_left_as_they_are_when_their_upstream_has_answered_as_before(stage):
    protected = deferred(uses=["a"], part=lambda result: "alike", policies=SIDE_EFFECTS)
    stage.apply(task(), protected)
    finished = stage.apply(task(prompt=ANEW), protected, deferred("c", uses=["b"]))
    assert [(finished[one].action, finished[one].effect) for one in ("b", "c")] == [
        ("none", Effect.LEFT),
        ("create", Effect.DONE),
    ]
    assert (created(stage), stage.exit_code()) == (["run-3", "run-4"], ExitCode.OK)
