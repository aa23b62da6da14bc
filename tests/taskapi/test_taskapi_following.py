"""Following a task over several streams, without any stream."""

import json

import pytest

from taskspec.taskapi.decoding import task_record
from taskspec.taskapi.following import LONGEST_PAUSE, Following, look_between
from taskspec.taskapi.messages import Pause
from taskspec.taskapi.sse import ServerEvent


def message(kind, data=None, at="2026-01-01T00:00:00Z"):
    return ServerEvent(data=json.dumps({"type": kind, "task_id": "t1", "time": at, "data": data}))


def told(following, *messages):
    following.request()
    return [event.data for event in map(following.accept, messages) if event is not None]


def record(status):
    return task_record({"id": "t1", "agent_id": "a1", "status": status})


def test_what_a_stream_repeats_after_a_reconnect_is_told_once():
    following = Following("t1")
    assert told(following, message("chunk", "a"), message("chunk", "a")) == ["a", "a"]
    assert told(following, message("chunk", "a"), message("chunk", "a"), message("chunk", "a"), message("x", "b")) == [
        "a",
        "b",
    ]


def test_a_finished_task_ends_the_following():
    following = Following("t1")
    event = following.accept(message("task_finished", {"status": "completed"}))
    assert following.over
    assert event.data == {"status": "completed"}


def test_unknown_types_are_kept_and_what_is_no_event_is_left_out():
    following = Following("t1")
    assert following.accept(message("dance")).type == "dance"
    for junk in ("", "{", "[]", '{"type": 3}', "[" * 100_000):
        assert following.accept(ServerEvent(data=junk)) is None


@pytest.mark.parametrize("status", ["completed", "failed", "error", "stopped"])
def test_a_task_that_ended_between_two_streams_is_finished(status):
    following = Following("t1")
    event = following.read(record(status))
    assert (event.type, event.data["status"]) == ("task_finished", status)
    assert following.over


@pytest.mark.parametrize("status", ["pending", "executing", "paused", "hibernating", "unknown"])
def test_a_task_of_any_other_status_is_not_over(status):
    following = Following("t1")
    following.read(record(status))
    assert not following.over


def test_a_remote_that_does_not_stream_is_polled_for_changes():
    following = Following("t1")
    assert not following.opened(404, "application/json")
    assert not following.streams
    seen = [following.read(record(status)) for status in ("pending", "pending", "executing", "completed")]
    assert [event and event.type for event in seen] == ["task_updated", None, "task_updated", "task_finished"]


def test_a_remote_in_trouble_is_asked_for_a_stream_again():
    following = Following("t1")
    assert not following.opened(503, "text/plain")
    assert following.streams
    assert following.opened(200, "text/event-stream; charset=utf-8")


def test_pauses_grow_without_news_and_are_short_after_it():
    following = Following("t1")
    pauses = [following.pause(0.5) for _ in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    following.accept(message("chunk", "news"))
    assert following.pause(0.5) == pauses[0]


def test_a_status_is_read_after_a_pause(play, answer, task):
    event, yielded = play(look_between(Following("t1"), lambda: 0.5), answer(200, task | {"status": "completed"}))
    assert event.type == "task_finished"
    assert isinstance(yielded[0], Pause)
