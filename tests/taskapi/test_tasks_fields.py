"""How a task is read: tolerantly, completely, and without secrets in what it shows of itself."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from tasks_played import KEY, WIRE, PlayedSession

from taskspec import AgentExecutionStatus, Task, TaskEvent, TaskInput, TasksListItem, Tokens, UsageError, User
from taskspec.taskapi.tasks.fields import FIELDS, READ_ONLY
from taskspec.taskapi.tasks.listing import list_item

WIRE_FIELDS = (
    "id agent_id organization_id input created_at status internal_status last_executed_node_id agent_version "
    "started_at paused_at finished_at result parent_execution conversation_id conversation_kind sub_executions "
    "should_update_parent is_manually_stopped payload_extension execution_kind hitl_request pending_eca_request "
    "source voice_id output_format output_schema events_streaming is_orchestration is_gateway is_app "
    "background_auth_eligible additional_context instructions_override expected_output tool_call_limit "
    "test_run_node_id user_oidc_token triggering_agent_id title mcp_servers think_mode disable_attachment_injection "
    "must_deep_plan return_metrics user_tokens deep_planning execution_attempts llm_model_provider llm_model_name "
    "llm_reasoning_effort harness_cli permission_mode tokens used_tools duration "
)


def read(wire):
    return Task(wire, PlayedSession())


def test_a_task_has_every_field_of_the_wire():
    assert sorted(FIELDS) == sorted(WIRE_FIELDS.split())
    assert set(FIELDS) >= READ_ONLY


def test_a_task_of_an_id_alone_has_the_defaults():
    task = read({"id": "t1"})
    assert task.status == "unknown"
    assert task.input == TaskInput()
    assert (task.agent_id, task.organization_id, task.created_at, task.result) == ("", "", None, None)
    assert (task.think_mode, task.execution_attempts, task.duration) == ("default", 1, 0.0)
    assert (task.mcp_servers, task.used_tools, task.events_streaming, task.tokens) == ([], [], False, None)


@pytest.mark.parametrize("junk", [7, True, "text", ["x"], {"a": 1}, [None], None, -1, 1.5])
def test_no_value_of_any_kind_prevents_reading(junk):
    wire = dict.fromkeys(FIELDS, junk) | {"id": "t1", "extra": junk}
    task = read(wire)
    assert task.raw == wire
    assert task.id == "t1"
    repr(task)


@pytest.mark.parametrize("status", list(AgentExecutionStatus))
def test_a_known_status_is_a_member(status):
    assert read(WIRE | {"status": status.value}).status is status


def test_an_unknown_status_is_kept_as_its_text():
    assert read(WIRE | {"status": "meditating"}).status == "meditating"


@pytest.mark.parametrize(("came", "text"), [({"a": 1}, '{"a": 1}'), (7, "7"), (None, None), ("x", "x"), ("", "")])
def test_a_result_is_text(came, text):
    assert read(WIRE | {"result": came}).result == text


@pytest.mark.parametrize(
    ("came", "time"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.5", datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        (1767225600, datetime(2026, 1, 1, tzinfo=UTC)),
        (1e30, None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_are_aware(came, time):
    task = read(WIRE | {"finished_at": came})
    assert task.finished_at == time
    assert time is None or task.finished_at.tzinfo is not None


def test_an_input_is_read_with_its_user():
    user = {"email": "e@x", "id": "u", "additional_attributes": {"a": 1}, "timezone": 5, "display_name": "E"}
    task = read(WIRE | {"input": {"text": "p", "files": ["f"], "user": user, "attachments": [{"url": "f"}]}})
    assert task.input == TaskInput(
        text="p",
        files=["f"],
        attachments=[{"url": "f"}],
        user=User(email="e@x", id="u", additional_attributes={"a": 1}),
    )


def test_tokens_count_the_prompt_and_the_completion():
    task = read(WIRE | {"tokens": {"prompt_tokens": 3, "completion_tokens": 4, "cache_read_tokens": "many"}})
    assert task.tokens == Tokens(prompt_tokens=3, completion_tokens=4)
    assert task.tokens.total_tokens == 7


def test_a_deeply_nested_value_does_not_prevent_reading():
    deep = {}
    for _ in range(5000):
        deep = {"a": deep}
    task = read(WIRE | {"payload_extension": deep, "result": deep})
    assert task.payload_extension is None


def test_changing_a_task_does_not_change_what_came():
    task = read(WIRE | {"payload_extension": {"a": [1]}, "mcp_servers": [{"headers": {"k": "v"}}]})
    task.payload_extension["a"].append(2)
    task.mcp_servers[0]["headers"]["k"] = "w"
    assert task.raw["payload_extension"] == {"a": [1]}
    assert task.raw["mcp_servers"] == [{"headers": {"k": "v"}}]


def test_a_task_shows_itself_briefly_and_without_secrets():
    secrets = {"user_tokens": {"k": KEY}, "user_oidc_token": KEY, "mcp_servers": [{"headers": {"x": KEY}}]}
    task = read(WIRE | secrets)
    assert repr(task) == "Task(id='t1', agent_id='a1', status='pending', title='old')"
    shown = f"{task} {task._session} {vars(task)['_session'].configuration}"
    assert KEY not in shown
    assert KEY not in repr(list_item(WIRE | secrets, "a1", task._session))


def test_an_event_shows_itself_briefly_and_without_secrets():
    told = TaskEvent(type="chunk", task_id="t1", time=datetime(2026, 1, 1, tzinfo=UTC), data="x" * 1000)
    assert len(str(told)) < 400
    unread = TaskEvent(type="task_updated", task_id="t1", time=None, data={"user_oidc_token": KEY})
    assert str(unread) == "TaskEvent(type='task_updated', task_id='t1', time=None, data=<dict>)"
    whole = TaskEvent(type="task_finished", task_id="t1", time=None, data=read(WIRE | {"user_oidc_token": KEY}))
    assert KEY not in str(whole)
    assert whole.task is whole.data
    assert told.task is None


def test_tasks_are_equal_only_to_themselves_and_items_by_what_they_say():
    session = PlayedSession()
    assert read(WIRE) != read(WIRE)
    assert len({read(WIRE), read(WIRE)}) == 2
    one, other = list_item(WIRE, "a1", session), list_item(WIRE, "a1", PlayedSession())
    assert one == other
    assert len({one, other}) == 1
    assert isinstance(one, TasksListItem)


def test_a_copy_has_its_own_fields_and_the_same_session():
    task = read(WIRE | {"payload_extension": {"a": 1}})
    twin = copy.deepcopy(task)
    twin.payload_extension["a"] = 2
    assert task.payload_extension == {"a": 1}
    assert twin._session is task._session
    assert copy.copy(task).id == "t1"


def test_a_task_cannot_be_pickled_with_its_connections():
    with pytest.raises(UsageError, match="pickled"):
        pickle.dumps(read(WIRE))
