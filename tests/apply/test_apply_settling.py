"""Settling: an unknown outcome becomes one run, never two. A missing answer is never taken for "no"."""

import asyncio

import pytest
from apply_stages import A, cut_when, task
from scripted_remote import Run as ScriptedRun

from taskspec.apply import settling
from taskspec.events import Effect, OutcomeUnknown, RunAdopted, RunCreated
from taskspec.health import Health
from taskspec.state.model import Sending


def left_unknown(stage, send, *tasks):
    """Let one apply end with an unknown outcome."""
    stage.remote.sends = [send]
    finished = stage.apply(*(tasks or [task()]), hold_unknown=True)
    assert finished[A].effect is Effect.UNKNOWN


@pytest.mark.parametrize("send", ["drop", "apply-503", "nonsense"])
def test_where_keys_are_honoured_the_repeated_create_binds_the_first_run(stage, send):
    stage.remote.honours_keys = True
    left_unknown(stage, send)
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.remote.asked["POST"] == 2
    assert len(stage.remote.runs) == 1
    assert stage.told(RunAdopted)


def test_where_keys_are_honoured_a_create_that_never_arrived_is_made_good(stage):
    stage.remote.honours_keys = True
    left_unknown(stage, "lose")
    before = stage.clock.time
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == len(stage.attempts()) == 1
    assert stage.clock.time - before < 60, "nobody has to wait for a quiet period"


def test_another_title_does_not_keep_a_create_from_being_repeated_as_it_was(stage):
    stage.remote.honours_keys = True
    left_unknown(stage, "lose", task(title="Title"))
    assert stage.apply(task(title="Another"))[A].verdict == "accepted"
    (run,) = stage.remote.runs.values()
    assert run.body["title"].startswith("Title [")
    assert stage.remote.asked["POST"] == 2


@pytest.mark.parametrize(("send", "sent"), [("drop", "old"), ("lose", "new")])
def test_a_secret_that_was_rotated_meanwhile_starts_no_second_run(stage, send, sent):
    stage.remote.honours_keys = True
    left_unknown(stage, send, task(userTokens={"crm": "old"}))
    assert stage.apply(task(userTokens={"crm": "new"}))[A].verdict == "accepted"
    (run,) = stage.remote.runs.values()
    assert run.body["user_tokens"] == {"crm": sent}
    assert len(stage.attempts()) == 1


def test_where_keys_are_not_honoured_the_run_is_found_by_its_marker(stage):
    left_unknown(stage, "drop")
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.remote.asked["POST"] == 1


def test_a_lost_create_is_repeated_only_after_its_deadline_and_the_quiet_period(stage):
    began = stage.clock.time
    left_unknown(stage, "lose")
    created_at = []

    async def note(request):
        created_at.append(stage.clock.time - began)

    stage.remote.before_answering = note
    assert stage.apply(task())[A].verdict == "accepted"
    (after,) = created_at
    assert after >= 60 + 120
    assert [attempt.sending for attempt in stage.attempts()] == [Sending.ABSENT, Sending.BOUND]
    assert len(stage.remote.runs) == 1


@pytest.mark.parametrize("lateness", [0.0, 59.0, 90.0])
@pytest.mark.parametrize("list_lag", [0.0, 60.0, 85.0])
def test_late_requests_and_lagging_lists_never_make_a_second_run(stage, lateness, list_lag):
    stage.remote.lateness, stage.remote.list_lag = lateness, list_lag
    left_unknown(stage, "late")
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


@pytest.mark.parametrize(("lateness", "list_lag"), [(90.0, 0.0), (0.0, 85.0)])
def test_without_the_quiet_period_the_same_remote_gets_two_runs(stage, lateness, list_lag):
    """The negative control: a suite in which this protocol makes no duplicate would prove nothing."""
    stage.remote.lateness, stage.remote.list_lag = lateness, list_lag
    stage.traits["quiet_period"] = 0.0
    left_unknown(stage, "late")
    stage.apply(task())
    assert len(stage.remote.started("Write.")) == 2


def test_a_list_that_fails_proves_nothing(stage):
    left_unknown(stage, "lose")
    stage.clock.time += 10_000
    stage.remote.lists = False
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health) == (Effect.UNKNOWN, Health.UNKNOWN)
    assert stage.attempts()[-1].sending is Sending.INTENDED
    assert stage.remote.asked["POST"] == 1


def test_a_list_that_fails_for_a_while_does_not_end_the_wait(stage, monkeypatch):
    left_unknown(stage, "drop")
    stage.remote.lists = False
    slept = stage.clock.sleep

    async def sleep(seconds):
        stage.remote.lists = len(stage.told(OutcomeUnknown)) > 2
        await slept(seconds)

    monkeypatch.setattr(settling.asyncio, "sleep", sleep)
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.remote.asked["POST"] == 1


def lists(stage, monkeypatch):
    """Return the agents of all lists that the remote is asked for from now on."""
    asked = []
    listed = stage.remote._list
    monkeypatch.setattr(stage.remote, "_list", lambda *said: (asked.append(said[0]), listed(*said)))
    return asked


@pytest.mark.parametrize("number", [1, 40])
def test_many_unknowns_cost_as_many_lists_as_one(stage, monkeypatch, number):
    many = [task(f"t{i:02}", f"Write {i}.") for i in range(number)]
    stage.remote.sends = ["drop"] * number
    stage.apply(*many, hold_unknown=True)
    asked = lists(stage, monkeypatch)
    finished = stage.apply(*many, parallelism=3, wait=False)
    assert len(finished) == len(stage.told(RunAdopted)) == number
    assert asked == ["writer"]


def test_a_negative_proves_nothing_where_no_title_was_seen_to_keep_its_marker(stage):
    stage.traits["keeps_titles"] = False
    left_unknown(stage, "lose")
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health) == (Effect.UNKNOWN, Health.UNKNOWN)
    assert "was seen to keep" in finished.detail
    assert stage.remote.asked["POST"] == 1


def test_a_negative_proves_nothing_where_titles_are_cut(stage, monkeypatch):
    stage.traits["keeps_titles"] = False
    row = ScriptedRun.row
    monkeypatch.setattr(ScriptedRun, "row", lambda run, step: {**row(run, step), "title": run.body["title"][:30]})
    left_unknown(stage, "drop")
    assert stage.apply(task(), task("b"))[A].effect is Effect.UNKNOWN
    assert len(stage.remote.started("Write.")) == 2, "one for each address"


@pytest.mark.parametrize("known", ["listed", "answered"])
def test_a_negative_is_believed_once_a_run_of_the_agent_was_seen_with_its_marker(stage, known):
    stage.traits["keeps_titles"] = False
    if known == "listed":
        stage.apply(task("b"))
    left_unknown(stage, "lose", task(), task("b"))
    if known == "answered":
        stage.remote.list_lag = 10_000.0
        assert stage.apply(task(), task("b"), task("c"))[A].verdict == "accepted"
    else:
        assert stage.apply(task(), task("b"))[A].verdict == "accepted"


def test_a_run_of_another_agent_says_nothing_of_markers(stage):
    stage.traits["keeps_titles"] = False
    left_unknown(stage, "lose")
    assert stage.apply(task(), task("b", agent="editor"))[A].effect is Effect.UNKNOWN


@pytest.mark.parametrize("send", ["lose", "drop"])
def test_a_removed_task_that_is_settled_and_forgotten_is_healthy(stage, send):
    left_unknown(stage, send)
    finished = stage.apply()[A]
    assert (finished.effect, finished.health) == (Effect.DONE, Health.HEALTHY)
    assert stage.record() is None


def test_holding_unknowns_does_not_wait_and_leaves_them_open(stage):
    left_unknown(stage, "lose")
    before = stage.clock.time
    assert stage.apply(task(), hold_unknown=True)[A].effect is Effect.UNKNOWN
    assert stage.clock.time == before
    assert stage.told(OutcomeUnknown)
    assert stage.attempts()[-1].sending is Sending.INTENDED


def test_an_unknown_of_this_very_apply_is_settled_in_it(stage):
    stage.remote.sends = ["lose", "drop"]
    assert stage.apply(task())[A].effect is Effect.UNKNOWN
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


def test_a_second_unknown_while_settling_ends_no_runs_of_others(stage):
    stage.remote.sends = ["lose", "drop"]
    stage.apply(task())
    assert stage.ended_runs == 0


def test_a_key_is_not_repeated_for_another_agent(stage):
    stage.remote.honours_keys = True
    left_unknown(stage, "lose")
    assert stage.apply(task(agent="editor"))[A].verdict == "accepted"
    assert [run.agent for run in stage.remote.runs.values()] == ["editor"]
    assert stage.record().generation.number == 2


def test_a_repetition_that_applies_late_is_still_the_only_run(stage):
    stage.remote.honours_keys = True
    left_unknown(stage, "lose")
    stage.clock.time += 10_000
    stage.remote.sends, stage.remote.lateness = ["late"], 50.0
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


def test_killed_after_a_repetition_left_the_next_apply_still_waits_for_it(stage):
    stage.remote.honours_keys = True
    left_unknown(stage, "lose")
    stage.clock.time += 10_000
    stage.remote.sends, stage.remote.lateness = ["late"], 50.0
    stage.apply(task(), hold_unknown=True)
    stage.remote.honours_keys = False
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


def test_an_adopted_run_of_another_text_is_stopped_and_the_new_text_runs(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    left_unknown(stage, "drop")
    assert stage.apply(task(prompt="Write more."))[A].verdict == "accepted"
    assert stage.remote.runs["run-1"].steps == ["stopped"]
    assert stage.record().generation.number == 2


@pytest.mark.parametrize(
    ("on_remove", "kept", "shows"),
    [("stop", False, "stopped"), ("forget", False, "executing"), ("hold", True, "executing")],
)
def test_an_adopted_run_of_a_removed_task_follows_its_policy(stage, on_remove, kept, shows):
    stage.remote.scripts["Write."] = [["executing"]]
    left_unknown(stage, "drop", task(policies={"on_remove": on_remove}))
    stage.apply()
    assert (stage.record() is not None) is kept
    assert stage.remote.runs["run-1"].steps == [shows]


@pytest.mark.parametrize("on_remove", ["stop", "forget", "hold"])
def test_an_intent_of_a_removed_task_that_never_arrived_is_dropped(stage, on_remove):
    left_unknown(stage, "lose", task(policies={"on_remove": on_remove}))
    stage.apply()
    assert stage.record() is None


def test_cut_while_settling_leaves_the_intent_open(stage, monkeypatch):
    from taskspec.apply import settling

    monkeypatch.setattr(settling, "asyncio", asyncio)
    left_unknown(stage, "lose")
    finished = stage.play(cut_when(lambda: stage.told(OutcomeUnknown)), task())
    assert finished[A].effect is Effect.UNKNOWN
    assert stage.attempts()[-1].sending is Sending.INTENDED
    assert not stage.told(RunCreated)


@pytest.mark.parametrize("killed", ["before sending", "after sending"])
def test_killed_between_intent_and_run_id_the_next_apply_makes_exactly_one_run(stage, monkeypatch, killed):
    from taskspec.apply import sending

    async def die(*sent):
        if killed == "after sending":
            await post(*sent)
        raise MemoryError("killed")

    post = sending.post
    with monkeypatch.context() as patch:
        patch.setattr(sending, "post", die)
        with pytest.raises(MemoryError):
            stage.apply(task())
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


@pytest.mark.parametrize("keys", [False, True])
@pytest.mark.parametrize("when", ["onChange", "never"])
def test_a_lost_run_for_always_is_not_asked_for_again_where_always_is_gone(stage, when, keys):
    stage.remote.honours_keys = keys
    stage.apply(task())
    left_unknown(stage, "lose", task(policies={"rerun": {"when": "always"}}))
    finished = stage.apply(task(policies={"rerun": {"when": when}}))[A]
    assert (finished.effect, finished.health) == (Effect.DONE, Health.HEALTHY)
    assert len(stage.remote.runs) == 1
    assert stage.attempts()[-1].sending is Sending.ABSENT
    assert stage.apply(task(policies={"rerun": {"when": when}}))[A].health is Health.HEALTHY
    assert len(stage.remote.runs) == 1


def test_a_lost_run_for_always_does_not_make_a_task_that_never_runs_again_pay_for_another_text(stage):
    stage.apply(task())
    left_unknown(stage, "lose", task(policies={"rerun": {"when": "always"}}))
    finished = stage.apply(task(prompt="Another.", policies={"rerun": {"when": "never"}}))[A]
    assert (finished.effect, finished.health) == (Effect.DONE, Health.HEALTHY)
    assert len(stage.remote.runs) == 1


@pytest.mark.parametrize("keys", [False, True])
def test_an_attempt_that_is_granted_and_lost_is_made_good_also_beside_an_older_result(stage, keys):
    stage.remote.honours_keys = keys
    always = {"rerun": {"when": "always"}, "retry": {"max_attempts": 2, "statuses": ("failed",)}}
    stage.apply(task())
    stage.remote.scripts["Write."] = [["executing", "executing", "executing", "failed"], ["completed"]]
    stage.apply(task(policies=always), wait=False)
    stage.remote.sends = ["lose"]
    finished = stage.apply(task(policies=always))[A]
    assert (finished.action, finished.health, finished.verdict) == ("wait", Health.HEALTHY, "accepted")
    assert stage.record().accepted.generation == 2
    assert len(stage.remote.runs) == 3


def test_the_retry_of_a_run_that_was_made_good_waits_for_no_place_that_it_has_itself(stage):
    retry = {"retry": {"max_attempts": 3, "statuses": ("failed",)}}
    failing = ["executing", "executing", "executing", "failed"]
    stage.remote.scripts["Write."] = [failing, ["failed"], ["completed"]]
    stage.apply(task(), wait=False)
    stage.remote.sends = ["lose"]
    finished = stage.apply(task(policies=retry), parallelism=1)[A]
    assert (finished.action, finished.verdict) == ("wait", "accepted")
    assert len(stage.remote.runs) == 3


def test_a_task_that_never_runs_again_pays_for_no_retry_of_another_text(stage):
    retry = {"max_attempts": 2, "statuses": ("failed",)}
    stage.apply(task())
    stage.remote.scripts["Write."] = [["executing", "executing", "executing", "failed"]]
    stage.apply(task(policies={"rerun": {"when": "always"}}), wait=False)
    finished = stage.apply(task(prompt="Another.", policies={"rerun": {"when": "never"}, "retry": retry}))[A]
    assert (finished.action, finished.health) == ("wait", Health.HEALTHY)
    assert len(stage.remote.runs) == 2
