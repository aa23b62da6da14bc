"""What lies between a connection and its remote, in both colours: sockets, proxies, certificates, limits."""

import asyncio
import gzip
import ssl
import time
import traceback
import zlib
from collections import Counter
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import fault_server
import pytest
from patience import PATIENCE, until

from taskspec.errors import OutcomeUnknownError, RateLimitedError, TaskspecError, UnreachableError, UsageError
from taskspec.taskapi import vigils
from taskspec.taskapi.creating import LOOK, create_once
from taskspec.taskapi.drivers import dialling
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.drivers.dialling import Limits
from taskspec.taskapi.drivers.routing import proxy_of
from taskspec.taskapi.endpoints import create_task, get_task, list_agents, stop_task, update_task
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.messages import ClosedError, Request, exchange
from taskspec.taskapi.pacing import Pace
from taskspec.taskapi.records import NewTask
from taskspec.taskapi.remotes import Traits

KEY = "a-secret-key-of-32-characters-00"
LOCALHOST = Path(__file__).parent / "localhost.pem"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def create(timeout=PATIENCE):
    return create_task("a1", NewTask(prompt="p"), idempotency_key="k", timeout=timeout)


async def told(connection, call):
    """Run a call without pauses; return its value or its error."""
    connection.be_patient(Patience(jitter=lambda: 0.0))
    try:
        return await connection.run(call)
    except TaskspecError as error:
        return error


def shown(error):
    """Return everything that a log could show of an error and its causes."""
    parts = traceback.format_exception(error)
    while error is not None:
        parts += [repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "".join(parts)


class Noted(Pace):
    """A pace that notes when requests had their turns, and how often it was held."""

    def __init__(self, *limits):
        super().__init__(*limits)
        self.turns, self.holds = [], 0

    def reserve(self, now):
        wait = super().reserve(now)
        if wait <= 0:
            self.turns.append(now)
        return wait

    def hold(self, until):
        super().hold(until)
        self.holds += 1


def kept(pace, times, most, seconds):
    """Tell whether no window held too many turns, and no request arrived before its turn."""
    apart = all(later - earlier >= seconds for earlier, later in zip(pace.turns, pace.turns[most:], strict=False))
    return apart and all(at >= turn for at, turn in zip(times, pace.turns, strict=True))


@pytest.fixture
def outcome(connected):
    """Return a function: run one call against a behaviour, and return its value or error, and the server."""

    def run_one(behave, call, **options):
        async def run():
            async with connected(behave, **options) as (server, connection):
                return await told(connection, call), server

        return asyncio.run(run())

    return run_one


@pytest.mark.parametrize("reset", [False, True])
def test_a_create_whose_connection_is_cut_after_it_was_read_is_of_unknown_outcome(outcome, reset):
    async def behave(request, writer):
        writer.transport.abort() if reset else writer.close()

    error, server = outcome(behave, create())
    assert type(error) is OutcomeUnknownError
    assert len(server.received) == 1
    assert KEY not in shown(error)


def test_a_request_is_repeated_by_nobody_but_the_flow(outcome):
    async def behave(request, writer):
        writer.close()

    for call in (get_task("t1"), stop_task("t1")):
        error, server = outcome(behave, call)
        assert isinstance(error, UnreachableError | OutcomeUnknownError)
        assert len(server.received) == Patience(jitter=lambda: 0.0).attempts


def test_a_connection_can_be_used_in_one_loop_after_another(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    limits = Limits(pace=Pace(1000))

    async def run():
        async with connected(behave, limits=limits) as (_, connection):
            records = await asyncio.gather(*(connection.run(get_task("t1")) for _ in range(5)))
            return [record.id for record in records]

    assert asyncio.run(run()) == asyncio.run(run()) == ["t1"] * 5


def test_a_closed_connection_says_so(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    async def run():
        async with connected(behave) as (server, connection):
            await connection.run(get_task("t1"))
        assert isinstance(await told(connection, get_task("t1")), UsageError)
        with pytest.raises(UsageError, match="closed"):
            async for _ in connection.events("t1"):
                pass
        assert len(server.received) == 1

    asyncio.run(run())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_a_packed_answer_is_unpacked(outcome, http, coding, task):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding]

    async def behave(request, writer):
        assert request.headers["accept-encoding"] == "gzip, deflate"
        whole = http(200, task).partition(b"\r\n\r\n")[2]
        writer.write(http(200, pack(whole), content_encoding=coding))

    record, _ = outcome(behave, get_task("t1"))
    assert record.id == "t1"


def test_a_packed_answer_that_grows_without_end_is_given_up(outcome, http, monkeypatch):
    monkeypatch.setattr(dialling, "MAX_RESPONSE", 1_000_000)
    bomb = gzip.compress(b" " * 20_000_000)

    async def behave(request, writer):
        writer.write(http(200, bomb, content_encoding="gzip"))

    error, _ = outcome(behave, create())
    assert isinstance(error, OutcomeUnknownError)
    assert "larger than" in error.message


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd"])
def test_a_coding_that_was_not_asked_for_is_no_answer(outcome, http, coding, task):
    async def behave(request, writer):
        writer.write(http(200, task, content_encoding=coding))

    error, _ = outcome(behave, create())
    assert type(error) is OutcomeUnknownError


def test_a_head_that_drips_does_not_outlast_the_time_limit(outcome):
    async def behave(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    error, server = outcome(behave, create(timeout=1))
    assert type(error) is OutcomeUnknownError
    assert "1 s" in error.message
    assert len(server.received) == 1


def test_a_request_without_a_time_of_its_own_has_that_of_the_connection(outcome):
    async def behave(request, writer):
        await asyncio.sleep(3600)

    error, _ = outcome(behave, get_task("t1"), limits=Limits(read_timeout=0.1))
    assert type(error) is UnreachableError
    assert "0.1 s" in error.message


def test_what_an_earlier_answer_brought_too_much_is_no_answer(outcome, http):
    async def behave(request, writer):
        writer.write(http(200, b'["right"]') + http(200, b'["wrong"]'))

    def twice():
        first = yield from exchange(Request(method="GET", path="/1", repeatable=True))
        second = yield from exchange(Request(method="GET", path="/2", repeatable=True))
        return first.content + second.content

    contents, _ = outcome(behave, twice())
    assert contents == b'["right"]["right"]'


def test_no_cookie_is_kept(outcome, http):
    async def behave(request, writer):
        assert "cookie" not in request.headers
        writer.write(http(200, [], set_cookie="a=b"))

    def twice():
        yield from list_agents()
        return (yield from list_agents())

    agents, server = outcome(behave, twice())
    assert agents == []
    assert len(server.received) == 2


@pytest.mark.parametrize("how", ["plain", "escaped", "twice", "header"])
def test_a_key_that_the_remote_sends_back_is_in_no_error(outcome, http, how):
    words = {
        "plain": b'{"detail": "%b"}' % KEY.encode(),
        "escaped": b'{"detail": "' + b"".join(b"\\u%04X" % c for c in KEY.encode()) + b'"}',
        "twice": b'{"detail": "{\\"detail\\": \\"' + b"".join(b"\\\\u%04x" % c for c in KEY.encode()) + b'\\"}"}',
        "header": b"",
    }

    async def behave(request, writer):
        writer.write(http(403 if words[how] else 200, words[how], content_type=KEY))

    error, _ = outcome(behave, get_task("t1"))
    assert KEY not in shown(error)
    assert "[secret]" in error.message


def test_after_a_429_nobody_sends_before_the_stated_time(connected, http, task):
    async def behave(request, writer):
        times.append(time.monotonic())
        limited = len(times) == 1
        writer.write(http(429, {"detail": "slow"}, retry_after=1) if limited else http(200, task))

    times, pace = [], Noted()

    async def run():
        async with connected(behave, limits=Limits(pace=pace)) as (_, connection):
            first = asyncio.create_task(told(connection, get_task("t1")))
            await asyncio.to_thread(until, lambda: pace.holds)
            await asyncio.gather(first, *(told(connection, get_task("t1")) for _ in range(4)))

    asyncio.run(run())
    assert len(times) == 6
    assert all(later - times[0] >= 0.99 for later in times[1:])


@pytest.mark.parametrize(
    ("words", "headers"), [("billing limit", {"retry_after": 50}), ("slow", {"retry_after": 3600}), ("slow", {})]
)
def test_a_limit_that_is_not_waited_for_holds_nobody_up(connected, http, task, words, headers):
    async def behave(request, writer):
        limited = request.target.startswith("/agent-execution/t1")
        writer.write(http(429, {"detail": words}, **headers) if limited else http(200, []))

    async def run():
        async with connected(behave, limits=Limits(pace=pace)) as (_, connection):
            assert type(await told(connection, get_task("t1"))) is RateLimitedError
            assert await connection.run(list_agents()) == []
        assert pace.holds == 0

    pace = Noted()
    asyncio.run(run())


def test_a_storm_of_429_is_outlived_by_all(connected, http, task):
    async def behave(request, writer):
        asked[request.target] += 1
        name = request.target.split("/")[2]
        writer.write(http(429, {"detail": "slow"}) if asked[request.target] < 4 else http(200, task | {"id": name}))

    asked = Counter()

    async def run():
        async with connected(behave) as (_, connection):
            names = [f"t{number}" for number in range(20)]
            found = await asyncio.gather(*(told(connection, get_task(name)) for name in names))
            assert [record.id for record in found] == names

    asyncio.run(run())


def test_requests_keep_the_pace_that_both_colours_share(connected, http, task, monkeypatch):
    from taskspec.taskapi import pacing

    monkeypatch.setattr(pacing, "MINUTE", 0.5)
    monkeypatch.setattr(pacing, "SLACK", 0.1)

    async def behave(request, writer):
        times.append(time.monotonic())
        writer.write(http(200, task))

    times, pace = [], Noted(3)

    async def run():
        async with connected(behave, limits=Limits(pace=pace)) as (_, connection):
            await asyncio.gather(*(connection.run(get_task("t1")) for _ in range(8)))

    asyncio.run(run())
    assert len(times) == 8
    assert kept(pace, times, 3, 0.5)


def test_a_silence_of_the_remote_lets_no_window_hold_too_many_requests(connected, http, task, monkeypatch):
    from taskspec.taskapi import pacing

    monkeypatch.setattr(pacing, "MINUTE", 0.5)
    monkeypatch.setattr(pacing, "SLACK", 0.1)

    async def behave(request, writer):
        times.append(time.monotonic())
        limited = len(times) == 4
        writer.write(http(429, {"detail": "slow"}, retry_after=1) if limited else http(200, task))

    times, pace = [], Noted(3)

    async def run():
        async with connected(behave, limits=Limits(pace=pace)) as (_, connection):
            await asyncio.gather(*(connection.run(get_task("t1")) for _ in range(9)))

    asyncio.run(run())
    assert len(times) == 10
    assert kept(pace, times, 3, 0.5)
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.9


@pytest.mark.parametrize("places", [1, 32])
def test_creates_wait_for_their_turns_longer_than_they_may_take(connected, http, task, monkeypatch, places):
    from taskspec.taskapi import pacing

    monkeypatch.setattr(pacing, "MINUTE", 0.3)
    monkeypatch.setattr(pacing, "SLACK", 0.05)

    async def behave(request, writer):
        times.append(time.monotonic())
        writer.write(http(200, task))

    times, pace = [], Noted(3)

    async def run():
        limits = Limits(pace=pace, max_connections=places)
        async with connected(behave, limits=limits) as (_, connection):
            calls = (connection.run(create(timeout=0.5)) for _ in range(8))
            assert [record.id for record in await asyncio.gather(*calls)] == ["t1"] * 8

    asyncio.run(run())
    assert kept(pace, times, 3, 0.3)


def test_requests_that_give_up_waiting_for_their_turns_leave_them_to_others(connected, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    async def run():
        pace = Pace(1)
        async with connected(behave, limits=Limits(pace=pace)) as (server, connection):
            await connection.run(create())
            waiting = [asyncio.ensure_future(connection.run(create())) for _ in range(5)]
            await asyncio.sleep(0.1)
            await close(connection)
            assert {type(error) for error in await ended(waiting)} <= {ClosedError, asyncio.CancelledError}
            assert len(server.received) == 1
            assert pace.reserve(time.monotonic()) < 61

    asyncio.run(run())


async def close(connection):
    """Close a connection of either colour."""
    await (connection.aclose() if isinstance(connection, Connection) else asyncio.to_thread(connection.close))


async def ended(waiting):
    """Return how each ended; those of a loop are cancelled, those of a thread end by themselves."""
    for future in waiting:
        future.get_loop().call_later(0.1, future.cancel)
    return await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_stream_ends_with_its_connection(connected, monkeypatch, chunked):
    monkeypatch.setattr(vigils, "SILENCE", 10 * PATIENCE)
    monkeypatch.setattr(vigils, "DEAD", 10 * PATIENCE)

    async def behave(request, writer):
        content = b'data: {"type": "chunk", "task_id": "t1", "time": 1, "data": "a"}\n\n'
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        coded = b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(content), content)
        writer.write(head + (coded if chunked else b"\r\n" + content))
        await writer.drain()
        await asyncio.sleep(3600)

    async def run():
        async with connected(behave) as (_, connection), asyncio.timeout(PATIENCE):
            events = connection.events("t1")
            assert (await anext(events)).type == "chunk"
            rest = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.1)
            await close(connection)
            with pytest.raises(UsageError, match="closed"):
                await rest

    asyncio.run(run())


def test_a_create_of_a_connection_that_closes_meanwhile_is_of_unknown_outcome(connected, http):
    async def behave(request, writer):
        arrived.set()
        await closed.wait()
        writer.write(http(500, {"detail": "oops"}))

    arrived, closed = asyncio.Event(), asyncio.Event()
    options = {"honours": lambda: True, "patience": Patience(jitter=lambda: 0.0)}

    async def run():
        async with connected(behave) as (_, connection):
            call = create_once("a1", NewTask(prompt="p"), idempotency_key="k", **options)
            made = asyncio.ensure_future(connection.run(call))
            await arrived.wait()
            await close(connection)
            closed.set()
            with pytest.raises(OutcomeUnknownError) as caught:
                await made
            assert LOOK in caught.value.hint

    asyncio.run(run())


def test_a_large_body_is_sent_whole_and_again(connected, http, task):
    async def behave(request, writer):
        writer.write(http(503 if len(server_seen) < 2 else 200, task))
        server_seen.append(request)

    server_seen = []
    words = {"result": "x" * 2_000_000}

    async def run():
        async with connected(behave) as (server, connection):
            connection.be_patient(Patience(jitter=lambda: 0.0))
            record = await connection.run(update_task("t1", words))
            return record, server

    record, server = asyncio.run(run())
    assert record.id == "t1"
    assert {len(request.body) for request in server.received} == {len(server.received[0].body)}
    assert len(server.received[0].body) > 2_000_000
    assert len({request.socket for request in server.received}) == 1
    assert all("transfer-encoding" not in request.headers for request in server.received)


def test_what_any_answer_says_of_the_remote_is_learned(connected, http, task):
    async def behave(request, writer):
        writer.write(answers.pop(0))

    said = {"taskspec_capabilities": "idempotency-key,pages"}
    answers = [
        http(200, task),
        http(404, {"detail": "no"}, **said),
        http(502, b"<html>", content_type="text/html"),
        http(200, task),
        http(200, task),
    ]

    async def run():
        async with connected(behave, traits=Traits(takes_local_files=True)) as (_, connection):
            await told(connection, get_task("t1"))
            assert connection.traits == Traits(takes_local_files=True)
            await told(connection, get_task("t1"))
            assert connection.traits == Traits(honours_idempotency_keys=True, pages_lists=True)
            await told(connection, create())
            assert connection.traits.honours_idempotency_keys, "a page of a proxy says nothing of the remote"
            await told(connection, get_task("t1"))
            assert connection.traits == Traits()

    asyncio.run(run())


def test_a_proxy_of_the_environment_is_used_and_gets_no_key_that_it_should_not(
    connected, connection_to, monkeypatch, http, task
):
    async def behave(request, writer):
        seen.append((request.target, request.headers.get("proxy-authorization")))
        writer.write(http(200, task))

    seen = []

    async def run():
        async with connected(behave) as (server, _):
            monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{server.port}")
            async with connection_to("http://remote.test") as connection:
                assert (await connection.run(get_task("t1"))).id == "t1"
            monkeypatch.setenv("NO_PROXY", "remote.test")
            async with connection_to("http://remote.test") as connection:
                error = await told(connection, get_task("t1"))
                assert type(error) is UnreachableError

    asyncio.run(run())
    assert seen == [("http://remote.test/agent-execution/t1/status", "Basic dXNlcjpwYXNz")]


def test_no_proxy_stands_between_this_machine_and_itself(outcome, monkeypatch, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    record, _ = outcome(behave, get_task("t1"))
    assert record.id == "t1"


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_refuses_the_way_is_told_apart_and_nothing_was_sent(connected, connection_to, monkeypatch, status):
    async def behave(request, writer):
        writer.write(b"HTTP/1.1 %d Nope\r\ncontent-length: 0\r\n\r\n" % status)

    async def run():
        async with connected(behave) as (server, _):
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter22@127.0.0.1:{server.port}")
            async with connection_to("https://remote.test") as connection:
                error = await told(connection, create())
                assert type(error) is UnreachableError
                assert f"the proxy answered {status}" in error.message
                assert "hunter22" not in shown(error)
                assert KEY not in shown(error)
            assert all(KEY not in str(request.headers) for request in server.received)

    asyncio.run(run())


def test_a_proxy_that_is_not_there_is_told(connection_to, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def run():
        async with connection_to("http://remote.test") as connection:
            return await told(connection, create())

    assert type(asyncio.run(run())) is UnreachableError


@pytest.mark.parametrize("proxy", ["socks5://h:1", "http://h:port", "http://"])
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_it(monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(UsageError) as caught:
        proxy_of("http://remote.test")
    assert proxy not in caught.value.message
    assert "HTTP_PROXY" in caught.value.hint


def test_a_proxy_without_a_scheme_is_one_of_http(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    assert proxy_of("https://remote.test") == "http://proxy.test:3128"
    assert proxy_of("http://localhost:7000") is None


@asynccontextmanager
async def over_tls(behave):
    """Listen with a certificate that only LOCALHOST vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)
    faults = fault_server.FaultServer(behave)
    server = await asyncio.start_server(faults.serve, "127.0.0.1", 0, ssl=context)
    try:
        yield faults, f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("named", ["ca_file", "SSL_CERT_FILE"])
def test_a_certificate_of_a_named_authority_is_trusted(connection_to, monkeypatch, http, task, named):
    async def behave(request, writer):
        writer.write(http(200, task))

    if named == "SSL_CERT_FILE":
        monkeypatch.setenv(named, str(LOCALHOST))
    limits = Limits(ca_file=str(LOCALHOST) if named == "ca_file" else None)

    async def run():
        async with over_tls(behave) as (server, root), connection_to(root, limits=limits) as connection:
            for _ in range(3):
                assert (await connection.run(get_task("t1"))).id == "t1"
            assert server.sockets == 1

    asyncio.run(run())


def test_a_certificate_of_nobody_is_not_trusted_and_the_way_out_is_named(connection_to, http, task):
    async def behave(request, writer):
        writer.write(http(200, task))

    async def run():
        async with over_tls(behave) as (server, root), connection_to(root) as connection:
            error = await told(connection, create())
            assert type(error) is UnreachableError
            assert "certificate is not trusted: self-signed certificate" in error.message
            assert "SSL_CERT_FILE" in error.hint
            assert server.received == []

    asyncio.run(run())


def test_authorities_that_cannot_be_loaded_are_named(connection_to, tmp_path):
    (tmp_path / "none.pem").write_text("no certificate")
    for path in (tmp_path / "missing.pem", tmp_path / "none.pem"):
        with pytest.raises(UsageError, match="ca_file"):
            connection_to("https://remote.test", limits=Limits(ca_file=str(path)))


def test_a_stream_over_tls_that_is_left_early_ends_at_once(connection_to):
    async def behave(request, writer):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        writer.write(head + b'data: {"type": "chunk", "task_id": "t1"}\n\n')
        await writer.drain()
        await asyncio.sleep(3600)

    async def run():
        limits = Limits(ca_file=str(LOCALHOST))
        async with over_tls(behave) as (_, root), connection_to(root, limits=limits) as connection:
            events = connection.events("t1")
            assert (await anext(events)).type == "chunk"
            await events.aclose()

    asyncio.run(run())
