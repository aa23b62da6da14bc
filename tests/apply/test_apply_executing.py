"""A whole plan carried out: in parallel, each address finished once, nothing left unrecorded when it is cut short."""

import asyncio

import pytest
from apply_stages import A, B, cut_when, task

from taskspec.errors import AuthenticationError, StateError
from taskspec.events import Effect, ResultNotWritten, ResultWritten, RunCreated, RunStatusChanged
from taskspec.health import Health
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode
from taskspec.state.model import Sending, Verdict
from taskspec.state.sqlite import SqliteState


def many(number, **said):
    return [task(f"t{i:02}", f"Write {i}.", **said) for i in range(number)]


def test_a_declared_task_ends_with_its_accepted_result_in_state_and_file(stage):
    finished = stage.apply(task())[A]
    assert (finished.effect, finished.health, finished.verdict) == (Effect.DONE, Health.HEALTHY, "accepted")
    assert stage.record().accepted.run == "run-1"
    assert (stage.folder / "results" / "a.txt").read_text() == "answer to Write."
    assert stage.history() == ["intended", "bound", "ended"]


def test_a_second_apply_starts_nothing_and_still_finishes_every_address(stage):
    stage.apply(task(), task("b"))
    finished = stage.apply(task(), task("b"))
    assert finished.keys() == {A, B}
    assert {event.effect for event in finished.values()} == {Effect.LEFT}
    assert len(stage.remote.runs) == 2


def test_never_more_runs_than_the_parallelism_are_active(stage):
    for i in range(12):
        stage.remote.scripts[f"Write {i}."] = [["pending", "executing", "completed"]]
    finished = stage.apply(*many(12), parallelism=3)
    assert len(finished) == 12
    assert 1 < stage.remote.most_at_once <= 3


def test_settling_keeps_to_the_parallelism_too(stage):
    for i in range(8):
        stage.remote.scripts[f"Write {i}."] = [["pending", "executing", "executing", "completed"]]
    stage.remote.sends = ["lose"] * 8
    finished = stage.apply(*many(8), parallelism=2)
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert stage.remote.most_at_once <= 2


def test_every_address_is_finished_exactly_once_whatever_happens_to_it(stage):
    stage.remote.sends = ["answer", 400, "drop", "lose", "apply-503", 429, "answer"]
    stage.remote.scripts["Write 0."] = [["executing", "failed"]]
    finished = stage.apply(*many(6), parallelism=1)
    assert finished.keys() == {t.address for t in many(6)}
    assert all(len(stage.remote.started(f"Write {i}.")) <= 1 for i in range(6))


def test_one_refused_item_does_not_keep_the_others_from_their_results(stage):
    stage.remote.sends = [400, "answer"]
    finished = stage.apply(task(), task("b"), parallelism=1)
    assert (finished[A].effect, finished[A].health) == (Effect.FAILED, Health.UNHEALTHY)
    assert finished[B].verdict == "accepted"


def test_a_key_that_is_not_accepted_stops_everything(stage):
    stage.remote.sends = [401]
    with pytest.raises(AuthenticationError):
        stage.apply(*many(5), parallelism=1)
    assert stage.remote.asked["POST"] <= 2, "more than the one that was already under way"


def test_a_key_that_is_withdrawn_while_runs_are_followed_stops_everything(stage):
    stage.remote.scripts["Write."] = [["executing"]]

    with pytest.raises(AuthenticationError):
        stage.play(stage.work_and_lose_the_key, task())
    (finished,) = stage.events[-1:]
    assert (finished.effect, finished.verdict) == (Effect.CUT, "unknown")


def test_a_state_that_cannot_be_written_lets_no_further_request_leave(stage, monkeypatch):
    commit = SqliteState.commit

    def fail_later(store, lease, serial, changes):
        if serial >= 2:
            raise StateError("the disk is full")
        return commit(store, lease, serial, changes)

    monkeypatch.setattr(SqliteState, "commit", fail_later)
    with pytest.raises(StateError, match="disk is full"):
        stage.apply(*many(5), parallelism=1)
    assert stage.remote.asked["POST"] == 1


def test_cut_while_runs_are_active_leaves_them_recorded_as_active(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    finished = stage.play(cut_when(lambda: stage.told(RunCreated)), task())
    assert (finished[A].effect, finished[A].verdict) == (Effect.CUT, "active")
    assert stage.ended_runs == 1
    (attempt,) = stage.attempts()
    assert (attempt.sending, attempt.run, attempt.verdict) == (Sending.BOUND, "run-1", None)


def test_cut_while_a_create_is_under_way_still_records_its_run(stage):
    on_its_way = asyncio.Event()

    async def slowly(request):
        on_its_way.set()
        await asyncio.sleep(0.05)

    stage.remote.before_answering = slowly
    finished = stage.play(cut_when(on_its_way.is_set), task())
    assert (finished[A].effect, finished[A].verdict) == (Effect.DONE, "accepted")
    assert stage.attempts()[0].run == "run-1"


def test_cut_twice_while_a_create_is_under_way_still_records_its_run(stage):
    on_its_way = asyncio.Event()

    async def slowly(request):
        on_its_way.set()
        await asyncio.sleep(0.05)

    async def cut_twice(execution):
        running = asyncio.ensure_future(execution.run())
        await on_its_way.wait()
        running.cancel()
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])

    stage.remote.before_answering = slowly
    stage.play(cut_twice, task())
    assert stage.attempts()[0].run == "run-1"


def test_a_run_that_ended_while_the_apply_was_cut_is_recorded_with_its_result(stage):
    stage.remote.scripts["Write."] = [["executing", "completed"]]
    stage.traits["poll_interval"] = 5.0
    finished = stage.play(cut_when(lambda: stage.told(RunStatusChanged)), task())
    assert (finished[A].effect, finished[A].verdict) == (Effect.DONE, "accepted")
    assert stage.record().accepted.run == "run-1"


@pytest.mark.parametrize(("status", "health"), [("dreaming", Health.UNKNOWN), ("paused", Health.NEEDS_INPUT)])
def test_a_run_that_is_seen_so_only_when_the_apply_is_cut_does_not_pass_for_one_that_goes_on(stage, status, health):
    stage.remote.scripts["Write."] = [["executing", status]]
    stage.traits["poll_interval"] = 5.0
    finished = stage.play(cut_when(lambda: stage.told(RunStatusChanged)), task())
    assert finished[A].health is health


@pytest.mark.parametrize("now", [(task(prompt="Write anew."),), ()])
def test_cut_while_a_run_is_stopped_that_had_completed_does_not_pass_for_what_was_planned(stage, now, monkeypatch):
    from taskspec.apply import stopping

    asked = asyncio.Event()

    async def unanswered(*_):
        asked.set()
        await asyncio.sleep(3600)

    stage.remote.scripts["Write."] = [["executing"]]
    stage.apply(task(), wait=False)
    monkeypatch.setattr(stopping, "stop", unanswered)

    def has_ended_meanwhile():
        if asked.is_set():
            stage.remote.runs["run-1"].steps = ["completed"]
        return asked.is_set()

    finished = stage.play(cut_when(has_ended_meanwhile), *now)[A]
    assert (finished.effect, finished.verdict) == (Effect.CUT, None)
    assert stage.exit_code() is ExitCode.WAITED
    assert stage.record().accepted.run == "run-1"


def test_cut_during_the_pause_before_a_retry_does_not_hide_the_failure(stage, monkeypatch):
    from taskspec.apply import performing

    monkeypatch.setattr(performing, "asyncio", asyncio)
    stage.remote.scripts["Write."] = [["failed"]]
    policies = {"retry": {"max_attempts": 2, "statuses": ("failed",), "backoff": 60.0}}
    finished = stage.play(cut_when(lambda: stage.record() and stage.attempts()[0].verdict), task(policies=policies))
    assert (finished[A].health, finished[A].verdict) == (Health.UNHEALTHY, "failed")


def test_a_results_folder_that_breaks_meanwhile_loses_no_result(stage):
    async def break_folder(request):
        (stage.folder / "results" / "a.txt").mkdir(parents=True)

    stage.remote.before_answering = break_folder
    assert stage.apply(task())[A].verdict == "accepted"
    assert stage.record().accepted.attempt.verdict is Verdict.ACCEPTED
    assert not stage.told(ResultWritten)
    assert [event.address for event in stage.told(ResultNotWritten)] == [A]


def test_one_result_file_that_cannot_be_written_ends_no_other_run(stage):
    stage.remote.scripts["Write 1."] = [["executing", "executing", "executing", "completed"]]

    async def break_folder(request):
        (stage.folder / "results" / "t00.txt").mkdir(parents=True, exist_ok=True)

    stage.remote.before_answering = break_folder
    finished = stage.apply(*many(2))
    assert {event.verdict for event in finished.values()} == {"accepted"}
    assert [event.path for event in stage.told(ResultWritten)] == ["results/t01.txt"]
    assert [event.address for event in stage.told(ResultNotWritten)] == ["t00"]
    tally = Tally()
    for event in stage.events:
        tally.on(event)
    assert tally.exit_code is ExitCode.ERROR


def test_not_waiting_leaves_the_run_to_itself(stage):
    stage.remote.scripts["Write."] = [["executing"]]
    finished = stage.apply(task(), wait=False)
    assert (finished[A].effect, finished[A].verdict) == (Effect.LEFT, "active")
