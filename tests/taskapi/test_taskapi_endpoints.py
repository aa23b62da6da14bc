"""The calls, played by hand."""

import json

import pytest

from taskspec.errors import (
    AuthenticationError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from taskspec.taskapi import endpoints
from taskspec.taskapi.records import NewTask, Tokens

CREATE_KEYS = {
    "id",
    "input",
    "payload_extension",
    "source",
    "worker_id",
    "output_format",
    "output_schema",
    "run_locally",
    "events_streaming",
    "additional_context",
    "instructions_override",
    "test_run_node_id",
    "user_oidc_token",
    "expected_output",
    "mcp_servers",
    "triggering_agent_id",
    "title",
    "think_mode",
    "disable_attachment_injection",
    "tool_call_limit",
    "user_tokens",
    "return_metrics",
    "llm_model_provider",
    "llm_model_name",
    "llm_reasoning_effort",
    "harness_cli",
    "permission_mode",
}


def create(task=None):
    return endpoints.create_task("a1", task or NewTask(prompt="p"), idempotency_key="n0nce")


def test_a_create_carries_all_27_keys_and_exactly_the_hashed_bytes(play, answer, task):
    new = NewTask(prompt="grüße", files=("https://x/y",), title="t", agent_version="3", mcp_servers=({"b": 1, "a": 2},))
    record, (request,) = play(create(new), answer(200, task | {"status": "pending"}))
    assert record.id == "t1"
    assert record.status == "pending"
    assert request.content == endpoints.create_body(new)
    assert set(json.loads(request.content)) == CREATE_KEYS
    assert len(CREATE_KEYS) == 27
    assert json.loads(request.content)["input"] == {"text": "grüße", "files": ["https://x/y"], "user": None}
    assert request.headers["x-agent-version"] == "3"
    assert request.headers["idempotency-key"] == "n0nce"
    assert (request.method, request.path, request.repeatable) == ("POST", "/agent-execution/a1", False)


def test_equal_tasks_have_equal_bodies_whatever_the_order_of_their_keys():
    one = NewTask(prompt="p", output_schema={"a": 1, "b": 2})
    other = NewTask(prompt="p", output_schema={"b": 2, "a": 1})
    assert endpoints.create_body(one) == endpoints.create_body(other)


def test_a_body_can_hold_every_text_but_no_infinity():
    endpoints.create_body(NewTask(prompt="\ud800 lone surrogate"))
    with pytest.raises(UsageError, match="infinity"):
        endpoints.create_body(NewTask(prompt="p", payload_extension={"x": float("inf")}))


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 520])
def test_a_create_that_may_have_happened_is_unanswered(play, answer, status):
    error, yielded = play(create(), answer(status, {"detail": "no"}))
    assert type(error) is OutcomeUnknownError
    assert len(yielded) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (413, InvalidError),
        (415, InvalidError),
        (422, InvalidError),
        (301, RefusedError),
        (307, RefusedError),
        (429, RateLimitedError),
    ],
)
def test_a_create_that_was_refused_is_refused_and_not_repeated(play, answer, status, kind):
    error, yielded = play(create(), answer(status, {"detail": "because"}))
    assert type(error) is kind
    assert error.status == status
    assert "because" in error.message
    assert len(yielded) == 1


@pytest.mark.parametrize(
    "answered",
    [
        {"body": {}},
        {"body": {"id": 7}},
        {"body": {"id": ""}},
        {"body": []},
        {"body": b'{"id": "t1"'},
        {"body": b""},
        {"body": {"id": "t1"}, "content_type": "text/html"},
        {"body": b"[" * 100_000},
    ],
)
def test_an_accepted_create_without_a_usable_id_is_unanswered(play, answer, answered):
    error, _ = play(create(), answer(200, **answered))
    assert type(error) is ProtocolError


def test_a_create_error_thrown_by_the_driver_is_never_swallowed(play):
    for kind in (UnreachableError, OutcomeUnknownError):
        error, yielded = play(create(), kind("cut"))
        assert type(error) is kind
        assert len(yielded) == 1


def test_a_version_that_no_header_can_carry_is_not_sent(play):
    error, yielded = play(create(NewTask(prompt="p", agent_version="3\r\nx: y")))
    assert type(error) is UnreachableError
    assert not yielded


def test_a_key_that_no_header_can_carry_is_not_sent(play):
    error, yielded = play(endpoints.create_task("a1", NewTask(prompt="p"), idempotency_key="k\r\nx: y"))
    assert type(error) is UsageError
    assert not yielded


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Mon, 12 Jan 1970 13:47:10 GMT"}, 30.0),
        ({"retry_after": "Mon, 12 Jan 1970 13:00:00 GMT"}, 0.0),
        ({"x_ratelimit_reset": "1000012"}, 12.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_throttled_call_says_how_long_to_wait(play, answer, headers, seconds):
    error, _ = play(create(), answer(429, {"detail": "slow down"}, **headers))
    assert error.retry_after == seconds
    assert not error.billing


def test_a_billing_limit_is_told_from_a_rate_limit(play, answer):
    error, _ = play(create(), answer(429, {"detail": "Billing limit reached"}))
    assert error.billing
    assert "billing" in error.hint


def test_validation_errors_are_shown_with_their_places(play, answer):
    body = {"detail": [{"loc": ["body", "input", "text"], "msg": "field required", "type": "x"}]}
    error, _ = play(create(), answer(422, body))
    assert "body.input.text: field required" in error.message


def test_a_huge_error_text_is_shortened(play, answer):
    error, _ = play(create(), answer(400, b"x" * 1_000_000, content_type="text/plain"))
    assert len(error.message) < 700


def test_ids_are_quoted_and_never_change_the_path(play, answer, task):
    _, (request,) = play(endpoints.get_task("a/b?c#d"), answer(200, task | {"id": "a/b?c#d"}))
    assert request.path == "/agent-execution/a%2Fb%3Fc%23d/status"
    for bad in ("", ".", ".."):
        error, _ = play(endpoints.get_task(bad))
        assert type(error) is UsageError


def test_a_task_is_read_tolerantly(play, answer, task):
    wire = task | {
        "status": "hibernating",
        "new_field": 1,
        "created_at": 1767225600,
        "finished_at": "2026-01-01T00:00:00",
        "result": {"total": 1},
        "tokens": {"prompt_tokens": 3, "completion_tokens": None},
        "pending_eca_request": {"connector_name": "crm", "auth_url": "https://auth"},
    }
    record, _ = play(endpoints.get_task("t1"), answer(200, wire))
    assert record.status == "hibernating"
    assert record.raw["new_field"] == 1
    assert record.created_at == record.finished_at == 1767225600.0
    assert json.loads(record.result) == {"total": 1}
    assert record.tokens == Tokens(prompt=3)
    assert record.waits_for == "https://auth"


def test_a_task_without_a_status_is_of_unknown_status(play, answer, task):
    record, _ = play(endpoints.get_task("t1"), answer(200, task))
    assert record.status == "unknown"


def test_another_task_than_the_one_asked_for_is_no_answer(play, answer, task):
    error, _ = play(endpoints.get_task("t2"), answer(200, task))
    assert type(error) is ProtocolError
    error, _ = play(endpoints.update_task("t2", {}), answer(200, task))
    assert type(error) is ProtocolError


def test_a_stop_whose_answer_cannot_be_read_reads_the_task(play, answer, task):
    record, yielded = play(endpoints.stop_task("t1"), answer(204), answer(200, task | {"status": "stopped"}))
    assert record.status == "stopped"
    assert [request.method for request in yielded] == ["DELETE", "GET"]


@pytest.mark.parametrize("trouble", [UnreachableError("refused"), OutcomeUnknownError("cut"), 503, 401, 404, 429, 200])
def test_a_stop_that_cannot_be_read_back_is_of_unknown_outcome(play, answer, trouble):
    look = answer(trouble) if isinstance(trouble, int) else trouble
    error, _ = play(endpoints.stop_task("t1"), answer(204), look)
    assert type(error) is OutcomeUnknownError
    assert error.message.startswith("The remote was asked to stop task `t1`, but")


@pytest.mark.parametrize(
    "read",
    [
        lambda: endpoints.get_task("t1"),
        lambda: endpoints.list_tasks("a1"),
        lambda: endpoints.get_agent("a1"),
        endpoints.list_agents,
        lambda: endpoints.activity_log("a1", "t1"),
        endpoints.greet,
    ],
)
@pytest.mark.parametrize("trouble", [OutcomeUnknownError("cut", hint="h"), 500, 408])
def test_a_read_without_an_answer_changed_nothing(play, answer, read, trouble):
    error, _ = play(read(), answer(trouble, {"detail": "d"}) if isinstance(trouble, int) else trouble)
    assert type(error) is UnreachableError
    assert (error.status, error.detail) == ((trouble, "d") if isinstance(trouble, int) else (None, ""))


def test_an_update_sends_only_the_given_fields(play, answer, task):
    record, (request,) = play(endpoints.update_task("t1", {"title": "new"}), answer(200, task | {"title": "new"}))
    assert record.title == "new"
    assert (request.method, request.content) == ("PATCH", b'{"title":"new"}')


def test_a_file_is_sent_only_where_it_is_not_there_yet(play, answer):
    _, yielded = play(endpoints.upload_file("ab", b"content"), answer(200))
    assert [request.method for request in yielded] == ["HEAD"]
    _, yielded = play(endpoints.upload_file("ab", b"content"), answer(404), answer(201))
    assert [(request.method, request.content) for request in yielded] == [("HEAD", None), ("PUT", b"content")]
    error, _ = play(endpoints.upload_file("ab", b"content"), answer(404), answer(422, {"detail": "bad digest"}))
    assert type(error) is InvalidError


def test_agents_are_listed_and_read(play, answer):
    agents, _ = play(endpoints.list_agents(), answer(200, [{"id": "a1", "name": "A", "status": "ACTIVE"}, {}, 3]))
    assert [(agent.id, agent.name) for agent in agents] == [("a1", "A")]
    agent, _ = play(endpoints.get_agent("a1"), answer(200, {"id": "a1"}))
    assert agent.name == "a1"


def test_an_activity_log_without_messages_is_no_answer(play, answer):
    messages, (request,) = play(endpoints.activity_log("a1", "t1"), answer(200, {"messages": [{"role": "user"}]}))
    assert messages == [{"role": "user"}]
    assert request.path == "/activity/a1/t1"
    error, _ = play(endpoints.activity_log("a1", "t1"), answer(200, "nothing"))
    assert type(error) is ProtocolError


def test_a_remote_that_says_nothing_of_itself_can_nothing_special(play, answer):
    greeting, _ = play(endpoints.greet(), answer(200, []))
    assert (greeting.instance, greeting.capabilities) == (None, frozenset())
    said = {"taskspec_engine": "e1", "taskspec_capabilities": "idempotency-key, uploads,pages"}
    greeting, _ = play(endpoints.greet(), answer(200, [], **said))
    assert greeting.capabilities == {"idempotency-key", "uploads", "pages"}
    assert greeting.instance == "e1"
