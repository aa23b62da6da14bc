"""What the library asks for, in both colours, and what it makes of the answers."""

import json
from datetime import UTC, datetime

import pytest
from tasks_played import BLOCKING, WAITING, WIRE, PlayedSession, answered, client

from taskspec import (
    AgentExecutionStatus,
    Agents,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    Task,
    Tasks,
    Tokens,
    UnreachableError,
    UsageError,
    User,
)
from taskspec.taskapi.messages import TooLargeError

pytestmark = pytest.mark.parametrize("colour", [BLOCKING, WAITING], ids=["blocking", "waiting"])
ROW = {"id": "t1", "agent_id": "a1", "organization_id": "o1", "status": "pending"}


def a_task(*answers, **changes):
    session = PlayedSession(*answers)
    return Task(WIRE | changes, session), session


def test_a_create_carries_every_argument(colour):
    made = client(Tasks, WIRE | {"status": "pending"})
    task = colour(
        made.client,
        "create",
        "a1",
        "t0",
        "do it",
        ["https://x/y"],
        User(email="e@x", first_name="E"),
        {"kind": "user", "id": "u"},
        agent_version="3",
        tool_call_payload_extension={"a": 1},
        source="s",
        worker_id="w",
        run_locally=True,
        output_format="json",
        output_schema={"type": "object"},
        events_streaming=True,
        additional_context="c",
        instructions_override="i",
        test_run_node_id="n",
        user_oidc_token="oidc",
        expected_output="e",
        mcp_servers=[{"name": "m"}],
        triggering_agent_id="a0",
        title="t",
        think_mode="harder",
        disable_attachment_injection=True,
        return_metrics=True,
        user_tokens={"k": "v"},
        llm_model_provider="p",
        llm_model_name="m",
        llm_reasoning_effort="high",
        harness_cli="codex",
        tool_call_limit=5,
        attachments=[{"url": "https://x/y"}],
        permission_mode="gated",
        idempotency_key="key-1",
    )
    assert (task.id, task.status) == ("t1", AgentExecutionStatus.Pending)
    (request,), (body,) = made.session.requests, made.session.sent
    assert (request.method, request.path, request.timeout) == ("POST", "/agent-execution/a1", 60.0)
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["x-agent-version"] == "3"
    assert body == {
        "id": "t0",
        "input": {
            "text": "do it",
            "files": ["https://x/y"],
            "user": {"email": "e@x", "first_name": "E"},
            "principal": {"kind": "user", "id": "u"},
            "attachments": [{"url": "https://x/y"}],
        },
        "payload_extension": {"a": 1},
        "source": "s",
        "worker_id": "w",
        "output_format": "json",
        "output_schema": {"type": "object"},
        "run_locally": True,
        "events_streaming": True,
        "additional_context": "c",
        "instructions_override": "i",
        "test_run_node_id": "n",
        "user_oidc_token": "oidc",
        "expected_output": "e",
        "mcp_servers": [{"name": "m"}],
        "triggering_agent_id": "a0",
        "title": "t",
        "think_mode": "harder",
        "disable_attachment_injection": True,
        "tool_call_limit": 5,
        "user_tokens": {"k": "v"},
        "return_metrics": True,
        "llm_model_provider": "p",
        "llm_model_name": "m",
        "llm_reasoning_effort": "high",
        "harness_cli": "codex",
        "permission_mode": "gated",
    }


def test_a_create_without_arguments_has_the_27_keys_and_a_key_of_its_own(colour):
    made = client(Tasks, WIRE, WIRE)
    colour(made.client, "create", agent_id="a1")
    colour(made.client, "create", agent_id="a1")
    first, second = made.session.requests
    assert len(made.session.sent[0]) == 27
    assert made.session.sent[0]["input"] == {"text": "", "files": [], "user": None}
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert "x-agent-version" not in first.headers


def test_a_task_is_read_by_its_id(colour):
    made = client(Tasks, WIRE | {"created_at": "2026-01-01T00:00:00Z"})
    task = colour(made.client, "get", "t1")
    assert made.session.said == [("GET", "/agent-execution/t1/status")]
    assert task.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert task.input.text == "p"


def test_an_id_is_quoted(colour):
    made = client(Tasks, WIRE | {"id": "a/b?c#d"})
    colour(made.client, "get", "a/b?c#d")
    assert made.session.said == [("GET", "/agent-execution/a%2Fb%3Fc%23d/status")]


def test_a_list_has_every_row_once_and_keeps_unknown_statuses(colour):
    rows = [ROW, ROW | {"id": "t2", "status": "meditating", "colour": "red"}, ROW]
    made = client(Tasks, rows)
    items = colour(made.client, "list", "a1")
    assert [item.id for item in items] == ["t1", "t2"]
    assert items[0].status is AgentExecutionStatus.Pending
    assert items[1].status == "meditating"
    assert items[1].raw["colour"] == "red"
    assert made.session.said == [("GET", "/agent-execution/executions/history/a1")]
    assert made.session.requests[0].query == ()


def test_a_list_may_come_in_pages(colour):
    pages = [
        {"items": [ROW], "page": 1, "total_pages": 2},
        {"items": [ROW | {"id": "t2"}], "page": 2, "total_pages": 2},
    ]
    made = client(Tasks, *pages)
    assert [item.id for item in colour(made.client, "list", "a1")] == ["t1", "t2"]


def test_pages_are_asked_for_where_the_remote_is_known_to_have_them(colour):
    made = client(Tasks, [ROW], [ROW], [ROW])
    made.session.pages_lists = lambda: True
    colour(made.client, "list", "a1", {"status": "failed"})
    colour(made.client, "list_user_tasks", "u1")
    colour(made.client, "list", "a1", {"per_page": 3})
    assert [request.query for request in made.session.requests] == [
        (("status", "failed"), ("per_page", "1000")),
        (("per_page", "1000"),),
        (("per_page", "3"),),
    ]


def test_a_list_that_is_too_large_is_read_in_pages_where_its_answer_says_that_there_are(colour):
    made = client(Tasks, TooLargeError("too large"), [ROW])
    learned = iter([False, True])
    made.session.pages_lists = lambda: next(learned)
    assert [item.id for item in colour(made.client, "list", "a1")] == ["t1"]
    assert [request.query for request in made.session.requests] == [(), (("per_page", "1000"),)]


@pytest.mark.parametrize("pages", [False, True])
def test_a_list_that_stays_too_large_is_unreachable(colour, pages):
    made = client(Tasks, TooLargeError("too large"))
    made.session.pages_lists = lambda: pages
    with pytest.raises(UnreachableError, match="too large"):
        colour(made.client, "list", "a1")


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": 7}, {"id": ""}, "text", None])
def test_a_row_without_an_id_is_not_lost_silently(colour, row):
    made = client(Tasks, [ROW, row])
    with pytest.raises(ProtocolError, match="Row 2 of 2"):
        colour(made.client, "list", "a1")


def test_filters_are_sent_as_the_remote_reads_them(colour):
    made = client(Tasks, [], [])
    filters = {
        "status": [AgentExecutionStatus.Failed, "error"],
        "internal_status": None,
        "user_id": "u/1",
        "streamed": True,
        "n": 3,
        "from_date": datetime(2026, 1, 1, tzinfo=UTC),
    }
    colour(made.client, "list", "a1", filters)
    colour(made.client, "list_user_tasks", "u1", filters={"status": AgentExecutionStatus.Paused})
    assert made.session.requests[0].query == (
        ("status", "failed"),
        ("status", "error"),
        ("user_id", "u/1"),
        ("streamed", "true"),
        ("n", "3"),
        ("from_date", "2026-01-01T00:00:00+00:00"),
    )
    assert made.session.said[1] == ("GET", "/agent-execution/executions/history/user/u1")
    assert made.session.requests[1].query == (("status", "paused"),)


def test_an_item_loads_its_task_with_the_configuration_of_its_list(colour):
    made = client(Tasks, [ROW], WIRE)
    (item,) = colour(made.client, "list", "a1")
    assert colour(item, "load").title == "old"
    assert made.session.said[1] == ("GET", "/agent-execution/t1/status")


def test_an_update_sends_what_is_given(colour):
    made = client(Tasks, WIRE | {"status": "completed"})
    task = colour(
        made.client,
        "update",
        "t1",
        tool_call_payload_extension={"a": 1},
        status=AgentExecutionStatus.Completed,
        result="",
    )
    assert task.status is AgentExecutionStatus.Completed
    assert made.session.sent == [{"tool_call_payload_extension": {"a": 1}, "status": "completed", "result": ""}]
    assert made.session.said == [("PATCH", "/agent-execution/t1/update")]


def test_an_update_that_is_answered_with_another_task_is_an_error(colour):
    made = client(Tasks, WIRE | {"id": "t2"})
    with pytest.raises(ProtocolError):
        colour(made.client, "update", "t1", source="s")


def test_a_stop_returns_the_task_as_it_is_then(colour):
    made = client(Tasks, WIRE | {"status": "stopped"})
    assert colour(made.client, "stop", "t1").status is AgentExecutionStatus.Stopped
    assert made.session.said == [("DELETE", "/agent-execution/t1")]


def test_a_save_sends_what_changed_and_nothing_else(colour):
    task, session = a_task(WIRE | {"title": "new", "status": "executing"}, payload_extension={"a": {"b": 1}})
    task.title = "new"
    task.status = AgentExecutionStatus.Executing
    task.payload_extension["a"]["b"] = 2
    task.input.text = "other"
    assert colour(task, "save") is task
    assert session.said == [("PATCH", "/agent-execution/t1/update")]
    assert session.sent == [
        {
            "title": "new",
            "status": "executing",
            "payload_extension": {"a": {"b": 2}},
            "input": WIRE["input"] | {"text": "other"},
        }
    ]
    colour(task, "save")
    assert len(session.requests) == 1


def test_a_save_without_a_change_sends_nothing(colour):
    odd = {
        "result": {"a": 1},
        "duration": "long",
        "mcp_servers": [None],
        "input": {"user": {"id": "u"}},
        "status": "??",
    }
    for wire in (WIRE, {"id": "t1"}, WIRE | odd, WIRE | {"deep_planning": {"enabled": True}, "tokens": {}}):
        session = PlayedSession()
        colour(Task(wire, session), "save")
        assert session.requests == []


def test_a_save_clears_a_field_with_null(colour):
    task, session = a_task(WIRE | {"title": None}, result="r")
    task.title = None
    task.result = None
    colour(task, "save")
    assert session.sent == [{"title": None, "result": None}]
    assert (task.title, task.result) == (None, None)


def test_an_input_that_is_saved_keeps_what_is_not_known_of_it(colour):
    came = {"text": "p", "files": [], "user": {"id": "u", "display_name": "U"}, "colour": "red"}
    task, session = a_task(WIRE, WIRE, input=came)
    task.input.files.append("https://x/y")
    colour(task, "save")
    assert session.sent[0]["input"] == came | {"files": ["https://x/y"], "attachments": [], "principal": None}


def test_a_plan_is_saved_only_where_it_is_asked_for(colour):
    task, session = a_task(WIRE, deep_planning={"enabled": False})
    task.deep_planning["enabled"] = True
    colour(task, "save")
    assert session.requests == []
    assert task.deep_planning["enabled"]
    colour(task, "save", with_deep_plan_update=True)
    assert session.sent == [{"deep_planning": {"enabled": True}}]


@pytest.mark.parametrize("name", ["id", "agent_id", "organization_id", "created_at", "finished_at"])
def test_what_only_the_remote_sets_cannot_be_saved(colour, name):
    task, session = a_task()
    setattr(task, name, "other" if name.endswith("id") else datetime.now(UTC))
    with pytest.raises(UsageError, match=f"`{name}`"):
        colour(task, "save")
    assert session.requests == []


def test_a_task_whose_id_was_changed_asks_nothing_of_another_task(colour):
    task, session = a_task()
    task.id = "t2"
    for name in ("reload", "stop", "get_activity_log"):
        with pytest.raises(UsageError, match="`id`"):
            colour(task, name)
    with pytest.raises(UsageError, match="`id`"):
        colour(task, "set_status", "completed")
    assert session.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", 5),
        ("status", None),
        ("status", 5),
        ("result", {"a": 1}),
        ("payload_extension", []),
        ("payload_extension", {"a": float("nan")}),
        ("tokens", {"prompt_tokens": 1}),
        ("tokens", Tokens(prompt_tokens=-1)),
        ("input", "text"),
        ("used_tools", "tool"),
        ("events_streaming", "yes"),
        ("tool_call_limit", -1),
        ("duration", float("inf")),
    ],
)
def test_a_value_of_the_wrong_type_is_not_saved(colour, name, value):
    task, session = a_task()
    setattr(task, name, value)
    with pytest.raises(UsageError):
        colour(task, "save")
    assert session.requests == []


def test_a_status_is_set_without_touching_the_result(colour):
    task, session = a_task(WIRE | {"status": "completed", "result": "r"}, result="r")
    assert colour(task, "set_status", AgentExecutionStatus.Completed) is task
    assert session.sent == [{"status": "completed"}]
    assert (task.status, task.result) == (AgentExecutionStatus.Completed, "r")


@pytest.mark.parametrize("result", ["done", None])
def test_a_result_is_set_with_the_status_where_it_is_given(colour, result):
    task, session = a_task(WIRE | {"result": result})
    colour(task, "set_status", "completed", result)
    assert session.sent == [{"status": "completed", "result": result}]


def test_what_is_not_saved_yet_survives_a_status_and_a_stop(colour):
    task, session = a_task(WIRE | {"status": "executing"}, WIRE | {"status": "stopped"}, WIRE, WIRE)
    task.title = "new"
    colour(task, "set_status", "executing")
    colour(task, "stop")
    assert (task.status, task.title) == ("stopped", "new")
    colour(task, "save")
    assert session.sent[-1] == {"title": "new"}
    task.title = "lost"
    colour(task, "reload")
    assert task.title == "old"


def test_an_external_task_is_reported(colour):
    session = PlayedSession(WIRE | {"status": "completed"}, agent_id="a9")
    configuration = session.configuration
    configuration.__dict__["_session"] = session
    task = colour(
        Task,
        "report_external_task",
        configuration=configuration,
        id="e1",
        input="q",
        llm_response={"x": [1]},
        tokens=Tokens(prompt_tokens=3),
        result="r",
        duration=1.5,
        used_tools=["t"],
    )
    assert task.status == "completed"
    assert session.said == [("POST", "/agent-execution/a9/report_task")]
    assert session.requests[0].repeatable
    tokens = {"completion_tokens": 0, "prompt_tokens": 3, "cache_read_tokens": 0, "cache_write_tokens": 0}
    assert session.sent == [
        {
            "id": "e1",
            "input": "q",
            "llm_response": {"x": [1]},
            "tokens": tokens,
            "is_success": True,
            "result": "r",
            "duration": 1.5,
            "used_tools": ["t"],
        }
    ]


def test_a_report_without_an_id_is_sent_again_only_where_it_never_left(colour):
    refused = UnreachableError("refused")
    session = PlayedSession(refused, WIRE, refused, OutcomeUnknownError("cut"), *[refused] * 4)
    session.configuration.__dict__["_session"] = session
    colour(Task, "report_external_task", session.configuration, "a1")
    assert not session.requests[0].repeatable
    with pytest.raises(OutcomeUnknownError):
        colour(Task, "report_external_task", session.configuration, "a1")
    with pytest.raises(UnreachableError):
        colour(Task, "report_external_task", session.configuration, "a1")
    assert len(session.requests) == 8


def test_metrics_are_sent_again_only_where_they_never_left(colour):
    task, session = a_task(UnreachableError("refused"), {}, OutcomeUnknownError("cut"))
    task.tokens = Tokens()
    colour(task, "report_metrics")
    with pytest.raises(OutcomeUnknownError):
        colour(task, "report_metrics")
    assert len(session.requests) == 3


def test_a_report_with_an_id_is_repeated_by_the_flow_alone(colour):
    session = PlayedSession(UnreachableError("refused"))
    session.configuration.__dict__["_session"] = session
    with pytest.raises(UnreachableError):
        colour(Task, "report_external_task", session.configuration, "a1", id="e1")
    assert session.requests[0].repeatable


def test_a_loaded_task_goes_on_with_the_configuration_it_was_loaded_with(colour):
    session = PlayedSession(WIRE, WIRE)
    session.configuration.__dict__["_session"] = session
    task = colour(Task, "load", "t1", session.configuration)
    colour(task, "reload")
    assert session.said == [("GET", "/agent-execution/t1/status")] * 2


def test_metrics_tell_what_was_used(colour):
    task, session = a_task({}, source=None, used_tools=["t"], duration=2.5, status="completed", result="r")
    with pytest.raises(UsageError, match="tokens"):
        colour(task, "report_metrics")
    task.tokens = Tokens(completion_tokens=1, prompt_tokens=2)
    assert colour(task, "report_metrics") is None
    assert session.said == [("POST", "/agents-metrics/a1/execution")]
    (body,) = session.sent
    assert set(body) == {
        *("execution_id", "source", "sub_executions", "memory_thread_id", "task", "triggered_by", "skills", "status"),
        *("internal_status", "duration", "ai_model", "worker", "ai_employee_id", "api_calls_made", "result"),
        "llm_tokens",
    }
    assert (body["execution_id"], body["source"], body["duration"]) == ("t1", "sdk", 2.5)
    assert body["llm_tokens"]["worker"]["prompt_tokens"] == 2


def test_an_activity_log_keeps_messages_of_every_kind(colour):
    messages = [{"role": "user", "content": {"text": "p"}}, {"action": "new"}]
    task, session = a_task({"id": "t1", "created_at": "2026-01-01T00:00:00", "messages": messages})
    log = colour(task, "get_activity_log")
    assert session.said == [("GET", "/activity/a1/t1")]
    assert list(log.messages) == messages
    assert log.created_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_an_activity_log_that_is_none_is_an_error(colour):
    task, _ = a_task({"hello": "world"})
    with pytest.raises(ProtocolError):
        colour(task, "get_activity_log")


def test_agents_are_listed_and_read_with_their_version(colour):
    agent = {"id": "a1", "name": "A", "status": "ACTIVE", "description": "d", "version": 4, "tools": []}
    made = client(Agents, [agent], agent, agent, agent_id="a1")
    (listed,) = colour(made.client, "list")
    read = colour(made.client, "get", "a1", version=4)
    assert colour(made.client, "get").id == "a1"
    assert listed == read
    assert (read.id, read.name, read.status, read.description, read.version) == ("a1", "A", "ACTIVE", "d", "4")
    assert made.session.requests[1].headers == {"x-agent-version": "4"}
    assert made.session.requests[2].headers == {}


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (409, ConflictError), (500, OutcomeUnknownError)])
def test_errors_tell_what_the_remote_said(colour, status, kind):
    task, _ = a_task(answered({"detail": "because"}, status))
    task.title = "new"
    with pytest.raises(kind) as caught:
        colour(task, "save")
    assert (caught.value.status, caught.value.detail) == (status, "because")
    assert task.title == "new"


def test_every_body_is_json_of_ascii(colour):
    task, session = a_task(WIRE)
    task.title = "grün \ud800"
    colour(task, "save")
    assert session.requests[0].content.isascii()
    assert json.loads(session.requests[0].content)["title"] == "grün \ud800"
