"""Both colours look to a caller, and to tools, as if they had been written by hand."""

import inspect
import subprocess
import sys
import typing

import pytest

import taskspec
from taskspec import ActivityLog, Agents, Task, Tasks, TasksListItem

PAIRS = [
    *((Tasks, name) for name in ("create", "get", "update", "stop", "list", "list_user_tasks")),
    *((Task, name) for name in ("load", "reload", "save", "set_status", "stop", "get_activity_log", "report_metrics")),
    (Task, "report_external_task"),
    (TasksListItem, "load"),
    *((Agents, name) for name in ("list", "get")),
]


@pytest.mark.parametrize(("owner", "name"), PAIRS)
def test_a_pair_differs_in_its_colour_alone(owner, name):
    blocking, waiting = getattr(owner, name), getattr(owner, "a" + name)
    assert inspect.iscoroutinefunction(waiting)
    assert not inspect.iscoroutinefunction(blocking)
    assert inspect.signature(blocking) == inspect.signature(waiting)
    assert (blocking.__name__, waiting.__name__) == (name, "a" + name)
    assert blocking.__doc__ == waiting.__doc__
    assert blocking.__doc__.splitlines()[0].endswith((".", ":"))
    assert blocking.__module__ == waiting.__module__


def test_a_signature_shows_what_the_caller_gets():
    assert inspect.signature(Tasks.get).return_annotation is Task
    assert inspect.signature(Tasks.alist).return_annotation == list[TasksListItem]
    assert inspect.signature(TasksListItem.aload).return_annotation is Task
    assert inspect.signature(Task.get_activity_log).return_annotation is ActivityLog
    assert inspect.signature(Task.load).return_annotation == "Task"
    assert list(inspect.signature(Task.load).parameters) == ["task_id", "configuration"]
    assert Tasks.aget.__qualname__ == "Tasks.aget"
    assert typing.get_type_hints(Tasks.create)["return"] is Task


def test_the_arguments_of_create_stand_in_the_vendors_order():
    assert list(inspect.signature(Tasks.acreate).parameters) == [
        *("self", "agent_id", "existing_task_id", "prompt", "file_urls", "user_details", "principal"),
        *("agent_version", "tool_call_payload_extension", "source", "worker_id", "run_locally", "output_format"),
        *("output_schema", "events_streaming", "additional_context", "instructions_override", "test_run_node_id"),
        *("user_oidc_token", "expected_output", "mcp_servers", "triggering_agent_id", "title", "think_mode"),
        *("disable_attachment_injection", "return_metrics", "user_tokens", "llm_model_provider", "llm_model_name"),
        *("llm_reasoning_effort", "harness_cli", "tool_call_limit", "attachments", "permission_mode"),
        "idempotency_key",
    ]


def test_every_public_name_is_there_and_none_is_loaded_before_its_use():
    for name in taskspec.__all__:
        assert getattr(taskspec, name).__name__ == name
        assert name in dir(taskspec)
    assert set(dir(taskspec)) == {*taskspec.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = taskspec.Nothing
    program = "import sys, taskspec; print([m for m in sys.modules if m.startswith(('taskspec.', 'asyncio', 'http'))])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_the_library_loads_no_http_library_before_its_first_call():
    program = (
        "import sys; from taskspec import Tasks, Configuration; Tasks(Configuration(api_key='k' * 20)).close();"
        "print([m for m in ('httpx', 'aiohttp', 'ssl') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
