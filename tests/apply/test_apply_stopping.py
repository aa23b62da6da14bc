"""Stopping, retitling, forgetting: the cause is durable first, and nothing takes the place of what still runs."""

import pytest
from apply_stages import A, task
from fault_server import http

from taskspec.apply import stopping
from taskspec.events import AddressForgotten, Effect, RunStopped, TitleUpdated
from taskspec.health import Health
from taskspec.state.model import StopCause, Verdict


@pytest.fixture
def running(stage):
    """Return the stage with a run of `a` that goes on."""
    stage.remote.scripts["Write."] = [["executing"]]
    stage.apply(task(), wait=False)
    return stage


def test_a_changed_text_stops_the_run_before_it_starts_another(running):
    order = []

    async def note(request):
        order.append(running.remote.runs["run-1"].steps[0])

    running.remote.before_answering = note
    assert running.apply(task(prompt="Write more."))[A].verdict == "accepted"
    assert order == ["stopped"]
    assert [event.cause for event in running.told(RunStopped)] == ["replace"]


def test_the_cause_of_a_stop_is_durable_when_the_request_arrives(running, monkeypatch):
    seen = []
    stop = running.remote._stop
    monkeypatch.setattr(
        running.remote, "_stop", lambda *request: (seen.append(running.attempts()[-1].stop), stop(*request))
    )
    running.apply(task(prompt="Write more."))
    assert seen == [StopCause.REPLACE]


def test_the_result_of_a_run_that_completed_before_its_stop_is_kept(running):
    running.remote.stops = ["completed"]
    assert running.apply(task(prompt="Write more."))[A].verdict == "accepted"
    notes = running.history()
    assert notes.count("ended") == 2
    assert not [event for event in running.told(RunStopped) if event.run == "run-1"]


def test_a_run_that_completed_before_its_stop_takes_no_place_of_the_accepted_result_of_what_is_declared(stage):
    stage.apply(task())
    stage.remote.scripts["Write more."] = [["executing"]]
    stage.apply(task(prompt="Write more."), wait=False)
    stage.remote.stops = ["completed"]
    stage.apply(task())
    assert stage.record().accepted.run == "run-1"
    assert (stage.folder / "results" / "a.txt").read_text() == "answer to Write."
    assert stage.attempts()[-1].verdict == "accepted"
    stage.apply(task())
    assert len(stage.remote.runs) == 2


def test_such_a_run_is_not_paid_for_again_when_its_text_comes_back(stage):
    stage.apply(task())
    stage.remote.scripts["Write more."] = [["executing"]]
    stage.apply(task(prompt="Write more."), wait=False)
    stage.remote.stops = ["completed"]
    stage.apply(task())
    assert stage.apply(task(prompt="Write more."))[A].verdict == "accepted"
    assert stage.record().accepted.run == "run-2"
    assert len(stage.remote.runs) == 2


def test_a_stop_that_takes_its_time_is_waited_for(running):
    running.remote.stops = ["executing", "executing", "stopped"]
    assert running.apply(task(prompt="Write more."))[A].verdict == "accepted"
    assert len(running.remote.runs) == 2


@pytest.mark.parametrize("status", ["executing", "stopping"])
def test_a_stop_that_is_never_confirmed_starts_nothing_in_its_place(running, status, monkeypatch):
    monkeypatch.setattr(stopping, "CONFIRMATION", 0.1)
    running.remote.stops = [status]
    finished = running.apply(task(prompt="Write more."))[A]
    assert finished.effect is Effect.FAILED
    assert len(running.remote.runs) == 1


def test_a_run_of_a_removed_task_is_stopped_and_forgotten(running):
    finished = running.apply()[A]
    assert finished.effect is Effect.DONE
    assert running.record() is None
    assert running.told(AddressForgotten)
    assert running.remote.runs["run-1"].steps == ["stopped"]


def test_a_removed_task_whose_run_nobody_knows_is_forgotten_all_the_same(running):
    running.remote.stops = [404]
    running.apply()
    assert running.record() is None


def test_nothing_takes_the_place_of_a_run_that_has_vanished(running):
    running.remote.stops = [404]
    finished = running.apply(task(prompt="Write more."))[A]
    assert (finished.effect, finished.verdict) == (Effect.UNKNOWN, "lost")
    assert len(running.remote.runs) == 1


def test_a_forgotten_result_stays_in_the_history_and_in_its_file(stage):
    stage.apply(task())
    stage.apply()
    assert stage.record() is None
    assert stage.history()[-1] == "forgotten"
    assert (stage.folder / "results" / "a.txt").exists()


def test_the_text_of_an_accepted_result_returned_stops_what_was_asked_for_since(stage):
    stage.apply(task())
    stage.remote.scripts["Write more."] = [["executing"]]
    stage.apply(task(prompt="Write more."), wait=False)
    stage.apply(task())
    assert stage.remote.runs["run-2"].steps == ["stopped"]
    assert len(stage.remote.runs) == 2
    assert stage.record().accepted.run == "run-1"
    assert stage.apply(task())[A].health is Health.HEALTHY
    assert len(stage.remote.runs) == 2


def test_another_title_is_sent_with_its_marker_kept(stage):
    stage.apply(task())
    marker = stage.attempts()[0].marker
    finished = stage.apply(task(title="Better"))[A]
    assert finished.effect is Effect.DONE
    assert stage.remote.runs["run-1"].body["title"] == f"Better {marker}"
    assert len(stage.remote.runs) == 1


def test_a_title_that_the_remote_does_not_keep_is_said_once_and_not_sent_again(stage):
    stage.remote.keeps_titles = False
    stage.apply(task())
    assert stage.apply(task(title="Better"))[A].detail == "the remote did not keep the new title"
    assert [event.kept for event in stage.told(TitleUpdated)] == [False]
    stage.apply(task(title="Better"))
    assert stage.remote.asked["PATCH"] == 1


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_title_that_the_remote_refuses_is_said_once_and_not_sent_again(stage, monkeypatch, status):
    stage.apply(task())
    asked = []

    async def refuse(request, writer):
        if request.method != "PATCH":
            return await behave(request, writer)
        asked.append(request)
        return writer.write(http(status, {"detail": "titles are for ever"}))

    behave = stage.remote._behave
    monkeypatch.setattr(stage.remote, "_behave", refuse)
    finished = stage.apply(task(title="Better"))[A]
    assert (finished.effect, finished.detail) == (Effect.DONE, "the remote did not keep the new title")
    assert [event.kept for event in stage.told(TitleUpdated)] == [False]
    assert stage.history()[-1] == "retitled"
    assert stage.apply(task(title="Better"))[A].effect is Effect.LEFT
    assert len(asked) == 1


def test_a_stopped_run_is_never_taken_for_a_success(running):
    running.remote.runs["run-1"].steps = ["stopped"]
    finished = running.apply(task())[A]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, Verdict.STOPPED)
