"""Reading a task from a remote that answers badly: the right value or a typed error, in bounded time."""

import json
import random
import time

import pytest
from fault_server import http
from hostile_faults import (
    CHUNKED,
    altering,
    babbling,
    bodied,
    bomb,
    chunked,
    dripping,
    dropping,
    hesitating,
    limiting,
    raw_head,
    refusing,
    soon,
    stalling,
    writing,
    zipped,
)
from hostile_remote import KEY, HostileRemote, chunk
from patience import PATIENCE

from taskspec.errors import (
    AuthenticationError,
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    UnreachableError,
)

OK, JSON = b"HTTP/1.1 200 OK", b"content-type: application/json"


def sized(content, *lines):
    return raw_head(OK, JSON, *lines, b"content-length: %d" % len(content)) + content


READABLE = {
    "late": hesitating(0.2),
    "byte by byte": dripping(0),
    "body byte by byte": dripping(0.0005, at_once=0.5),
    "chunked": writing(chunked),
    "chunk extensions": writing(lambda c: CHUNKED + b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(c), c)),
    "trailers": writing(lambda c: CHUNKED + chunk(c) + b"0\r\nx-sum: 1\r\n\r\n"),
    "until closed": writing(lambda c: raw_head(OK, JSON, b"connection: close") + c, close=True),
    "HTTP/1.0": writing(lambda c: raw_head(b"HTTP/1.0 200 OK", JSON) + c, close=True),
    "no reason": writing(lambda c: raw_head(b"HTTP/1.1 200 ", JSON, b"content-length: %d" % len(c)) + c),
    "status 201": writing(lambda c: http(201, c)),
    "100 continue": writing(lambda c: raw_head(b"HTTP/1.1 100 Continue") + http(200, c)),
    "early hints": writing(lambda c: raw_head(b"HTTP/1.1 103 Hints", b"link: </a>; rel=preload") * 3 + http(200, c)),
    "gzip": writing(lambda c: http(200, zipped(c), content_encoding="gzip")),
    "byte order mark": bodied(lambda c: b"\xef\xbb\xbf" + c),
    "UTF-16": bodied(lambda c: c.decode().encode("utf-16")),
    "white space": bodied(lambda c: b"\r\n\t " * 1000 + c + b"\n" * 1000),
    "charset": bodied(lambda c: c, "Application/JSON; charset=utf-8"),
    "problem type": bodied(lambda c: c, "application/problem+json"),
    "many headers": writing(lambda c: sized(c, *(b"x-%d: y" % n for n in range(50)))),
    "long header": writing(lambda c: sized(c, b"x-long: " + b"y" * 7000)),
    "no keep-alive": writing(lambda c: sized(c, b"connection: close"), close=True),
    "stale keep-alive": writing(lambda c: sized(c, b"connection: keep-alive"), close=True),
    "unknown fields": altering(lambda t: t | {"configuration": {"api_key": "x"}, "novel": [1]}),
}

BROKEN = {
    "dropped": dropping(effect=True),
    "reset": dropping(effect=True, reset=True),
    "half a head": dropping(effect=True, share=0.1),
    "half a body": dropping(effect=True, share=0.8),
    "half a body, reset": dropping(effect=True, share=0.8, reset=True),
    "length too long": writing(lambda c: http(200, c, length=len(c) + 9), close=True),
    "length no number": writing(lambda c: http(200, c, length="many"), close=True),
    "length negative": writing(lambda c: http(200, c, length=-1), close=True),
    "two lengths": writing(lambda c: sized(c, b"content-length: 3"), close=True),
    "chunks cut": writing(lambda c: chunked(c)[:-12], close=True),
    "chunks without their end": writing(lambda c: CHUNKED + chunk(c), close=True),
    "chunk size no number": writing(lambda c: CHUNKED + b"zz\r\n" + c + b"\r\n0\r\n\r\n", close=True),
    "no HTTP": writing(lambda c: b"\x00\x01garbage\xff" * 20, close=True),
    "the key, no HTTP": writing(lambda c: KEY.encode() + b"\r\n\r\n", close=True),
    "the key in a header": writing(lambda c: sized(c, KEY.encode()), close=True),
    "the key as a length": writing(lambda c: http(200, c, length=KEY), close=True),
    "the key as a status": writing(lambda c: http(KEY, c), close=True),
    "the key as a chunk size": writing(lambda c: CHUNKED + KEY.encode() + b"\r\n", close=True),
    "an unknown coding": writing(lambda c: http(200, c, content_encoding="br")),
    "another unknown coding": writing(lambda c: http(200, c, content_encoding=KEY)),
    "TLS alert": writing(lambda c: b"\x15\x03\x01\x00\x02\x02\x28", close=True),
    "HTTP/2": writing(lambda c: b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\0" * 18, close=True),
    "status no number": writing(lambda c: http("abc", c), close=True),
    "broken gzip": writing(lambda c: http(200, b"\x1f\x8b" + c, content_encoding="gzip")),
    "header without a colon": writing(lambda c: sized(c, b"nonsense"), close=True),
}

ENDLESS = {
    "silent": stalling(effect=True),
    "silent after the head": stalling(effect=True, share=0.5),
    "a drip of bytes": dripping(0.05),
    "an endless head": babbling(b"x-more: y\r\n", b"HTTP/1.1 200 OK\r\n"),
    "endless 1xx": babbling(raw_head(b"HTTP/1.1 102 Wait")),
    "an endless body": babbling(chunk(b" " * 100), CHUNKED),
    "an endless chunk size": babbling(b"0", CHUNKED),
}

ALIEN = {
    "HTML": bodied(lambda c: b"<html>Welcome</html>", "text/html"),
    "text": bodied(lambda c: c, "text/plain"),
    "no content type": bodied(lambda c: c, None),
    "key in the content type": bodied(lambda c: c, f"text/{KEY}"),
    "cut JSON": bodied(lambda c: c[:-3]),
    "empty": bodied(lambda c: b""),
    "204": writing(lambda c: b"HTTP/1.1 204 No Content\r\n\r\n"),
    "null": bodied(lambda c: b"null"),
    "text as JSON": bodied(lambda c: b'"t1"'),
    "number": bodied(lambda c: b"1"),
    "list": bodied(lambda c: b"[" + c + b"]"),
    "deep": bodied(lambda c: b"[" * 200_000 + b"]" * 200_000),
    "deep in a field": bodied(lambda c: c[:-1] + b',"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"),
    "enormous number": bodied(lambda c: c[:-1] + b', "n": ' + b"9" * 10_000 + b"}"),
    "latin-1": bodied(lambda c: c.replace(b"first", b"\xe9\xe8")),
    "two bodies": bodied(lambda c: c + c),
    "another task": altering(lambda t: t | {"id": "t2"}),
    "number as id": altering(lambda t: t | {"id": 1}),
    "null as id": altering(lambda t: t | {"id": None}),
    "no id": altering(lambda t: {k: v for k, v in t.items() if k != "id"}),
    "an error in a 200": bodied(lambda c: b'{"detail": "Task not found"}'),
}

VALIDATION = {"detail": [{"loc": ["body", "input", "text"], "msg": "field required", "type": "missing"}]}
REFUSED = {
    "301": (refusing(301, headers=lambda: {"location": "/elsewhere"}), RefusedError, 301, ""),
    "304": (refusing(304), RefusedError, 304, ""),
    "400": (refusing(400, {"detail": "no"}), InvalidError, 400, "no"),
    "401": (refusing(401, {"detail": "Invalid or missing API key"}), AuthenticationError, 401, "Invalid or missing"),
    "403": (refusing(403, b"<html>Forbidden", content_type="text/html"), AuthenticationError, 403, "Forbidden"),
    "404 HTML": (refusing(404, b"<html>\n<b>nothing</b>", content_type="text/html"), NotFoundError, 404, "nothing"),
    "404 empty": (refusing(404), NotFoundError, 404, ""),
    "409": (refusing(409, {"detail": "busy"}), ConflictError, 409, "busy"),
    "418": (refusing(418, {"error": {"message": "teapot"}}), RefusedError, 418, "teapot"),
    "422": (refusing(422, VALIDATION), InvalidError, 422, "body.input.text: field required"),
    "422 odd": (refusing(422, {"detail": [1, None, {"loc": "x"}, [[]]]}), InvalidError, 422, ""),
    "422 long": (refusing(422, {"detail": "w" * 100_000}), InvalidError, 422, "www"),
    "422 deep": (refusing(422, b"[" * 100_000), InvalidError, 422, "[["),
    "401 key in the body": (refusing(401, {"detail": f"key {KEY} is wrong"}), AuthenticationError, 401, "is wrong"),
    "401 key as JSON": (refusing(401, {"detail": {"given": [KEY]}}), AuthenticationError, 401, "given"),
    "403 key escaped": (
        refusing(403, b'{"detail": "key ' + "".join(f"\\u{ord(c):04x}" for c in KEY).encode() + b'"}'),
        AuthenticationError,
        403,
        "key",
    ),
    "400 key cut by the limit": (refusing(400, {"detail": "w" * 489 + KEY}), InvalidError, 400, "www"),
}


@pytest.mark.parametrize("how", READABLE)
def test_a_task_is_read_however_its_answer_is_written(client, remote, how):
    remote.afflict(READABLE[how], "GET")
    for _ in range(2):
        task = client("get", "t1")
        assert (task.id, task.title) == ("t1", "first")
    assert len(remote.received) == 2


@pytest.mark.parametrize("how", BROKEN)
def test_a_read_that_never_gets_a_whole_answer_is_unreachable(client, remote, how):
    remote.afflict(BROKEN[how], "GET")
    error = client("get", "t1")
    assert type(error) is UnreachableError, repr(error)
    assert 2 <= len(remote.received) <= 8
    remote.heal()
    assert client("get", "t1").title == "first"


@pytest.mark.parametrize("how", BROKEN)
def test_a_read_is_repeated_after_a_broken_answer(client, remote, how):
    remote.afflict(BROKEN[how], "GET", times=2)
    assert client("get", "t1").title == "first"
    assert len(remote.received) == 3


def test_a_cut_gzip_is_no_value(client, remote):
    remote.afflict(writing(lambda c: http(200, zipped(c * 50)[:-60], content_encoding="gzip")), "GET")
    assert type(client("get", "t1")) in {UnreachableError, ProtocolError}


def test_a_length_that_is_too_short_is_no_value(client, remote):
    remote.afflict(writing(lambda c: http(200, c, length=len(c) - 5)), "GET")
    assert type(client("get", "t1")) in {UnreachableError, ProtocolError}
    remote.heal()
    assert client("get", "t1").title == "first"


@pytest.mark.parametrize("how", ENDLESS)
def test_a_read_ends_in_time(clients, remote, how):
    remote.afflict(ENDLESS[how], "GET")
    client = clients(timeout=0.12)
    error = client("get", "t1")
    assert isinstance(error, UnreachableError), repr(error)
    assert client.took < PATIENCE


@pytest.mark.parametrize("how", ALIEN)
def test_an_answer_that_is_no_task_is_no_task(client, remote, how):
    remote.afflict(ALIEN[how], "GET")
    error = client("get", "t1")
    assert type(error) is ProtocolError, repr(error)
    remote.heal()
    assert client("get", "t1").title == "first"


@pytest.mark.parametrize("how", REFUSED)
def test_a_refusal_has_its_class_its_status_and_the_words_of_the_remote(client, remote, how):
    fault, kind, status, words = REFUSED[how]
    remote.afflict(fault, "GET")
    error = client("get", "t1")
    assert type(error) is kind
    assert error.status == status
    assert words in error.detail
    assert len(error.detail) <= 500
    assert "\n" not in error.message + error.detail
    assert len(remote.received) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599, 999])
def test_a_read_outlives_a_short_storm_and_tells_of_a_long_one(client, remote, status):
    remote.afflict(refusing(status, {"detail": "storm"}), "GET", times=2)
    assert client("get", "t1").id == "t1"
    remote.afflict(refusing(status, {"detail": "storm"}), "GET")
    error = client("get", "t1")
    assert type(error) is UnreachableError
    assert (error.status, error.detail) == (status, "storm")


def test_the_words_of_a_remote_cannot_steer_a_terminal_into_a_second_line(client, remote):
    remote.afflict(refusing(400, {"detail": "a\r\nb\u2028c\x0bd"}), "GET")
    error = client("get", "t1")
    assert len(error.detail.splitlines()) == 1
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    "limit",
    [
        limiting(retry_after=lambda: 1),
        limiting(retry_after=soon(2)),
        limiting(x_ratelimit_reset=lambda: int(time.time()) + 2, x_ratelimit_remaining=lambda: 0),
        refusing(503, headers=lambda: {"retry_after": 1}),
    ],
    ids=["seconds", "date", "reset", "503"],
)
def test_a_read_waits_as_long_as_it_is_told(client, remote, limit):
    remote.afflict(limit, "GET", times=1)
    assert client("get", "t1").id == "t1"
    assert len(remote.received) == 2
    assert 0.9 < remote.times[1] - remote.times[0] < PATIENCE


@pytest.mark.parametrize("stated", ["nonsense", "-5", "1e400", "99999999999999999999999", "Thu, 99 Foo 2026", "0", ""])
def test_an_odd_wish_to_wait_does_no_harm(client, remote, stated):
    remote.afflict(limiting(retry_after=lambda: stated), "GET", times=1)
    found = client("get", "t1")
    assert isinstance(found, RateLimitedError) or found.id == "t1"
    assert client.took < PATIENCE


def test_nobody_waits_for_an_hour(client, remote):
    remote.afflict(limiting(retry_after=lambda: 3600), "GET")
    error = client("get", "t1")
    assert type(error) is RateLimitedError
    assert (error.status, error.retry_after, error.billing) == (429, 3600.0, False)
    assert client.took < PATIENCE
    assert len(remote.received) == 1


def test_a_limit_that_lasts_is_told(client, remote):
    remote.afflict(limiting(), "GET")
    error = client("get", "t1")
    assert type(error) is RateLimitedError
    assert error.detail == "Too many requests"
    assert len(remote.received) == 4


def test_a_billing_limit_is_told_at_once(client, remote):
    remote.afflict(limiting("Billing limit reached: upgrade your plan", retry_after=lambda: 1), "GET")
    error = client("get", "t1")
    assert type(error) is RateLimitedError
    assert error.billing
    assert len(remote.received) == 1
    assert client.took < PATIENCE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_the_key_goes_nowhere_else(client, remote, status):
    with HostileRemote() as other:
        other.add_task("t1")
        place = f"{other.root}/agent-execution/t1/status"
        remote.afflict(refusing(status, headers=lambda: {"location": place}), "GET")
        error = client("get", "t1")
        assert type(error) is RefusedError
        assert error.status == status
        assert "base URL" in error.hint
        assert other.received == []


def test_cookies_are_not_kept(client, remote):
    remote.afflict(writing(lambda c: http(200, c, set_cookie="session=stolen; path=/")), "GET")
    client("get", "t1")
    client("get", "t1")
    assert all("cookie" not in request.headers for request in remote.received)


def test_a_second_answer_to_one_request_is_no_answer_to_the_next(client, remote):
    remote.add_task("t2", "a2", title="second")
    remote.afflict(writing(lambda c: http(200, c) * 2), "GET", "/a1")
    remote.afflict(writing(lambda c: http(200, c) * 2), "GET", "t1/status")
    for _ in range(3):
        assert [row.id for row in client("list", "a1")] == ["t1"]
        time.sleep(0.02)
        assert [row.id for row in client("list", "a2")] == ["t2"]
        assert client("get", "t1").title == "first"
        time.sleep(0.02)
        assert client("get", "t2").title == "second"


def test_bytes_after_an_answer_cost_no_answer(client, remote):
    remote.add_task("t2", title="second")
    remote.afflict(writing(lambda c: http(200, c) + b"HTTP/1.1 500 X\r\n"), "GET", "t1/status")
    for _ in range(3):
        assert client("get", "t1").title == "first"
        time.sleep(0.02)
        assert client("get", "t2").title == "second"


def test_an_unknown_status_and_values_of_the_wrong_kind_are_kept_and_hurt_nothing(client, remote):
    odd = {"status": "hibernating", "input": 7, "created_at": "never", "used_tools": "x", "tokens": [], "duration": {}}
    flags = {"is_manually_stopped": "yes", "result": {"answer": [1]}, "mcp_servers": None, "sub_executions": {}}
    remote.afflict(altering(lambda t: t | odd | flags), "GET")
    task = client("get", "t1")
    assert task.status == "hibernating"
    assert json.loads(task.result) == {"answer": [1]}
    assert task.created_at is None
    assert task.raw["used_tools"] == "x"


def test_a_result_of_ten_megabytes_is_read(client, remote):
    remote.add_task("big", result="ü" * 5_000_000, status="completed")
    task = client("get", "big")
    assert len(task.result) == 5_000_000
    assert client.took < PATIENCE


def test_an_answer_larger_than_the_limit_is_given_up(client, remote):
    remote.afflict(writing(lambda c: http(200, b"[" + b" " * (66 << 20) + b"]")), "GET")
    error = client("get", "t1")
    assert isinstance(error, RemoteError)
    assert "larger" in error.message
    assert client.took < PATIENCE


def test_a_gzip_bomb_is_given_up(client, remote):
    small = bomb(80)
    remote.afflict(writing(lambda c: http(200, small, content_encoding="gzip")), "GET")
    error = client("get", "t1")
    assert isinstance(error, RemoteError)
    assert "larger" in error.message
    assert client.took < PATIENCE


@pytest.mark.parametrize("size", [20_000, 300_000])
def test_headers_that_are_too_large_hurt_nothing(client, remote, size):
    remote.afflict(writing(lambda c: sized(c, b"x-long: " + b"y" * size)), "GET")
    found = client("get", "t1")
    assert isinstance(found, OutcomeUnknownError | UnreachableError) or found.title == "first"
    remote.heal()
    assert client("get", "t1").title == "first"


def test_a_thousand_headers_hurt_nothing(client, remote):
    remote.afflict(writing(lambda c: sized(c, *(b"x-%d: %d" % (n, n) for n in range(1000)))), "GET")
    found = client("get", "t1")
    assert isinstance(found, OutcomeUnknownError | UnreachableError) or found.title == "first"


def test_a_key_of_awkward_characters_is_not_shown(clients, remote):
    key = 'pass/"word\\+of=32-awkward%20chars'
    echoes = [
        json.dumps({"detail": key}).encode(),
        b'{"detail": "' + key.replace('"', '\\"').replace("/", "\\/").encode(),
    ]
    client = clients(api_key=key)
    for echo in [*echoes, json.dumps(json.dumps({"detail": key})).encode()]:
        remote.heal()
        remote.afflict(refusing(403, echo), "GET")
        error = client("get", "t1")
        assert type(error) is AuthenticationError
        assert key not in str(error) + error.detail


def test_nobody_listens(clients, remote):
    client = clients(base_url="http://127.0.0.1:1")
    error = client("get", "t1")
    assert type(error) is UnreachableError
    assert error.status is None
    assert error.hint


def test_a_name_that_does_not_exist_is_unreachable(clients):
    error = clients(base_url="http://no-such-host.invalid")("get", "t1")
    assert type(error) is UnreachableError


CHAOS = [*READABLE.values(), *BROKEN.values(), refusing(500), refusing(503), limiting()]


def unruly(seed):
    dice = random.Random(seed)

    async def fault(exchange):
        await dice.choice(CHAOS)(exchange)

    return fault


@pytest.mark.parametrize("seed", range(3))
def test_in_a_storm_of_everything_each_read_tells_the_truth(clients, remote, seed):
    remote.afflict(unruly(seed), "GET")
    ids = [f"x{number}" for number in range(60)]
    for task_id in ids:
        remote.add_task(task_id, title=f"title of {task_id}")
    found = clients(max_connections=8).together(*(("get", (task_id,), {}) for task_id in ids))
    for task_id, value in zip(ids, found, strict=True):
        if isinstance(value, Exception):
            assert isinstance(value, UnreachableError | RateLimitedError), repr(value)
        else:
            assert (value.id, value.title) == (task_id, f"title of {task_id}")
    assert sum(isinstance(value, Exception) for value in found) < 20
