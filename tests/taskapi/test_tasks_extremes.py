"""Numbers that no float holds and text that no URL carries: read as missing, and refused where they are given."""

import asyncio
import json
import math

import pytest
from tasks_played import BLOCKING, WAITING, WIRE, PlayedSession, client, configuration

from taskspec import Agents, Task, Tasks, Tokens, UsageError
from taskspec.taskapi.classifying import requested_wait
from taskspec.taskapi.decoding import moment, task_event, task_record
from taskspec.taskapi.encoding import canonical_json
from taskspec.taskapi.messages import Response, path_of
from taskspec.taskapi.roots import roots

VAST = 10**400
UNWRITABLE = 10**5000
HALF = "a\ud800"
COLOURS = pytest.mark.parametrize("colour", [BLOCKING, WAITING], ids=["blocking", "waiting"])


@pytest.mark.parametrize("number", [VAST, -VAST, math.inf, math.nan, True])
def test_a_time_that_no_clock_tells_is_none(number):
    assert moment(number) is None
    assert task_record(WIRE | {"created_at": number, "finished_at": number}).finished_at is None
    assert task_event(json.dumps({"type": "chunk", "time": number}), "t1").time is None


@pytest.mark.parametrize("number", [VAST, -VAST, math.inf, math.nan])
def test_a_vast_number_on_the_wire_is_as_if_it_were_not_there(number):
    names = ("created_at", "duration", "finished_at", "execution_attempts", "tool_call_limit", "result", "tokens")
    task = Task(WIRE | dict.fromkeys(names, number), PlayedSession())
    assert task.created_at is task.finished_at is task.tokens is None
    assert task.duration == 0.0
    assert task.result


def test_a_result_that_is_nested_too_deeply_is_none():
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert task_record(WIRE | {"result": deep}).result is None


@pytest.mark.parametrize("zone", ["GMT", "+99999999999999"])
@pytest.mark.parametrize("day", [1, 99999999999999999999])
def test_a_date_beyond_all_calendars_asks_for_no_wait(day, zone):
    stated = {"retry-after": f"Mon, {day} Jan 2020 00:00:00 {zone}"}
    assert requested_wait(Response(status=429, headers=stated, at=2e9)) in {None, 0.0}


@COLOURS
@pytest.mark.parametrize("number", [VAST, -VAST, math.inf, math.nan])
def test_a_duration_that_no_float_holds_is_refused(colour, number):
    session = PlayedSession()
    session.configuration.__dict__["_session"] = session
    with pytest.raises(UsageError, match="`duration`"):
        colour(Task, "report_external_task", session.configuration, agent_id="a", duration=number)
    task = Task(WIRE, session)
    task.duration = number
    with pytest.raises(UsageError, match="`duration`"):
        colour(task, "save")
    assert session.requests == []


@pytest.mark.parametrize("number", [VAST, 1e300, 10**7])
@pytest.mark.parametrize("name", ["timeout", "create_timeout"])
def test_a_time_limit_that_no_clock_can_keep_is_refused(name, number):
    with pytest.raises(UsageError, match=f"`{name}`"):
        configuration(**{name: number})


@pytest.mark.parametrize("name", ["requests_per_minute", "requests_per_hour", "max_connections"])
def test_a_vast_limit_of_requests_is_refused(name):
    with pytest.raises(UsageError, match=f"`{name}`"):
        configuration(**{name: VAST})


@COLOURS
@pytest.mark.parametrize(
    ("call", "arguments", "named"),
    [
        ("create", {"agent_id": "a", "tool_call_limit": UNWRITABLE}, "tool_call_limit"),
        (
            "create",
            {"agent_id": "a", "tool_call_payload_extension": {"n": [-UNWRITABLE]}},
            "tool_call_payload_extension",
        ),
        ("list", {"agent_id": "a", "filters": {"n": UNWRITABLE}}, "n"),
        ("get", {"task_id": HALF}, "task_id"),
        ("stop", {"task_id": HALF}, "task_id"),
        ("update", {"task_id": HALF, "source": "s"}, "task_id"),
        ("list", {"agent_id": HALF}, "agent_id"),
        ("list", {"agent_id": "a", "filters": {"user_id": HALF}}, "user_id"),
        ("list", {"agent_id": "a", "filters": {HALF: "x"}}, "filters"),
        ("list_user_tasks", {"user_id": HALF}, "user_id"),
        ("create", {"agent_id": HALF}, "agent_id"),
        ("create", {"agent_id": "a", "agent_version": HALF}, "agent_version"),
        ("create", {"agent_id": "a", "idempotency_key": HALF}, "idempotency_key"),
        ("create", {"agent_id": "a", "existing_task_id": HALF}, "existing_task_id"),
    ],
)
def test_what_cannot_be_sent_is_named_and_not_sent(colour, call, arguments, named):
    made = client(Tasks)
    with pytest.raises(UsageError, match=f"`{named}`") as caught:
        colour(made.client, call, **arguments)
    assert made.session.requests == []
    assert (str(caught.value) + caught.value.hint).isprintable()


def test_other_ways_to_write_too_long_a_number_are_refused():
    with pytest.raises(UsageError, match="`prompt_tokens`"):
        Tokens(prompt_tokens=UNWRITABLE).wire()
    with pytest.raises(UsageError, match="`version`"):
        client(Agents).client.get("a", version=UNWRITABLE)
    with pytest.raises(UsageError, match="thousands of digits"):
        canonical_json({"n": UNWRITABLE})


@COLOURS
def test_text_in_a_body_may_hold_anything(colour):
    made = client(Tasks, WIRE)
    colour(made.client, "create", "a", prompt=HALF, title=HALF, source=HALF)
    assert made.session.requests[0].content.isascii()
    assert made.session.sent[0]["title"] == HALF


def test_an_id_of_a_remote_that_no_path_can_hold_is_refused():
    with pytest.raises(UsageError, match="cannot be sent") as caught:
        path_of("agent-execution", HALF)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "host",
    [
        "a..b.com",
        ".a.com",
        f"{'a' * 64}.com",
        "a b.com",
        "a\\b.com",
        "a%41.com",
        "a,b",
        "xn--.com",
        HALF,
        "[v1.x]",
        "*",
    ],
)
def test_a_host_that_no_name_server_knows_is_refused(host):
    with pytest.raises(UsageError, match="base URL") as caught:
        roots(f"https://{host}", "o")
    assert str(caught.value).isprintable()


def test_a_path_or_an_organization_that_cannot_be_sent_is_refused():
    with pytest.raises(UsageError, match="base URL"):
        roots(f"https://h/{HALF}", "o")
    with pytest.raises(UsageError, match="`organization_id`"):
        configuration(organization_id=HALF)


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://bücher.example:8080", "https://xn--bcher-kva.example:8080"),
        ("https://a_b.com.", "https://a_b.com."),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_host_stands_in_ascii(base, root):
    assert roots(base, "o")[0] == root


@COLOURS
@pytest.mark.parametrize("path", ["no\0file", "/nowhere.pem"])
def test_authorities_at_an_odd_path_are_told(colour, path):
    with Tasks(configuration(base_url="https://127.0.0.1:1", ca_file=path)) as tasks:
        with pytest.raises(UsageError, match="`ca_file`"):
            colour(tasks, "get", "t")
        asyncio.run(tasks.aclose())


@COLOURS
@pytest.mark.parametrize("empty", [[], 0, {}, False, b""])
def test_a_prompt_that_is_no_text_is_refused_though_it_is_empty(colour, empty):
    made = client(Tasks)
    with pytest.raises(UsageError, match="`prompt`"):
        colour(made.client, "create", "a", prompt=empty)
    assert made.session.requests == []


@COLOURS
def test_an_update_of_nothing_is_refused(colour):
    made = client(Tasks)
    with pytest.raises(UsageError, match="nothing to change") as caught:
        colour(made.client, "update", "t1")
    assert "status" in caught.value.hint
    assert made.session.requests == []
