"""The types of the public API in both colours. Never run: only type checkers read it."""

from collections.abc import AsyncGenerator, Generator
from datetime import datetime
from enum import Enum
from typing import Any, assert_type

from taskspec import (
    ActivityLog,
    Agent,
    AgentExecutionStatus,
    Agents,
    Configuration,
    RateLimitedError,
    RemoteError,
    Task,
    TaskEvent,
    TaskInput,
    Tasks,
    TasksListItem,
    Tokens,
    User,
)


class Format(str, Enum):  # noqa: UP042 - as the vendor's are
    """An enum of another package."""

    JSON = "json"


def blocking(configuration: Configuration) -> None:
    with Tasks(configuration=configuration) as tasks:
        assert_type(tasks, Tasks)
        assert_type(tasks.create("a", prompt="p", file_urls=["u"], user_details=User(email="e")), Task)
        assert_type(tasks.create(agent_id="a", existing_task_id="t", idempotency_key="k"), Task)
        assert_type(tasks.get("t"), Task)
        assert_type(tasks.get(task_id="t"), Task)
        assert_type(tasks.list("a", {"status": AgentExecutionStatus.Failed}), list[TasksListItem])
        assert_type(tasks.list_user_tasks(user_id="u", filters=None), list[TasksListItem])
        assert_type(tasks.update("t", status=AgentExecutionStatus.Completed, result="r"), Task)
        assert_type(tasks.stop("t"), Task)
        assert_type(tasks.list("a")[0].load(), Task)
        assert_type(tasks.list("a")[0].load(configuration=configuration), Task)
        assert_type(tasks.configuration, Configuration)
        tasks.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        tasks.get(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert_type(tasks.create("a", output_format="json", think_mode=None, llm_reasoning_effort="low"), Task)
        assert_type(tasks.create("a", output_format=Format.JSON), Task)
        tasks.create("a", output_format="html")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        tasks.create("a", colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def waiting(configuration: Configuration) -> None:
    async with Tasks(configuration) as tasks:
        assert_type(tasks, Tasks)
        assert_type(await tasks.acreate("a", prompt="p", events_streaming=True), Task)
        assert_type(await tasks.aget("t"), Task)
        assert_type(await tasks.alist("a", filters={"user_id": "u"}), list[TasksListItem])
        assert_type(await tasks.alist_user_tasks("u"), list[TasksListItem])
        assert_type(await tasks.aupdate("t", source="s"), Task)
        assert_type(await tasks.astop(task_id="t"), Task)
        assert_type(await (await tasks.alist("a"))[0].aload(), Task)
        await tasks.aget()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        await tasks.aget(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_task(task: Task, configuration: Configuration) -> None:
    assert_type(Task.load("t"), Task)
    assert_type(Task.load(task_id="t", configuration=configuration), Task)
    assert_type(Task.report_external_task(agent_id="a", id="t", tokens=Tokens(prompt_tokens=1)), Task)
    assert_type(task.reload(), Task)
    assert_type(task.save(with_deep_plan_update=True), Task)
    assert_type(task.set_status(AgentExecutionStatus.Completed), Task)
    assert_type(task.set_status("completed", result=None), Task)
    assert_type(task.stop(), Task)
    assert_type(task.events(), Generator[TaskEvent, None, None])
    assert_type(task.get_activity_log(), ActivityLog)
    assert_type(task.id, str)
    assert_type(task.status, AgentExecutionStatus | str)
    assert_type(task.input, TaskInput)
    assert_type(task.result, str | None)
    assert_type(task.finished_at, datetime | None)
    assert_type(task.tokens, Tokens | None)
    assert_type(task.payload_extension, dict[str, Any] | None)
    Task.load()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    task.set_status()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    task.report_metrics(configuration)


async def a_task_waiting(task: Task, configuration: Configuration) -> None:
    assert_type(await Task.aload("t", configuration=configuration), Task)
    assert_type(await Task.areport_external_task(configuration, "a", result="r"), Task)
    assert_type(await task.areload(), Task)
    assert_type(await task.asave(), Task)
    assert_type(await task.aset_status(AgentExecutionStatus.Completed), Task)
    assert_type(await task.astop(), Task)
    assert_type(task.aevents(), AsyncGenerator[TaskEvent, None])
    assert_type(await task.aget_activity_log(), ActivityLog)
    await task.areport_metrics()
    await Task.aload()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def an_event(event: TaskEvent) -> None:
    assert_type(event.type, str)
    assert_type(event.time, datetime | None)
    assert_type(event.task, Task | None)


async def agents(configuration: Configuration) -> None:
    async with Agents(configuration) as found:
        assert_type(await found.alist(), list[Agent])
        assert_type(await found.aget("a", version="2"), Agent)
        assert_type(found.list(), list[Agent])
        assert_type(found.get(), Agent)
        assert_type(found.get().version, str | None)


def errors(error: RemoteError) -> None:
    assert_type(error.status, int | None)
    assert_type(error.detail, str)
    if isinstance(error, RateLimitedError):
        assert_type(error.retry_after, float | None)
