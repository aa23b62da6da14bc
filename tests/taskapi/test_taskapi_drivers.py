"""A connection, in both colours, against a server that answers badly."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from contextlib import aclosing

import httpx
import pytest
from patience import PATIENCE

from taskspec.errors import (
    AuthenticationError,
    InvalidError,
    OutcomeUnknownError,
    RefusedError,
    TaskspecError,
    UnreachableError,
    UsageError,
)
from taskspec.taskapi import vigils
from taskspec.taskapi.drivers import dialling, lines
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.drivers.blocking import BlockingConnection
from taskspec.taskapi.drivers.dialling import Limits
from taskspec.taskapi.endpoints import create_task, get_task, list_agents
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.handshaking import handshake
from taskspec.taskapi.messages import Request, exchange
from taskspec.taskapi.pacing import Pace
from taskspec.taskapi.records import NewTask
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

KEY = "a-secret-key-of-32-characters-00"


def create(timeout=PATIENCE):
    return create_task("a1", NewTask(prompt="p"), idempotency_key="k", timeout=timeout)


def outcome(connected, behave, call, **options):
    """Run one call without pauses; return its value or error, and the server."""

    async def run():
        async with connected(behave, **options) as (server, connection):
            connection.be_patient(Patience(jitter=lambda: 0.0))
            try:
                return await connection.run(call), server
            except TaskspecError as error:
                return error, server

    return asyncio.run(run())


def test_a_create_is_sent_once_with_its_key_and_body(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    record, server = outcome(connected, behave, create())
    (request,) = server.received
    assert record.id == "t1"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["idempotency-key"] == "k"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body)["input"]["text"] == "p"


def test_a_punctual_create_whose_turn_comes_too_late_never_leaves(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    silent = Pace()
    silent.hold(time.monotonic() + 3600)
    late = create_task("a1", NewTask(prompt="p"), idempotency_key="k", timeout=0.05, punctual=True)
    error, server = outcome(connected, behave, late, limits=Limits(pace=silent))
    assert isinstance(error, UnreachableError)
    assert server.received == []


@pytest.mark.parametrize("cut", ["nothing", "headers", "body", "garbage"])
def test_a_create_whose_answer_is_cut_is_unanswered_and_sent_once(connected, http, task, cut):
    async def behave(request, writer):
        whole = http(200, task)
        writer.write({"nothing": b"", "headers": whole[:20], "body": whole[:-5], "garbage": b"\0" * 80}[cut])
        await writer.drain()
        writer.close()

    error, server = outcome(connected, behave, create())
    assert type(error) is OutcomeUnknownError
    assert len(server.received) == 1


def test_a_create_to_nobody_is_not_sent(connection_to):
    async def run():
        async with connection_to("http://127.0.0.1:1") as connection:
            await connection.run(create())

    with pytest.raises(UnreachableError, match="No connection") as caught:
        asyncio.run(run())
    assert KEY not in caught.value.message


def test_the_time_limit_is_total_even_if_bytes_keep_coming(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task, length=1_000_000))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    error, server = outcome(connected, behave, create(timeout=1))
    assert type(error) is OutcomeUnknownError
    assert "1 s" in error.message
    assert len(server.received) == 1


def test_a_create_that_waits_too_long_for_its_place_is_not_sent(connected, http, task):
    async def behave(request, writer):
        arrived.set()
        await given_up.wait()
        writer.write(http(200, task))

    arrived, given_up = asyncio.Event(), asyncio.Event()

    async def run():
        async with connected(behave, limits=Limits(max_connections=1)) as (server, connection):
            first = asyncio.create_task(connection.run(create()))
            await arrived.wait()
            with pytest.raises(UnreachableError):
                await connection.run(create(timeout=0.1))
            given_up.set()
            await first
            assert len(server.received) == 1

    asyncio.run(run())


def test_redirects_are_not_followed(connected, http):
    async def behave(request, writer):
        writer.write(http(307, b"", location="http://127.0.0.1:1/agents/list"))

    error, server = outcome(connected, behave, list_agents())
    assert type(error) is RefusedError
    assert error.status == 307
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_read_is_repeated_until_it_is_answered(connected, http, task, status):
    async def behave(request, writer):
        writer.write(http(status if len(server_seen) < 2 else 200, task))
        server_seen.append(request)

    server_seen = []
    record, server = outcome(connected, behave, get_task("t1"))
    assert record.id == "t1"
    assert len(server.received) == 3


def test_an_answer_that_is_too_large_is_not_kept(connected, http, monkeypatch):
    monkeypatch.setattr(dialling, "MAX_RESPONSE", 100_000)

    async def behave(request, writer):
        writer.write(http(200, b"[" + b" " * 300_000 + b"]"))

    error, _ = outcome(connected, behave, list_agents())
    assert "larger than" in error.message


def test_a_page_of_another_server_is_not_an_answer(connected, http):
    async def behave(request, writer):
        writer.write(http(200, b"<html>", content_type="text/html"))

    error, _ = outcome(connected, behave, get_task("t1"))
    assert "base URL" in error.hint


def test_a_remote_that_echoes_the_key_cannot_make_us_show_it(connected, http):
    async def behave(request, writer):
        writer.write(http(403, {"detail": f"bad key {request.headers['x-api-key']}"}))

    traced = []
    error, _ = outcome(connected, behave, get_task("t1"), trace=traced.append)
    assert type(error) is AuthenticationError
    assert "bad key [secret]" in error.message
    assert KEY not in repr(error) + error.message + "".join(traced)
    assert "GET /agent-execution/t1/status 403" in traced[0]


def test_a_refusal_that_repeats_the_request_shows_none_of_its_secrets(connected, http):
    async def behave(request, writer):
        words = f"cannot use {request.body.decode()}, nor {base64.b64encode(request.body).decode()}"
        writer.write(http(422, {"detail": words}))

    servers = ({"name": "files", "headers": {"a": "Bearer sesame-header"}, "command": "serve-files"},)
    asked = NewTask(
        prompt="open sesame-prompt",
        user_tokens={"crm": "sesame-token"},
        user_oidc_token="sesame-oidc",
        mcp_servers=servers,
        hidden=frozenset({"sesame-prompt"}),
    )
    error, _ = outcome(connected, behave, create_task("writer", asked, idempotency_key="k"))
    assert type(error) is InvalidError
    assert "[secret]" in error.message
    assert "sesame" not in repr(error) + error.message + error.detail


@pytest.mark.parametrize("kind", [lambda e, t: Connection(e, RemoteIdentity(type="x"), t), BlockingConnection])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(kind):
    endpoint = Endpoint(rest_root="http://h", events_root="http://h", api_key="schlüssel\n")
    with pytest.raises(UsageError) as caught:
        kind(endpoint, Traits())
    assert "schl" not in str(caught.value)


@pytest.mark.parametrize(("honoured", "sockets"), [(False, 4), (True, 1)])
def test_creates_have_fresh_sockets_unless_a_repetition_is_safe(connected, http, task, honoured, sockets):
    async def behave(request, writer):
        writer.write(http(200, task))

    async def run():
        async with connected(behave, traits=Traits(honours_idempotency_keys=honoured)) as (server, connection):
            await connection.run(get_task("t1"))
            for _ in range(3):
                await connection.run(create())
            await connection.run(get_task("t1"))
            assert server.sockets == sockets

    asyncio.run(run())


def test_no_more_requests_are_in_flight_than_allowed(connected, http, task):
    seen, full = {"now": 0, "most": 0}, asyncio.Event()

    async def behave(request, writer):
        seen["now"] += 1
        seen["most"] = max(seen.values())
        if seen["most"] == 8:
            full.set()
        await full.wait()
        await asyncio.sleep(0.01)
        seen["now"] -= 1
        writer.write(http(200, task))

    async def run():
        async with connected(behave, limits=Limits(max_connections=8)) as (server, connection):
            await asyncio.gather(*(connection.run(get_task("t1")) for _ in range(100)))
            assert server.sockets <= 8

    asyncio.run(run())
    assert seen["most"] == 8


def test_a_header_that_http_cannot_carry_is_not_sent_nor_shown():
    """The calls check what they send; this is what is left of a request made by hand."""
    told = httpx.LocalProtocolError("Illegal header value b'a-secret '")
    endpoint = Endpoint(rest_root="http://h", events_root="http://h", api_key=KEY)
    dial = dialling.Dial(endpoint, Traits(), Limits(), None)
    error = lines._trouble(dial, Request(method="POST", path="/x"), told, late=False)
    assert type(error) is UnreachableError
    assert "a-secret" not in f"{error} {error.hint} {error.__cause__!r}"


def test_a_path_goes_out_as_it_was_quoted(connected, http):
    async def behave(request, writer):
        writer.write(http(200, []))

    def call():
        return (yield from exchange(Request(method="GET", path="/x/a%2Fb%3Fc%23d", query=(("q", "a b&c"),))))

    _, server = outcome(connected, behave, call())
    assert server.received[0].target == "/x/a%2Fb%3Fc%23d?q=a+b%26c"


@pytest.mark.parametrize("colour", ["async"])
@pytest.mark.parametrize("said", [True, False])
def test_a_handshake_learns_what_the_remote_says_of_itself(connected, http, said):
    async def behave(request, writer):
        headers = {"taskspec_engine": "e1", "taskspec_capabilities": "idempotency-key, uploads, pages"}
        writer.write(http(200, [], **(headers if said else {})))

    async def run():
        async with connected(behave, traits=Traits(pages_lists=True)) as (_, connection):
            known = await handshake(connection)
            assert known.identity.instance == ("e1" if said else None)
            traits = known.traits
            assert {traits.honours_idempotency_keys, traits.takes_local_files, traits.pages_lists} == {said}

    asyncio.run(run())


def test_httpx_is_imported_late_and_without_its_command_line():
    code = (
        "import sys, taskspec.taskapi.drivers.blocking; from taskspec.taskapi.drivers import lines;"
        "assert 'httpx' not in sys.modules; lines.load_httpx();"
        "assert 'httpx' in sys.modules and 'rich' not in sys.modules and 'httpx._main' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_aiohttp_is_imported_late():
    code = "import sys, taskspec.taskapi.drivers.asynchronous; assert 'aiohttp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def piece(content):
    return b"%x\r\n%b\r\n" % (len(content), content)


def event(kind, data=None):
    return f"data: {json.dumps({'type': kind, 'task_id': 't1', 'time': None, 'data': data})}\n\n".encode()


def ended(task):
    return task | {"status": "completed", "result": "done"}


def followed(connected, behave):
    async def run():
        async with connected(behave) as (server, connection), asyncio.timeout(PATIENCE):
            return [(event.type, event.data) async for event in connection.events("t1")], server

    return asyncio.run(run())


def test_a_stream_is_followed_to_its_end_over_the_events_root(connected, http, task):
    async def behave(request, writer):
        if request.target.endswith("/status"):
            writer.write(http(200, ended(task)))
            return
        writer.write(SSE)
        for byte in event("chunk", "grüße") + event("task_finished", ended(task)):
            writer.write(piece(bytes([byte])))
        await writer.drain()
        await asyncio.sleep(3600)

    events, server = followed(connected, behave)
    assert events == [("chunk", "grüße"), ("task_finished", ended(task))]
    assert server.received[0].target == "/None/agent-execution/t1/events"


def test_a_dropped_stream_is_opened_again_and_nothing_is_told_twice(connected, http, task):
    async def behave(request, writer):
        if request.target.endswith("/status"):
            writer.write(http(200, ended(task) if len(streams) > 1 else task | {"status": "executing"}))
            return
        streams.append(request)
        writer.write(SSE + piece(event("chunk", "a")))
        if len(streams) > 1:
            writer.write(piece(event("chunk", "b") + event("task_finished", ended(task))))
        await writer.drain()
        writer.close()

    streams = []
    events, _ = followed(connected, behave)
    assert events == [("chunk", "a"), ("chunk", "b"), ("task_finished", ended(task))]


def test_the_replayed_end_of_an_earlier_turn_ends_nothing(connected, http, task):
    async def behave(request, writer):
        if request.target.endswith("/status"):
            looks.append(request)
            writer.write(http(200, ended(task) if len(looks) > 1 else task | {"status": "executing"}))
            return
        writer.write(SSE + piece(event("task_finished", ended(task) | {"result": "old"})))
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.write(piece(event("chunk", "a") + event("task_finished", ended(task))))

    looks = []
    events, _ = followed(connected, behave)
    assert [kind for kind, _ in events] == ["task_finished", "chunk", "task_finished"]
    assert events[-1][1]["result"] == "done"


def test_a_stream_that_never_ends_does_not_hide_that_the_task_did(connected, http, task, monkeypatch):
    monkeypatch.setattr(vigils, "SILENCE", 0.2)

    async def behave(request, writer):
        if request.target.endswith("/status"):
            writer.write(http(200, task | {"status": "completed"}))
            return
        writer.write(SSE + piece(event("chunk", "a")))
        while not writer.is_closing():
            writer.write(piece(b": keep-alive\n\n"))
            await writer.drain()
            await asyncio.sleep(0.02)

    events, _ = followed(connected, behave)
    assert [kind for kind, _ in events] == ["chunk", "task_finished"]


def test_a_remote_without_streams_is_polled(connected, http, task):
    async def behave(request, writer):
        if request.target.endswith("/events"):
            writer.write(http(404, {"detail": "no"}))
            return
        writer.write(http(200, task | {"status": statuses.pop(0)}))

    statuses = ["executing", "executing", "failed"]
    events, server = followed(connected, behave)
    assert [(kind, data["status"]) for kind, data in events] == [
        ("task_updated", "executing"),
        ("task_finished", "failed"),
    ]
    assert len([r for r in server.received if r.target.endswith("/events")]) == 1


def test_a_stream_that_is_left_early_closes_its_socket(connected):
    closed = asyncio.Event()

    async def behave(request, writer):
        writer.write(SSE + piece(event("chunk", "a")))
        await writer.drain()
        while not writer.is_closing():
            writer.write(piece(b":\n\n"))
            try:
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.sleep(0.01)
        closed.set()

    async def run():
        async with connected(behave) as (_, connection):
            async with aclosing(connection.events("t1")) as events:
                async for _ in events:
                    break
            await asyncio.wait_for(closed.wait(), PATIENCE)

    asyncio.run(run())
