"""Following: a run to its end, its verdict and its result; never green for what is not."""

import pytest
from apply_stages import A, task
from scripted_remote import Run

from taskspec.events import Effect, ResultWritten, RetryScheduled, RunEnded, RunStatusChanged, RunStopped
from taskspec.health import Health
from taskspec.state.model import Sending, StopCause, Verdict

RETRY = {"retry": {"max_attempts": 2, "statuses": ("error", "failed", "rejected", "stopped")}}


def test_each_status_is_told_once(stage):
    stage.remote.scripts["Write."] = [["pending", "pending", "executing", "executing", "completed"]]
    stage.apply(task())
    assert [event.status for event in stage.told(RunStatusChanged)] == ["pending", "executing"]
    assert [event.status for event in stage.told(RunEnded)] == ["completed"]


def test_a_paused_run_needs_input_and_is_left(stage):
    stage.remote.scripts["Write."] = [["executing", {"status": "paused", "hitl_request": {"content": "Send it?"}}]]
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health, finished.verdict) == (Effect.LEFT, Health.NEEDS_INPUT, "waiting")
    assert finished.detail == "waits for Send it?"
    assert stage.attempts()[0].status == "paused"
    assert len(stage.remote.runs) == 1


def test_a_paused_run_that_goes_on_is_followed_by_the_next_apply(stage):
    stage.remote.scripts["Write."] = [["paused", "paused", "executing", "completed"]]
    assert stage.apply(task())[A].verdict == "waiting"
    assert stage.apply(task())[A].verdict in {"waiting", "accepted"}
    assert stage.apply(task())[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


def test_a_status_that_nobody_knows_is_unknown_and_never_a_success(stage):
    stage.remote.scripts["Write."] = [["hibernating"]]
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health) == (Effect.FAILED, Health.UNKNOWN)
    assert stage.record().accepted is None
    again = stage.apply(task())[A]
    assert again.health is Health.UNKNOWN
    assert len(stage.remote.runs) == 1


def test_a_run_that_is_gone_twice_is_lost_and_not_started_again(stage):
    stage.remote.scripts["Write."] = [["executing", 404]]
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health, finished.verdict) == (Effect.UNKNOWN, Health.UNKNOWN, "lost")
    assert stage.apply(task())[A].health is Health.UNKNOWN
    assert len(stage.remote.runs) == 1


def test_a_run_that_is_gone_only_once_is_not_lost(stage):
    stage.remote.scripts["Write."] = [["executing", 404, "executing", "completed"]]
    assert stage.apply(task())[A].verdict == "accepted"


def test_an_empty_answer_is_rejected_and_kept_as_such(stage):
    stage.remote.scripts["Write."] = [[{"status": "completed", "result": " \n"}]]
    finished = stage.apply(task())[A]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, "rejected")
    assert stage.record().accepted is None
    assert not stage.told(ResultWritten)


def test_an_answer_is_judged_by_the_schema_that_was_asked_for(stage):
    stage.remote.scripts["Write."] = [[{"status": "completed", "result": '{"total": "many"}'}]]
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    finished = stage.apply(task(outputFormat="json", outputSchema=schema))[A]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, "rejected")
    assert "$.total" in finished.detail


def test_a_failed_agent_is_shown_in_its_own_words(stage):
    stage.remote.scripts["Write."] = [[{"status": "failed", "result": "no such table: sales"}]]
    finished = stage.apply(task())[A]
    assert (finished.health, finished.verdict, finished.detail) == (
        Health.UNHEALTHY,
        "failed",
        "no such table: sales",
    )


@pytest.mark.parametrize("end", ["error", "failed", "stopped", {"status": "completed", "result": ""}])
def test_a_listed_end_gets_the_next_attempt_in_the_same_apply(stage, end):
    stage.remote.scripts["Write."] = [[end], ["completed"]]
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted"
    assert [attempt.number for attempt in stage.attempts()] == [1, 2]
    assert stage.record().generation.number == 1
    (retry,) = stage.told(RetryScheduled)
    assert retry.attempt == 2


def test_attempts_are_counted_across_applies(stage):
    stage.remote.scripts["Write."] = [["failed"], ["failed"], ["completed"]]
    assert stage.apply(task(policies=RETRY))[A].verdict == "failed"
    assert stage.apply(task(policies=RETRY))[A].verdict == "failed"
    assert len(stage.remote.runs) == 2


def test_without_a_policy_a_failure_stands(stage):
    stage.remote.scripts["Write."] = [["error"]]
    assert stage.apply(task())[A].verdict == "error"
    assert stage.apply(task())[A].health is Health.UNHEALTHY
    assert len(stage.remote.runs) == 1


def test_an_attempt_that_reached_no_agent_does_not_count(stage):
    stage.remote.sends = [400]
    stage.apply(task(policies=RETRY))
    stage.remote.scripts["Write."] = [["failed"], ["completed"]]
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted"
    assert [attempt.sending for attempt in stage.attempts()] == [Sending.REFUSED, Sending.BOUND, Sending.BOUND]


def test_an_error_that_completes_after_all_is_kept_instead_of_paid_twice(stage):
    stage.remote.scripts["Write."] = [["error"]]
    stage.remote.stops = ["completed"]
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1
    assert stage.record().accepted.run == "run-1"


def test_an_error_of_an_earlier_apply_that_completes_after_all_is_kept_too(stage):
    stage.remote.scripts["Write."] = [["error"]]
    stage.apply(task())
    stage.remote.stops = ["completed"]
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted"
    assert len(stage.remote.runs) == 1


def test_the_result_of_an_older_attempt_is_recorded_as_its_own(stage):
    stage.remote.scripts["Write."] = [["error"]]
    stage.remote.sends, stage.remote.stops = ["answer", 400], ["error"]
    stage.apply(task(policies=RETRY))
    assert [attempt.sending for attempt in stage.attempts()] == [Sending.BOUND, Sending.REFUSED]
    stage.remote.stops = ["completed"]
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted"
    assert stage.record().accepted.run == "run-1"
    assert (stage.folder / "results" / "a.txt").read_text() == "answer to Write."


def test_a_run_that_takes_too_long_is_stopped_with_its_cause_and_failed(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    finished = stage.apply(task(policies={"timeout": 0.05}))[A]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, "failed")
    assert "cause: timeout" in finished.detail
    (attempt,) = stage.attempts()
    assert (attempt.stop, attempt.verdict, attempt.status) == (StopCause.TIMEOUT, Verdict.FAILED, "stopped")
    assert [event.cause for event in stage.told(RunStopped)] == ["timeout"]
    assert "stopping" in stage.history()


def test_a_run_that_completes_while_it_is_stopped_for_time_is_accepted(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    stage.remote.stops = ["completed"]
    finished = stage.apply(task(policies={"timeout": 0.05}))[A]
    assert (finished.health, finished.verdict) == (Health.HEALTHY, "accepted")


def test_time_in_the_queue_does_not_count(stage):
    stage.remote.scripts["Write."] = [[*["pending"] * 8, "executing", "completed"]]
    stage.clock.tick = 10.0
    assert stage.apply(task(policies={"timeout": 50.0}))[A].verdict == "accepted"
    assert stage.remote.asked["DELETE"] == 0


def test_a_timeout_begins_with_the_start_that_the_remote_tells(stage, monkeypatch):
    began, row = stage.clock.time - 100.0, Run.row
    monkeypatch.setattr(Run, "row", lambda run, step: {**row(run, step), "started_at": began})
    stage.remote.scripts["Write."] = [["pending", "executing"]]
    assert stage.apply(task(policies={"timeout": 60.0}))[A].verdict == "failed"
    assert stage.attempts()[0].stop is StopCause.TIMEOUT


def test_a_run_that_a_person_stops_is_not_retried_by_the_apply_that_saw_it(stage):
    stage.remote.scripts["Write."] = [["executing", {"status": "stopped", "is_manually_stopped": True}]]
    finished = stage.apply(task(policies=RETRY))[A]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, "stopped")
    assert len(stage.remote.runs) == 1
    assert not stage.told(RetryScheduled)
    assert stage.apply(task(policies=RETRY))[A].verdict == "accepted", "a later apply keeps to the policy"


def test_a_timeout_is_a_listed_end_like_others(stage):
    stage.remote.scripts["Write."] = [["executing"], ["completed"]]
    policies = {"timeout": 0.05, "retry": {"max_attempts": 2, "statuses": ("timeout",)}}
    assert stage.apply(task(policies=policies))[A].verdict == "accepted"
    assert len(stage.attempts()) == 2


def test_a_run_that_ended_in_time_is_not_stopped_when_we_come_late(stage):
    stage.remote.scripts["Write."] = [["executing", "completed"]]
    stage.apply(task(policies={"timeout": 60.0}), wait=False)
    stage.clock.time += 10_000
    assert stage.apply(task(policies={"timeout": 60.0}))[A].verdict == "accepted"
    assert stage.remote.asked["DELETE"] == 0
    assert stage.attempts()[0].stop is None


def test_the_first_accepted_result_stays_whatever_its_run_shows_later(stage):
    stage.apply(task())
    stage.remote.runs["run-1"].steps = ["executing"]
    assert stage.apply(task())[A].health is Health.HEALTHY
    assert len(stage.remote.runs) == 1
