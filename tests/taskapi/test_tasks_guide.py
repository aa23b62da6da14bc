"""The snippets of the platform's own guide to its Tasks module run here with nothing but their import line changed."""

import ast
import asyncio
import inspect

import pytest
from tasks_engines import serving

from taskspec import AgentExecutionStatus, Task, Tasks, TasksListItem

IMPORT = "from taskspec import Tasks"

CREATE_AND_MANAGE = f"""
{IMPORT}

# Initialize the Tasks module
tasks = Tasks(configuration=config)

# Create a new task for an agent
new_task = await tasks.acreate(
    agent_id="agent123",
    prompt="Analyze the sales data",
    file_urls=["https://example.com/data.csv"],
)

# List all tasks for a specific agent
task_list = await tasks.alist(agent_id="agent123")
for task in task_list:
    print(f"Task ID: {{task.id}}, Status: {{task.status}}")
"""

RETRIEVE_AND_UPDATE = """
# Retrieve a specific task
specific_task = await tasks.aget(task_id="task456")

# Update task status
# Note: aset_status is an asynchronous function
await specific_task.aset_status(AgentExecutionStatus.Completed)
# Note: asave is an asynchronous function
await specific_task.asave()
"""

STREAM = """
# Create a task with event streaming enabled
new_task = await tasks.acreate(
    agent_id="agent123",
    prompt="Analyze the sales data",
    events_streaming=True  # Enable event streaming
)

# Stream task events asynchronously
# Note: aevents is an asynchronous generator function
async for event in new_task.aevents():
    print(f"Event Type: {event.type}")
    print(f"Event Data: {event.data}")

# Stream task events synchronously (for non-async environments)
for event in new_task.events():
    print(f"Event: {event}")
"""


@pytest.fixture
def config(tmp_path):
    with serving(tmp_path) as configuration:
        Task.report_external_task(id="task456", agent_id="agent123", result="told", configuration=configuration)
        yield configuration


def run(names, *snippets):
    async def run_all():
        for snippet in snippets:
            code = compile(snippet, "guide", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            waiting = eval(code, names)
            if inspect.iscoroutine(waiting):
                await waiting

    asyncio.run(run_all())
    return names


def test_tasks_are_created_and_managed(config, capsys):
    names = run({"config": config}, CREATE_AND_MANAGE)
    assert isinstance(names["new_task"], Task)
    assert all(isinstance(item, TasksListItem) for item in names["task_list"])
    assert {item.id for item in names["task_list"]} == {names["new_task"].id, "task456"}
    assert "Task ID: task456, Status: completed" in capsys.readouterr().out
    names["tasks"].close()


def test_a_task_is_retrieved_and_updated(config):
    names = run(
        {"config": config, "tasks": Tasks(configuration=config), "AgentExecutionStatus": AgentExecutionStatus},
        RETRIEVE_AND_UPDATE,
    )
    assert names["specific_task"].status is AgentExecutionStatus.Completed
    assert names["specific_task"].result == "told"
    names["tasks"].close()


def test_events_are_streamed_in_both_colours(config, capsys):
    names = run({"tasks": Tasks(configuration=config)}, STREAM)
    told = capsys.readouterr().out.splitlines()
    types = [line.removeprefix("Event Type: ") for line in told if line.startswith("Event Type: ")]
    assert types[0] == "task_created"
    assert types[-1] == "task_finished"
    assert sum(line.startswith("Event Data: ") for line in told) == len(types)
    assert sum(line.startswith("Event: TaskEvent(") for line in told) == len(types)
    names["tasks"].close()


@pytest.mark.parametrize("name", ["create", "list", "get", "update", "stop"])
def test_the_module_has_every_method_of_the_guide_in_both_colours(name):
    assert callable(getattr(Tasks, name))
    assert inspect.iscoroutinefunction(getattr(Tasks, f"a{name}"))


def test_a_task_has_every_property_and_method_of_the_guide(config):
    task = Task.load("task456", configuration=config)
    for name in ("id", "agent_id", "status", "input", "result", "events_streaming"):
        assert hasattr(task, name)
    for name in ("load", "set_status", "save", "stop"):
        assert callable(getattr(task, name))
        assert inspect.iscoroutinefunction(getattr(task, f"a{name}"))
    assert inspect.isasyncgenfunction(Task.aevents)
    assert inspect.isgeneratorfunction(Task.events)
    assert inspect.iscoroutinefunction(TasksListItem.aload)
