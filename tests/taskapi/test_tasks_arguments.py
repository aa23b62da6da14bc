"""Wrong arguments: each is refused before anything is sent, with a sentence that names it and hides its value."""

import pytest
from tasks_played import BLOCKING, KEY, WAITING, WIRE, PlayedSession, client

from taskspec import Agents, Configuration, MissingSecretError, Task, Tasks, Tokens, UsageError, User

SECRET = "never-show-this"
CIRCLE = {}
CIRCLE["self"] = CIRCLE


@pytest.mark.parametrize("colour", [BLOCKING, WAITING], ids=["blocking", "waiting"])
@pytest.mark.parametrize(
    ("call", "arguments", "named"),
    [
        ("get", {"task_id": ""}, "task_id"),
        ("get", {"task_id": " "}, "task_id"),
        ("get", {"task_id": None}, "task_id"),
        ("get", {"task_id": 7}, "task_id"),
        ("get", {"task_id": ".."}, "task_id"),
        ("stop", {"task_id": None}, "task_id"),
        ("list", {"agent_id": ""}, "agent_id"),
        ("list", {"agent_id": "a", "filters": "status=failed"}, "filters"),
        ("list", {"agent_id": "a", "filters": {"status": {SECRET}}}, "status"),
        ("list", {"agent_id": "a", "filters": {7: "x"}}, "filters"),
        ("list_user_tasks", {"user_id": None}, "user_id"),
        ("update", {"task_id": "t", "status": 5}, "status"),
        ("update", {"task_id": "t", "result": {"a": SECRET}}, "result"),
        ("update", {"task_id": "t", "tool_call_payload_extension": [SECRET]}, "tool_call_payload_extension"),
        ("create", {"agent_id": None}, "agent_id"),
        ("create", {"agent_id": "a", "prompt": 5}, "prompt"),
        ("create", {"agent_id": "a", "prompt": ["hello"]}, "prompt"),
        ("create", {"agent_id": "a", "file_urls": SECRET}, "file_urls"),
        ("create", {"agent_id": "a", "file_urls": [1]}, "file_urls"),
        ("create", {"agent_id": "a", "file_urls": [""]}, "file_urls"),
        ("create", {"agent_id": "a", "file_urls": 5}, "file_urls"),
        ("create", {"agent_id": "a", "existing_task_id": ""}, "existing_task_id"),
        ("create", {"agent_id": "a", "user_details": {"id": SECRET}}, "user_details"),
        ("create", {"agent_id": "a", "user_details": SECRET}, "user_details"),
        ("create", {"agent_id": "a", "user_details": User(email=" ")}, "email"),
        ("create", {"agent_id": "a", "user_details": User(email="e", id=5)}, "id"),
        ("create", {"agent_id": "a", "principal": "user"}, "principal"),
        ("create", {"agent_id": "a", "agent_version": "1\r\nx-api-key: other"}, "agent_version"),
        ("create", {"agent_id": "a", "agent_version": 3}, "agent_version"),
        (
            "create",
            {"agent_id": "a", "tool_call_payload_extension": {"x": float("nan")}},
            "tool_call_payload_extension",
        ),
        ("create", {"agent_id": "a", "tool_call_payload_extension": {"x": {SECRET}}}, "tool_call_payload_extension"),
        ("create", {"agent_id": "a", "tool_call_payload_extension": {1: 2}}, "tool_call_payload_extension"),
        ("create", {"agent_id": "a", "tool_call_payload_extension": CIRCLE}, "tool_call_payload_extension"),
        ("create", {"agent_id": "a", "output_schema": "{}"}, "output_schema"),
        ("create", {"agent_id": "a", "output_format": 5}, "output_format"),
        ("create", {"agent_id": "a", "events_streaming": "no"}, "events_streaming"),
        ("create", {"agent_id": "a", "run_locally": 1}, "run_locally"),
        ("create", {"agent_id": "a", "mcp_servers": {"url": SECRET}}, "mcp_servers"),
        ("create", {"agent_id": "a", "mcp_servers": [SECRET]}, "mcp_servers"),
        ("create", {"agent_id": "a", "user_tokens": SECRET}, "user_tokens"),
        ("create", {"agent_id": "a", "user_oidc_token": b"x"}, "user_oidc_token"),
        ("create", {"agent_id": "a", "tool_call_limit": "5"}, "tool_call_limit"),
        ("create", {"agent_id": "a", "tool_call_limit": True}, "tool_call_limit"),
        ("create", {"agent_id": "a", "attachments": ["https://x"]}, "attachments"),
        ("create", {"agent_id": "a", "idempotency_key": ""}, "idempotency_key"),
        ("create", {"agent_id": "a", "idempotency_key": "schlüssel"}, "idempotency_key"),
        ("create", {"agent_id": "a", "idempotency_key": f" {SECRET}"}, "idempotency_key"),
        ("create", {"agent_id": "a", "idempotency_key": f"{SECRET} "}, "idempotency_key"),
        ("create", {"agent_id": "a", "agent_version": f"{SECRET} "}, "agent_version"),
        ("create", {"agent_id": "a", "file_urls": [SECRET]}, "file_urls"),
        ("create", {"agent_id": "a", "file_urls": ["https://x/y", "file:///etc/passwd"]}, "file_urls"),
        ("create", {"agent_id": "a", "title": 5}, "title"),
        ("create", {"agent_id": "a", "think_mode": 5}, "think_mode"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_sent(colour, call, arguments, named):
    made = client(Tasks)
    with pytest.raises(UsageError, match=f"`{named}`") as caught:
        colour(made.client, call, **arguments)
    assert made.session.requests == []
    assert SECRET not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("colour", [BLOCKING, WAITING], ids=["blocking", "waiting"])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"agent_id": None}, "agent_id"),
        ({"agent_id": "a", "id": ""}, "id"),
        ({"agent_id": "a", "input": {"text": "x"}}, "input"),
        ({"agent_id": "a", "tokens": {"prompt_tokens": 1}}, "tokens"),
        ({"agent_id": "a", "tokens": Tokens(prompt_tokens=-1)}, "prompt_tokens"),
        ({"agent_id": "a", "is_success": "yes"}, "is_success"),
        ({"agent_id": "a", "result": 5}, "result"),
        ({"agent_id": "a", "duration": "long"}, "duration"),
        ({"agent_id": "a", "used_tools": "tool"}, "used_tools"),
        ({"agent_id": "a", "llm_response": {1}}, "llm_response"),
    ],
)
def test_a_wrong_report_is_refused(colour, arguments, named):
    session = PlayedSession()
    session.configuration.__dict__["_session"] = session
    with pytest.raises(UsageError, match=f"`{named}`"):
        colour(Task, "report_external_task", session.configuration, **arguments)
    assert session.requests == []


@pytest.mark.parametrize("given", [{"api_key": KEY}, "https://x", 5])
def test_a_configuration_is_a_configuration(given):
    for use in (Tasks, Agents, lambda given: Task.load("t", configuration=given)):
        with pytest.raises(UsageError, match="`configuration`"):
            use(given)


def test_a_status_of_the_wrong_type_is_not_set():
    task = Task(WIRE, PlayedSession())
    for status in (None, 5, ""):
        with pytest.raises(UsageError, match="`status`"):
            task.set_status(status)
    with pytest.raises(UsageError, match="`result`"):
        task.set_status("completed", result={"a": 1})


def test_an_agent_must_be_named_somewhere():
    with pytest.raises(UsageError, match="`agent_id`") as caught:
        client(Agents).client.get()
    assert "XPANDER_AGENT_ID" in caught.value.hint
    for version in ("", "1 ", "1\n", True, 1.5):
        with pytest.raises(UsageError, match="`version`"):
            client(Agents).client.get("a", version=version)


def test_without_a_key_there_is_no_client(monkeypatch):
    monkeypatch.delenv("XPANDER_API_KEY", raising=False)
    for use in (Tasks, Agents, lambda: Task.load("t")):
        with pytest.raises(MissingSecretError) as caught:
            use()
        assert "XPANDER_API_KEY" in caught.value.hint
    assert Configuration().api_key is None
