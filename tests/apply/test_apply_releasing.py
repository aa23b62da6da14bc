"""What depends on other tasks: begun when they are accepted, with their results; never before, and never for more."""

import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from apply_stages import A, B, Stage, cut_when, deferred, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskspec.address import Address
from taskspec.apply import performing, sending, settling
from taskspec.events import ChangeDecided, ChangeFinished, Effect, RetryScheduled, RunCreated, RunEnded
from taskspec.health import Health
from taskspec.observed import refreshing
from taskspec.state.sqlite import SqliteState

C = Address("c")


def created(stage):
    return [event.address for event in stage.told(RunCreated)]


def test_a_task_gets_the_result_that_it_uses_in_the_same_apply(stage):
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert finished[B].verdict == "accepted"
    assert stage.remote.started("Sum up: answer to Write.")
    generation = stage.record(B).generation
    assert (generation.number, generation.spec["prompt"]) == (1, "Sum up: answer to Write.")
    assert [(event.address, event.action) for event in stage.told(ChangeDecided)] == [("b", "create")]


def test_a_chain_is_carried_out_to_its_end(stage):
    finished = stage.apply(task(), deferred(uses=["a"]), deferred("c", "End:", uses=["b"]))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert stage.remote.started("End: answer to Sum up: answer to Write.")


def test_a_second_apply_finds_nothing_to_do(stage):
    stage.apply(task(), deferred(uses=["a"]))
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert {event.effect for event in finished.values()} == {Effect.LEFT}
    assert stage.plan.pending == ()
    assert len(stage.remote.runs) == 2


def test_the_same_part_of_another_answer_needs_no_run(stage):
    stage.apply(task(), deferred(uses=["a"], part=lambda _: "the part"))
    finished = stage.apply(task(prompt="Write anew."), deferred(uses=["a"], part=lambda _: "the part"))
    assert (finished[B].action, finished[B].effect, finished[B].health) == ("none", Effect.LEFT, Health.HEALTHY)
    assert created(stage) == ["a"]
    assert stage.plan.paid_runs == 2, "the plan told the most that could be started"
    assert stage.exit_code() == 0


def test_another_part_of_another_answer_is_a_new_generation(stage):
    stage.apply(task(), deferred(uses=["a"]))
    stage.apply(task(prompt="Write anew."), deferred(uses=["a"]))
    assert stage.record(B).generation.number == 2
    assert stage.record(B).accepted.generation == 2


def test_what_an_agent_answered_is_never_rendered(stage):
    stage.remote.scripts["Write."] = [[{"status": "completed", "result": "{{ vars.secret }} {% for %}"}]]
    stage.apply(task(), deferred(uses=["a"]))
    assert stage.remote.started("Sum up: {{ vars.secret }} {% for %}")


@pytest.mark.parametrize(
    ("script", "health", "code"),
    [
        (["failed"], Health.UNHEALTHY, 3),
        ([{"status": "completed", "result": ""}], Health.UNHEALTHY, 3),
        (["paused"], Health.NEEDS_INPUT, 5),
        (["executing", 404], Health.UNKNOWN, 9),
        (["hibernating"], Health.UNKNOWN, 1),
    ],
)
def test_nothing_is_started_behind_a_task_that_is_not_accepted(stage, script, health, code):
    stage.remote.scripts["Write."] = [script]
    finished = stage.apply(task(), deferred(uses=["a"]), task("c", "Last.", upstream=["b"]))
    for address in (B, C):
        assert (finished[address].action, finished[address].effect) == ("blocked", Effect.LEFT)
        assert finished[address].health is health
    assert "`a` without an accepted result" in finished[B].detail
    assert created(stage) == ["a"]
    assert stage.record(B) is None
    assert stage.exit_code() == code


def test_a_blocked_task_tells_how_the_other_ended_and_the_first_line_of_why(stage):
    stage.remote.scripts["Write."] = [[{"status": "failed", "result": "exit code 3\nTraceback\n  File model.py"}]]
    finished = stage.apply(task(), deferred(uses=["a"]), task("c", "Last.", upstream=["b"]))
    assert finished[A].detail.splitlines()[1:]
    assert finished[B].detail == "blocked: `a` without an accepted result: failed: exit code 3"
    assert finished[C].detail == f"blocked: `b` without an accepted result: {finished[B].detail}"


def test_the_old_result_of_a_task_that_fails_now_is_fed_to_nobody(stage):
    stage.apply(task(), deferred(uses=["a"]))
    stage.remote.scripts["Write anew."] = [["failed"]]
    finished = stage.apply(task(prompt="Write anew."), deferred("c", uses=["a"]), deferred(uses=["a"]))
    assert finished[C].action == "blocked"
    assert finished[B].action == "blocked"
    assert stage.record(B).accepted.generation == 1


def test_a_result_from_another_remote_is_not_taken_for_one_that_failed_here(stage):
    stage.identity = replace(stage.identity, organization="another")
    stage.apply(task())
    stage.identity = replace(stage.identity, organization="o")
    stage.remote.scripts["Write."] = [["failed"]]
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert (finished[A].verdict, finished[B].action) == ("failed", "blocked")
    assert stage.record().accepted.generation == 1, "it is of the very text, and is kept"
    assert created(stage) == ["a"]


def test_a_result_from_another_remote_is_not_taken_for_one_that_is_not_waited_for_here(stage):
    stage.identity = replace(stage.identity, organization="another")
    stage.apply(task())
    stage.identity = replace(stage.identity, organization="o")
    stage.remote.scripts["Write."] = [["executing"]]
    finished = stage.apply(task(), deferred(uses=["a"]), wait=False)
    assert (finished[A].verdict, finished[B].effect) == ("active", Effect.CUT)
    assert created(stage) == ["a"]


def test_a_result_of_another_text_that_comes_in_while_its_run_is_stopped_takes_nobodys_place(stage):
    stage.apply(task())
    stage.remote.scripts["Write anew."] = [["executing"]]
    stage.apply(task(prompt="Write anew."), wait=False)
    stage.remote.stops = ["completed"]
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert (stage.plan.changes[0].action, stage.plan.changes[1].action) == ("stop", "create")
    assert stage.record().accepted.generation == 1
    assert stage.record().generation.last.result is not None
    assert finished[A].health is Health.HEALTHY
    assert finished[B].verdict == "accepted"
    assert created(stage) == ["b"]
    stage.apply(task(), deferred(uses=["a"]))
    assert [change.action for change in stage.plan.changes] == ["none", "none"]
    assert stage.apply(task(prompt="Write anew."))[A].verdict == "accepted"
    assert created(stage) == []


def test_a_run_that_ends_badly_while_its_upstream_runs_anew_gets_no_successor_before_that_is_accepted(stage):
    retry = {"retry": {"max_attempts": 2, "statuses": ("failed",)}}
    then = task("b", "Then.", upstream=["a"], policies=retry)
    stage.apply(task())
    stage.remote.scripts["Then."] = [["executing"]]
    stage.apply(task(), then, wait=False)
    stage.remote.runs["run-2"].steps = ["executing", "failed"]
    stage.remote.scripts["Write anew."] = [["executing"] * 9 + ["failed"], ["completed"]]
    anew = task(prompt="Write anew.", policies=retry)
    finished = stage.apply(task(prompt="Write anew."), then)
    assert (stage.plan.changes[1].action, stage.plan.changes[1].after) == ("wait", (A,))
    assert (finished[B].verdict, created(stage)) == ("failed", ["a"])
    assert stage.apply(anew, then)[B].verdict == "accepted"
    assert created(stage) == ["a", "b"]


def test_a_failed_upstream_that_stays_as_it_is_blocks_already_in_the_plan(stage):
    stage.remote.scripts["Write."] = [["failed"]]
    stage.apply(task(), deferred(uses=["a"]))
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert [change.action for change in stage.plan.changes] == ["none", "blocked"]
    assert (finished[B].health, stage.exit_code()) == (Health.UNHEALTHY, 3)


def test_an_upstream_that_succeeds_at_its_second_attempt_lets_the_others_begin(stage):
    stage.remote.scripts["Write."] = [["failed"], ["completed"]]
    retry = {"retry": {"max_attempts": 2, "statuses": ("failed",)}}
    assert stage.apply(task(policies=retry), deferred(uses=["a"]))[B].verdict == "accepted"


def test_a_task_that_waited_is_retried_like_any_other(stage):
    stage.remote.scripts["Sum up: answer to Write."] = [["failed"], ["completed"]]
    retry = {"retry": {"max_attempts": 2, "statuses": ("failed",)}}
    assert stage.apply(task(), deferred(uses=["a"], policies=retry))[B].verdict == "accepted"
    assert [event.address for event in stage.told(RetryScheduled)] == ["b"]


def test_order_alone_is_kept_too(stage):
    stage.remote.scripts["Write."] = [["pending", "executing", "completed"]]
    finished = stage.apply(task(), task("b", "Then.", upstream=["a"]))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    ended = next(i for i, event in enumerate(stage.events) if isinstance(event, RunEnded) and event.address == A)
    begun = next(i for i, event in enumerate(stage.events) if isinstance(event, RunCreated) and event.address == B)
    assert ended < begun


def test_waiting_for_an_upstream_takes_no_place(stage):
    waiting = [deferred(f"w{i}", uses=["a"]) for i in range(5)]
    finished = stage.apply(*waiting[:0], task(), *waiting, task("z", "Alone."), parallelism=1)
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert stage.remote.most_at_once <= 1


def test_an_upstream_of_unknown_outcome_is_settled_and_its_dependents_follow(stage):
    stage.remote.sends = ["drop"]
    finished = stage.apply(task(), deferred(uses=["a"]), task("c", "Alone."))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert created(stage).index("c") < created(stage).index("b"), "what is without doubt goes first"


def test_a_chain_of_unknown_outcomes_is_settled_link_by_link(stage):
    stage.remote.sends = ["drop", "drop", "lose"]
    finished = stage.apply(task(), deferred(uses=["a"]), deferred("c", "End:", uses=["b"]))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    prompts = [run.body["input"]["text"] for run in stage.remote.runs.values()]
    assert len(prompts) == len(set(prompts)) == 3


def test_an_upstream_whose_outcome_stays_unknown_blocks_with_its_health(stage):
    stage.remote.sends = ["drop"]
    finished = stage.apply(task(), deferred(uses=["a"]), hold_unknown=True)
    assert (finished[A].health, finished[B].health) == (Health.UNKNOWN, Health.UNKNOWN)
    assert (finished[B].action, stage.exit_code()) == ("blocked", 9)


def test_an_intent_of_a_deferred_task_is_settled_when_its_text_is_known(stage):
    stage.apply(task())
    stage.remote.sends = ["drop"]
    stage.apply(task(), deferred(uses=["a"]), hold_unknown=True)
    finished = stage.apply(task(prompt="Write anew."), deferred(uses=["a"]))
    assert stage.plan.changes[1].action == "settle"
    assert finished[B].verdict == "accepted"
    assert stage.record(B).generation.spec["prompt"] == "Sum up: answer to Write anew."
    assert len(stage.remote.started("Sum up: answer to Write.")) == 1


def test_a_template_that_cannot_take_the_result_fails_at_its_place(stage):
    finished = stage.apply(task(), deferred(uses=["a"], wrong="answer"), task("c", "Last.", upstream=["b"]))
    assert (finished[B].effect, finished[B].health) == (Effect.FAILED, Health.UNHEALTHY)
    assert finished[B].detail == "tasks.yaml:7:11: No such field: It has no `sum`."
    assert finished[C].action == "blocked"
    assert stage.exit_code() == 1


def test_a_result_that_cannot_be_read_fails_its_dependents_and_nothing_else(stage, monkeypatch):
    from taskspec.errors import StateError

    def damaged(store, ref):
        raise StateError("the result is damaged")

    monkeypatch.setattr(SqliteState, "result", damaged)
    finished = stage.apply(task(), deferred(uses=["a"]), task("c", "Alone."))
    assert (finished[B].effect, finished[B].health) == (Effect.FAILED, Health.UNHEALTHY)
    assert "the result is damaged" in finished[B].detail
    assert finished[C].verdict == "accepted"
    again = stage.apply(task(), deferred(uses=["a"]), task("c", "Alone."))
    assert (again[B].effect, again[B].health) == (Effect.FAILED, Health.UNHEALTHY)


def test_what_was_not_selected_is_not_started_for_others(stage):
    stage.selected = frozenset({B})
    finished = stage.apply(task(), deferred(uses=["a"]))
    assert finished.keys() == {B}
    assert (finished[B].action, finished[B].health) == ("blocked", Health.UNHEALTHY)
    assert "`+b`" in finished[B].detail
    assert stage.remote.runs == {}


def test_a_run_that_its_upstream_has_overtaken_makes_nothing_healthy(stage):
    stage.apply(task())
    stage.remote.scripts["Sum up: answer to Write."] = [["executing"]]
    stage.apply(task(), deferred(uses=["a"]), wait=False)
    stage.remote.scripts["Write anew."] = [["failed"]]
    stage.apply(task(prompt="Write anew."), deferred(uses=["a"]))
    stage.remote.runs["run-2"].steps = ["executing", "executing", "completed"]
    finished = stage.apply(task(prompt="Write anew."), deferred(uses=["a"]))
    assert stage.plan.changes[1].action == "wait"
    assert (finished[B].verdict, finished[B].health) == ("accepted", Health.UNHEALTHY)
    assert stage.exit_code() == 3


def test_an_active_run_of_the_very_text_is_not_replaced(stage):
    stage.apply(task())
    stage.remote.scripts["Sum up: same"] = [["executing"]]
    stage.apply(task(), deferred(uses=["a"], part=lambda _: "same"), wait=False)
    stage.remote.runs["run-2"].steps = ["executing", "executing", "completed"]
    finished = stage.apply(task(prompt="Write anew."), deferred(uses=["a"], part=lambda _: "same"))
    assert (stage.plan.changes[1].action, stage.plan.changes[1].destructive) == ("replace", True)
    assert (finished[B].action, finished[B].verdict) == ("wait", "accepted")
    assert stage.remote.asked["DELETE"] == 0


def test_an_active_run_of_another_text_is_replaced(stage):
    stage.apply(task())
    stage.remote.scripts["Sum up: answer to Write."] = [["executing"]]
    stage.apply(task(), deferred(uses=["a"]), wait=False)
    finished = stage.apply(task(prompt="Write anew."), deferred(uses=["a"]))
    assert (finished[B].action, finished[B].verdict) == ("replace", "accepted")
    assert stage.remote.asked["DELETE"] == 1


def test_not_waiting_starts_what_can_start_and_says_what_cannot(stage):
    stage.remote.scripts["Write."] = [["executing", "executing", "completed"]]
    finished = stage.apply(task(), deferred(uses=["a"]), task("c", "Last.", upstream=["b"]), wait=False)
    assert (finished[A].effect, finished[A].verdict) == (Effect.LEFT, "active")
    for address in (B, C):
        assert (finished[address].effect, finished[address].health) == (Effect.CUT, Health.HEALTHY)
        assert finished[address].detail.startswith("not started: it depends on")
    assert stage.exit_code() == 4
    assert stage.apply(task(), deferred(uses=["a"]))[B].verdict == "accepted"


def test_cut_while_the_upstream_runs_leaves_the_others_not_started(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    finished = stage.play(cut_when(lambda: stage.told(RunCreated)), task(), deferred(uses=["a"]))
    assert (finished[B].effect, finished[B].detail) == (Effect.CUT, "not started")
    assert stage.record(B) is None
    stage.remote.runs["run-1"].steps = ["completed"]
    assert stage.apply(task(), deferred(uses=["a"]))[B].verdict == "accepted"


def test_cut_while_a_run_of_an_older_text_goes_on_does_not_take_its_end_for_the_task(stage):
    stage.apply(task())
    stage.remote.scripts["Sum up: answer to Write."] = [["executing"]]
    stage.apply(task(), deferred(uses=["a"]), wait=False)
    stage.remote.scripts["Write anew."] = [["executing"]]
    stage.remote.runs["run-2"].steps = ["executing", "completed"]
    finished = stage.play(cut_when(lambda: stage.told(RunCreated)), task(prompt="Write anew."), deferred(uses=["a"]))
    assert (finished[B].effect, finished[B].verdict, finished[B].detail) == (Effect.CUT, None, "not started")


def test_cut_while_a_dependent_runs_leaves_it_recorded_as_active(stage):
    stage.remote.scripts["Sum up: answer to Write."] = [["executing"]]
    cut = cut_when(lambda: len(stage.told(RunCreated)) == 2)
    finished = stage.play(cut, task(), deferred(uses=["a"]))
    assert (finished[B].effect, finished[B].verdict) == (Effect.CUT, "active")
    stage.remote.runs["run-2"].steps = ["completed"]
    assert stage.apply(task(), deferred(uses=["a"]))[B].verdict == "accepted"
    assert len(stage.remote.runs) == 2


def test_a_key_that_is_withdrawn_wakes_nobody_who_waits(stage):
    from taskspec.errors import AuthenticationError

    stage.remote.scripts["Write."] = [["executing"]]

    with pytest.raises(AuthenticationError):
        stage.play(stage.work_and_lose_the_key, task(), deferred(uses=["a"]))
    assert [event.detail for event in stage.told(ChangeFinished) if event.address == B] == ["not started"]


NAMES = [f"t{number}" for number in range(6)]
SCRIPTS = [["completed"], ["pending", "executing", "completed"], ["failed"], ["paused"], ["executing", 404], ["odd"]]


@st.composite
def graphs(draw):
    """Draw tasks, each after some of those before it and with results of some of these."""
    made = []
    for place, name in enumerate(NAMES[: draw(st.integers(2, 6))]):
        upstream = [one for one in NAMES[:place] if draw(st.booleans())]
        uses = [one for one in upstream if draw(st.booleans())]
        policies = {"retry": {"max_attempts": draw(st.integers(1, 2)), "statuses": ("failed", "error")}}
        said = {"prompt": f"{name}:", "upstream": upstream, "policies": policies}
        wrong = "no such text" if draw(st.booleans()) else "answer"
        made.append(deferred(name, uses=uses, wrong=wrong, **said) if uses else task(name, **said))
    return made


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    graphs(),
    st.lists(st.sampled_from(["answer", "answer", "drop", "lose", "apply-503", 400]), max_size=8),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(SCRIPTS), max_size=4),
    st.integers(1, 3),
    st.booleans(),
)
def test_each_change_ends_once_and_none_begins_before_its_upstream_is_accepted(graph, sends, scripts, places, hold):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        stage = Stage(Path(folder))
        for module in (performing, sending, settling):
            patch.setattr(module, "asyncio", SimpleNamespace(sleep=stage.clock.sleep))
        patch.setattr(refreshing, "SECOND_LOOK", 0.01)
        stage.remote.sends = list(sends)
        stage.remote.scripts = Scripts(scripts)
        # A run that waits for a person, or whose answer was lost, is active and takes no place.
        unattended = sum(steps == ["paused"] for steps in scripts.values())
        unattended += sum(send in {"drop", "apply-503"} for send in sends)
        accepted = set()
        for _ in range(3):
            finished = stage.apply(*graph, parallelism=places, hold_unknown=hold)
            assert finished.keys() == {one.address for one in graph}
            begun_in_order(stage, graph, accepted)
            assert stage.remote.most_at_once <= places + unattended
        for prompt in {run.body["input"]["text"] for run in stage.remote.runs.values()}:
            assert len(stage.remote.started(prompt)) <= 2, "one for each attempt that was granted"


class Scripts(dict):
    """The steps of the runs of a task, whichever answers stand in its prompt."""

    def get(self, prompt, default=None):
        steps = super().get(prompt.partition(":")[0])
        return [list(steps)] if steps else default


def begun_in_order(stage, graph, accepted):
    upstream = {one.address: one.upstream for one in graph}
    for event in stage.events:
        if isinstance(event, RunEnded) and event.verdict == "accepted":
            accepted.add(event.address)
        if isinstance(event, RunCreated):
            assert accepted.issuperset(upstream[event.address])
