"""The calls of the task API, one generator function each. Performs no I/O and repeats nothing.

Paths and shapes: docs/protocol.md. Every call may raise the errors under RemoteError.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taskspec.errors import OutcomeUnknownError, ProtocolError, RemoteError, UnreachableError, UsageError
from taskspec.taskapi import classifying
from taskspec.taskapi.decoding import agent_record, task_record
from taskspec.taskapi.encoding import canonical_json, create_body
from taskspec.taskapi.flow import reading
from taskspec.taskapi.messages import READ_TIMEOUT, Call, ClosedError, Request, exchange, is_sendable, path_of
from taskspec.taskapi.paging import all_rows
from taskspec.taskapi.records import AgentRecord, NewTask, TaskRecord
from taskspec.taskapi.remotes import capabilities_of

__all__ = [
    "Greeting",
    "activity_log",
    "create_body",
    "create_task",
    "get_agent",
    "get_task",
    "greet",
    "list_agents",
    "list_tasks",
    "stop_task",
    "update_task",
    "upload_file",
]

CREATE_TIMEOUT = 60.0
UPLOAD_BYTES_PER_SECOND = 1_000_000
JSON = {"content-type": "application/json"}


@reading
def list_tasks(agent_id: str, *, status: str | None = None, per_page: int | None = 1000) -> Call[list[TaskRecord]]:
    """List all tasks of an agent, page by page, each id once; `per_page` None asks for no pages.

    A row that cannot be read is kept: without an id, and with the status `unknown`.
    """
    query = (("status", status), ("per_page", None if per_page is None else str(per_page)))
    request = Request(
        method="GET",
        path=path_of("agent-execution", "executions", "history", agent_id),
        query=tuple((name, value) for name, value in query if value is not None),
        repeatable=True,
    )
    rows = yield from all_rows(request, f"list the tasks of agent `{agent_id}`")
    records = [task_record(row, agent_id) for row in rows]
    once = {record.id: record for record in records if record.id}
    return [*once.values(), *(record for record in records if not record.id)]


@reading
def get_task(task_id: str) -> Call[TaskRecord]:
    """Read one task in full."""
    asking = f"read task `{task_id}`"
    request = Request(method="GET", path=path_of("agent-execution", task_id, "status"), repeatable=True)
    response = yield from exchange(request)
    record = task_record(classifying.payload(response, asking))
    if record.id != task_id:
        raise ProtocolError(f"The remote answered the request to {asking} with another task.")
    return record


def create_task(
    agent_id: str, task: NewTask, *, idempotency_key: str, timeout: float = CREATE_TIMEOUT, punctual: bool = False
) -> Call[TaskRecord]:
    """Create a task, once; a `punctual` create leaves within its time-out, or never.

    UnreachableError and RefusedError mean that there is none, OutcomeUnknownError that nobody knows.
    The body is `create_body(task)`, byte for byte. `timeout` is the total time in seconds.
    """
    asking = f"create a task for agent `{agent_id}`"
    if not is_sendable(idempotency_key):
        raise UsageError("The idempotency key holds characters that cannot be sent.", hint="Use visible ASCII.")
    headers = {**JSON, "idempotency-key": idempotency_key}
    if task.agent_version is not None:
        headers["x-agent-version"] = _header_value(task.agent_version)
    request = Request(
        method="POST",
        path=path_of("agent-execution", agent_id),
        headers=headers,
        content=create_body(task),
        timeout=timeout,
        punctual=punctual,
        secrets=task.secrets,
    )
    response = yield from exchange(request)
    if not classifying.is_success(response):
        raise classifying.creation_refusal(response, asking)
    record = task_record(classifying.decoded(response, asking), agent_id)
    if not record.id:
        raise ProtocolError(f"The remote accepted the request to {asking}, but its answer has no task id.")
    return record


def update_task(task_id: str, fields: Mapping[str, Any]) -> Call[TaskRecord]:
    """Change the given fields of a task (wire names) and nothing else."""
    request = Request(
        method="PATCH",
        path=path_of("agent-execution", task_id, "update"),
        headers=JSON,
        content=canonical_json(fields),
        repeatable=True,
    )
    asking = f"update task `{task_id}`"
    record = task_record(classifying.payload((yield from exchange(request)), asking))
    if record.id != task_id:
        raise ProtocolError(f"The remote answered the request to {asking} with another task.")
    return record


def stop_task(task_id: str) -> Call[TaskRecord]:
    """Stop a task and return it as it is then; an ended task stays as it is.

    Once the remote has taken the request, whatever keeps from reading the task is an OutcomeUnknownError.
    """
    asking = f"stop task `{task_id}`"
    request = Request(method="DELETE", path=path_of("agent-execution", task_id), repeatable=True)
    response = yield from exchange(request)
    classifying.require_success(response, asking)
    try:
        record = task_record(classifying.decoded(response, asking))
        if record.id == task_id:
            return record
    except ProtocolError:
        pass
    try:
        return (yield from get_task(task_id))
    except ClosedError as error:
        text = f"The remote was asked to {asking}, and the client was closed before it told more."
        raise OutcomeUnknownError(text, hint="Look at the task's status.") from error
    except RemoteError as error:
        text = f"The remote was asked to stop task `{task_id}`, but the task cannot be read: {error.message}"
        raise OutcomeUnknownError(text, hint=error.hint, status=error.status, detail=error.detail) from error


@reading
def list_agents() -> Call[list[AgentRecord]]:
    """List the agents that the key may use."""
    request = Request(method="GET", path="/agents/list", repeatable=True)
    rows = yield from all_rows(request, "list the agents")
    agents = [agent_record(row) for row in rows if isinstance(row, Mapping)]
    return [agent for agent in agents if agent.id]


@reading
def get_agent(agent_id: str, *, version: str | None = None) -> Call[AgentRecord]:
    """Read one agent; without a version, the one that is deployed."""
    asking = f"read agent `{agent_id}`"
    headers = {} if version is None else {"x-agent-version": _header_value(version)}
    request = Request(method="GET", path=path_of("agents", agent_id), headers=headers, repeatable=True)
    response = yield from exchange(request)
    wire = classifying.payload(response, asking)
    if not isinstance(wire, Mapping) or wire.get("id") != agent_id:
        raise ProtocolError(f"The remote answered the request to {asking} with something else.")
    return agent_record(wire)


@reading
def activity_log(agent_id: str, task_id: str) -> Call[list[Any]]:
    """Return the messages of a task's activity log, as they came."""
    asking = f"read the activity log of task `{task_id}`"
    request = Request(method="GET", path=path_of("activity", agent_id, task_id), repeatable=True)
    wire = classifying.payload((yield from exchange(request)), asking)
    messages = wire.get("messages") if isinstance(wire, Mapping) else None
    if not isinstance(messages, list):
        raise ProtocolError(f"The remote's answer to the request to {asking} has no messages.")
    return messages


def upload_file(sha256: str, content: bytes) -> Call[None]:
    """Make sure that the remote has a file's content, sending it only where it is not there yet."""
    path, asking = path_of("files", sha256), f"take the file with digest {sha256}"
    look = yield from exchange(Request(method="HEAD", path=path, repeatable=True))
    if look.status == 404:
        request = Request(
            method="PUT",
            path=path,
            headers={"content-type": "application/octet-stream"},
            content=content,
            timeout=READ_TIMEOUT + len(content) / UPLOAD_BYTES_PER_SECOND,
            repeatable=True,
        )
        look = yield from exchange(request)
    classifying.require_success(look, asking)


@dataclass(frozen=True, kw_only=True, slots=True)
class Greeting:
    """What a remote says of itself in the headers of its answers."""

    instance: str | None
    capabilities: frozenset[str]
    date: str = ""
    """What time it has, as it writes it; empty where it does not tell."""
    at: float = 0.0
    """When the answer came, in seconds since the epoch."""


@reading
def greet(*, within: float | None = None) -> Call[Greeting]:
    """Ask the remote who it is and what it can; a remote that says nothing can nothing special.

    With `within` it is asked once only, and has so many seconds.
    """
    once = within is not None
    response = yield from exchange(Request(method="GET", path="/agents/list", timeout=within, repeatable=not once))
    classifying.require_success(response, "list the agents")
    said = response.headers.get("taskspec-capabilities", "")
    return Greeting(
        instance=response.headers.get("taskspec-engine") or None,
        capabilities=capabilities_of(said),
        date=response.headers.get("date", ""),
        at=response.at,
    )


def _header_value(version: str) -> str:
    if is_sendable(version):
        return version
    raise UnreachableError("The agent's version holds characters that cannot be sent.", hint="Correct `agentVersion`.")
