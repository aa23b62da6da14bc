"""Following a task over streams that break, lie or never end: each event once, and an end."""

import asyncio
import json

import pytest
from fault_server import http
from hostile_faults import FOREVER, babbling, dropping, refusing, stalling, zipped
from hostile_remote import SSE_HEAD, chunk, message
from patience import PATIENCE

from taskspec.errors import AuthenticationError, NotFoundError, RemoteError

FINISHED = "task_finished"


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Shorten what following waits for."""
    from taskspec.taskapi import following, vigils

    for name, value in {"SILENCE": 0.15, "FARTHEST_LOOK": 0.4, "DEAD": 0.4, "AGAIN": 0.05}.items():
        monkeypatch.setattr(vigils, name, value)
    for name, value in {"LINGER": 0.2, "FIRST_PAUSE": 0.01, "LONGEST_PAUSE": 0.05}.items():
        monkeypatch.setattr(following, name, value)


def story(remote):
    """Return the events of a task that has ended."""
    remote.tell("t1", "task_updated", remote.tasks["t1"] | {"status": "executing"})
    for word in ("grüße", "\u2028ha", "ha", "ha", ""):
        remote.tell("t1", "chunk", word)
    remote.finish("t1")
    return remote.events["t1"]


def plain(events):
    """Return what can be compared of events."""
    return [(e.type, e.data if isinstance(e.data, str | int | None) else "task") for e in events]


def wanted(events):
    return [(e["type"], e["data"] if isinstance(e["data"], str | int | None) else "task") for e in events]


def streaming(make, *, hold=False, head=SSE_HEAD):
    """Open a stream, send the bytes made from the task's events, and close it or hold it open."""

    async def fault(exchange):
        events = exchange.remote.events["t1"]
        pieces = make(events)
        await exchange.send(head)
        for piece in pieces:
            await exchange.send(chunk(piece))
        if hold:
            await asyncio.sleep(FOREVER)
        await exchange.send(b"0\r\n\r\n")
        exchange.drop()

    return fault


def joined(events, end="\n"):
    return b"".join(message(event, end) for event in events)


def many_lines(event):
    text = json.dumps(event, indent=1)
    return "".join(f"data: {line}\n" for line in text.splitlines()).encode() + b"\n"


TELLING = {
    "whole": streaming(lambda events: [joined(events)]),
    "held open": streaming(lambda events: [joined(events)], hold=True),
    "byte by byte": streaming(lambda events: [bytes([byte]) for byte in joined(events)]),
    "CRLF": streaming(lambda events: [joined(events, "\r\n")]),
    "CRLF byte by byte": streaming(lambda events: [bytes([byte]) for byte in joined(events, "\r\n")]),
    "CR": streaming(lambda events: [joined(events, "\r") + b":\r"]),
    "byte order mark": streaming(lambda events: [b"\xef\xbb", b"\xbf" + joined(events)]),
    "many lines": streaming(lambda events: [many_lines(event) for event in events]),
    "no space": streaming(lambda events: [joined(events).replace(b"data: ", b"data:")]),
    "comments": streaming(lambda events: [b": hi\n\n" + message(event) + b":\n" for event in events]),
    "names and ids": streaming(
        lambda events: [b"event: x\nid: 7\nretry: 1\nfoo: bar\n" + message(event) for event in events]
    ),
    "charset": streaming(
        lambda events: [joined(events)], head=SSE_HEAD.replace(b"event-stream", b"event-stream; charset=utf-8")
    ),
}


async def _with_length(exchange):
    await exchange.send(http(200, joined(exchange.remote.events["t1"]), content_type="text/event-stream"))


async def _zipped(exchange):
    content = zipped(joined(exchange.remote.events["t1"]))
    await exchange.send(http(200, content, content_type="text/event-stream", content_encoding="gzip"))


TELLING |= {"length": _with_length, "gzip": _zipped}


@pytest.mark.parametrize("how", TELLING)
def test_events_are_told_once_and_in_order_however_they_are_written(client, remote, how):
    told = wanted(story(remote))
    remote.afflict(TELLING[how], "GET", "/events")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert plain(events) == told
    assert client.took < PATIENCE


def test_events_come_as_they_happen(client, remote):
    task = client("get", "t1")
    remote.tell("t1", "chunk", "a")
    remote._loop.call_soon_threadsafe(remote._loop.call_later, 0.1, remote.finish, "t1")
    events, error = client.follow(task)
    assert error is None
    assert [event.type for event in events] == ["task_created", "chunk", FINISHED]
    assert events[-1].data.status == "completed"
    assert events[-1].time.tzinfo is not None


NOISE = {
    "broken JSON": b"data: {nonsense\n\n",
    "no object": b"data: 7\n\ndata: null\n\ndata: []\n\n",
    "no type": b'data: {"task_id": "t1"}\n\n',
    "empty": b"data:\n\ndata\n\nevent: x\n\n\n\n",
    "not UTF-8": b"data: \xff\xfe\n\n",
    "deep": b"data: " + b"[" * 100_000 + b"\n\n",
    "bare words": b"hello\nworld\n\n",
}


@pytest.mark.parametrize("how", NOISE)
def test_noise_in_a_stream_hurts_nothing(client, remote, how):
    told = wanted(story(remote))
    noise = NOISE[how]
    remote.afflict(streaming(lambda events: [noise + message(event) + noise for event in events]), "GET", "/events")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert plain(events) == told


def test_events_of_unknown_types_and_odd_contents_are_told(client, remote):
    remote.tell("t1", "novelty", {"x": [1]})
    remote.tell("t1", "task_updated", "no task")
    remote.tell("t1", "task_updated", {"id": 7})
    remote.events["t1"].append({"type": "bare"})
    remote.events["t1"].append(remote.event("chunk", "t1", 1) | {"time": "never", "organization_id": None})
    remote.finish("t1")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert [e.type for e in events] == [
        "task_created",
        "novelty",
        "task_updated",
        "task_updated",
        "bare",
        "chunk",
        FINISHED,
    ]
    assert events[1].data == {"x": [1]}
    assert events[5].time is None
    assert "novelty" in str(events[1])


def test_the_end_of_another_task_ends_nothing(client, remote):
    remote.events["t1"].append(remote.event(FINISHED, "t2", {"id": "t2", "status": "completed"}))
    remote.tell("t1", "chunk", "after")
    remote.finish("t1")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert [(e.type, e.task_id) for e in events][-2:] == [("chunk", "t1"), (FINISHED, "t1")]
    assert len([e for e in events if e.type == FINISHED and e.task_id == "t1"]) == 1


def test_the_start_of_another_task_in_a_stream_is_not_taken_for_ours(client, remote):
    remote.events["t1"].append(remote.event("task_updated", "t2", {"id": "t2", "status": "failed"}))
    remote.finish("t1")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert events[-1].task_id == "t1"
    assert all(e.data.id == e.task_id for e in events if hasattr(e.data, "id"))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("times", [1, 3])
def test_a_stream_that_breaks_is_taken_up_again_and_nothing_is_told_twice(client, remote, share, times):
    told = wanted(story(remote))
    task = client("get", "t1")

    async def broken(exchange):
        content = joined(exchange.remote.events["t1"])
        await exchange.send(SSE_HEAD + chunk(content[: int(len(content) * share)] + b" "))
        exchange.reset() if times > 1 else exchange.drop()

    remote.afflict(broken, "GET", "/events", times=times)
    remote.afflict(refusing(200, remote.tasks["t1"] | {"status": "executing"}), "GET", "/status", times=times)
    events, error = client.follow(task)
    assert error is None
    assert plain(events) == told


def test_a_stream_that_ends_at_once_again_and_again_does_not_hide_the_end(client, remote):
    task = client("get", "t1")
    remote.afflict(streaming(lambda events: []), "GET", "/events")
    remote._loop.call_soon_threadsafe(remote._loop.call_later, 0.2, remote.finish, "t1")
    events, error = client.follow(task)
    assert error is None
    assert [event.type for event in events] == [FINISHED]
    assert events[-1].data.result == "done"
    assert len(remote.received) < 60


ENDED_IN_SILENCE = {
    "held open": streaming(lambda events: [joined(events)], hold=True),
    "closed": streaming(lambda events: [joined(events)]),
    "only comments": babbling(chunk(b": keep-alive\n\n"), SSE_HEAD, effect=False),
    "no byte": stalling(effect=False),
    "only a head": babbling(b"", SSE_HEAD, effect=False),
    "half an event": streaming(lambda events: [b'data: {"type": "chu'], hold=True),
}


@pytest.mark.parametrize("how", ENDED_IN_SILENCE)
def test_a_task_that_ended_without_a_word_is_finished(clients, remote, how):
    client = clients(timeout=0.5)
    task = client("get", "t1")
    remote.tasks["t1"] |= {"status": "completed", "result": "done"}
    remote.afflict(ENDED_IN_SILENCE[how], "GET", "/events")
    events, error = client.follow(task)
    assert error is None, error
    assert [event.type for event in events][-1] == FINISHED
    assert len([event for event in events if event.type == FINISHED]) == 1
    assert events[-1].data.result == "done"
    assert client.took < PATIENCE


REFUSING = {
    "404": refusing(404, {"detail": "no stream"}),
    "403": refusing(403),
    "405": refusing(405),
    "406": refusing(406),
    "wrong type": refusing(200, b"{}"),
    "HTML": refusing(200, b"<html>", content_type="text/html"),
    "204": refusing(204),
    "301": refusing(301, headers=lambda: {"location": "/"}),
    "500": refusing(500),
    "503": refusing(503),
    "429": refusing(429),
    "dropped": dropping(effect=False),
    "no HTTP": refusing("no"),
}


@pytest.mark.parametrize("how", REFUSING)
def test_a_task_whose_stream_is_refused_is_polled_to_its_end(client, remote, how):
    task = client("get", "t1")
    remote.afflict(REFUSING[how], "GET", "/events")
    remote._loop.call_soon_threadsafe(remote._loop.call_later, 0.1, remote.finish, "t1", "failed")
    events, error = client.follow(task)
    assert error is None, error
    assert events[-1].type == FINISHED
    assert events[-1].data.status == "failed"
    assert client.took < PATIENCE


def test_a_task_that_is_gone_ends_in_an_error(client, remote):
    task = client("get", "t1")
    remote.tasks.clear()
    events, error = client.follow(task)
    assert events == []
    assert type(error) is NotFoundError
    assert client.took < PATIENCE


def test_a_key_that_is_no_longer_taken_ends_in_an_error(client, remote):
    task = client("get", "t1")
    remote.afflict(refusing(401, {"detail": "Invalid or missing API key"}), "GET")
    _, error = client.follow(task)
    assert type(error) is AuthenticationError


def test_a_remote_that_is_gone_while_it_streams_ends_in_an_error(client, remote):
    task = client("get", "t1")
    remote.tell("t1", "chunk", "a")
    remote.afflict(streaming(lambda events: [joined(events)]), "GET", "/events", times=1)
    remote.afflict(dropping(effect=False), "GET")
    events, error = client.follow(task)
    assert [event.type for event in events] == ["task_created", "chunk"]
    assert isinstance(error, RemoteError)
    assert client.took < PATIENCE


def test_a_stream_that_talks_on_after_the_end_is_left(client, remote):
    told = wanted(story(remote))

    async def talkative(exchange):
        await exchange.send(SSE_HEAD + chunk(joined(exchange.remote.events["t1"])))
        while not exchange.writer.is_closing():
            await exchange.send(chunk(message(exchange.remote.event("chunk", "t1", "more"))))
            await asyncio.sleep(0.005)

    remote.afflict(talkative, "GET", "/events")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert plain(events) == told


def test_a_stream_that_is_left_early_is_closed_and_another_one_can_be_opened(client, remote):
    task = client("get", "t1")
    for _ in range(3):
        assert [event.type for event in client.first(task, 1)] == ["task_created"]
    remote.finish("t1")
    events, error = client.follow(task)
    assert error is None
    assert [event.type for event in events] == ["task_created", FINISHED]
    assert client.took < PATIENCE


def test_a_stream_that_says_much_is_left_early_at_once(client, remote):
    task = client("get", "t1")
    remote.afflict(
        babbling(chunk(message({"type": "chunk", "data": "x" * 10_000})), SSE_HEAD, effect=False), "GET", "/events"
    )
    assert len(client.first(task, 5)) == 5
    assert client.took < PATIENCE


def test_an_event_of_five_megabytes_is_told(client, remote):
    remote.tell("t1", "chunk", "x" * 5_000_000)
    remote.finish("t1")
    events, error = client.follow(client("get", "t1"))
    assert error is None
    assert len(events[1].data) == 5_000_000


def test_twenty_tasks_are_followed_at_once(clients, remote):
    client = clients(max_connections=8)
    tasks = []
    for number in range(20):
        remote.add_task(f"x{number}")
        tasks.append(client("get", f"x{number}"))
    for task in tasks[10:]:
        remote.finish(task.id)
    for task in tasks[10:]:
        events, error = client.follow(task)
        assert error is None
        assert [event.type for event in events] == ["task_created", FINISHED]
