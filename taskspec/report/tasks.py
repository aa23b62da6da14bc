"""Tasks of the remote in words: the lines of `taskspec tasks`, and what of an answer may be shown. Asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from taskspec.report.exiting import ExitCode
from taskspec.report.fitting import cut, fitted
from taskspec.report.text import Paint, columns, duration, in_line, indented, one_line
from taskspec.taskapi.decoding import task_record
from taskspec.taskapi.records import AgentExecutionStatus as Status

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.listing import TasksListItem
    from taskspec.taskapi.tasks.task import Task

HIDDEN = "(not shown)"
"""Stands for a value that may be a secret."""
_SECRET = frozenset({"user_tokens", "user_oidc_token", "headers", "configuration", "api_key"})
_SERVERS = "mcp_servers"
_OF_A_SERVER = frozenset({"name", "type"})
_DEEPEST = 100
"""A remote's answer is not shown below this depth: it could exhaust the stack."""
_STYLES = {
    Status.Completed: "good",
    Status.Executing: "accent",
    Status.Paused: "warning",
    Status.Error: "error",
    Status.Failed: "error",
    Status.Stopped: "error",
}
_ENDED_BADLY = frozenset({Status.Error, Status.Failed, Status.Stopped})


def of_status(status: str) -> ExitCode:
    """Return the exit code of a command that has followed a task to this status."""
    if status == Status.Completed:
        return ExitCode.OK
    if status in _ENDED_BADLY:
        return ExitCode.UNHEALTHY
    return ExitCode.NEEDS_INPUT if status == Status.Paused else ExitCode.UNKNOWN


def without_secrets(value: Any, depth: int = 0) -> Any:
    """Return JSON with what may be a secret left out: tokens of users, headers, and all of a server but its name."""
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _shown(key, inner, depth + 1) for key, inner in value.items()}
    return [without_secrets(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def list_lines(rows: "Sequence[TasksListItem]", paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of `tasks list`; with a width, titles are cut so that each row fits into it."""
    if not rows:
        yield "No task was found."
        return
    table = [("ID", "AGENT", "STATUS", "CREATED", "TITLE")]
    table += [
        (
            in_line(row.id),
            in_line(row.agent_id),
            in_line(row.status),
            _time(row.created_at),
            one_line(row.title or ""),
        )
        for row in rows
    ]
    first, *lines = columns(fitted(table, width, cut("TITLE")))
    yield paint(first, "dim")
    for line, row in zip(lines, rows, strict=True):
        status = in_line(row.status)
        yield line.replace(f"  {status}  ", f"  {painted(row.status, paint)}  ", 1)


def task_lines(task: "Task", paint: Paint) -> Iterator[str]:
    """Yield a task as a person wants to see it: what it is, how it stands, what was asked, what came of it."""
    facts = [(name, text) for name, text in _facts(task, paint) if text]
    for line, (name, _) in zip(columns(facts), facts, strict=True):
        yield paint(name, "dim") + line.removeprefix(name)
    if task.input.text:
        yield paint("prompt", "dim")
        yield indented(task.input.text, 2)
    if task.result:
        yield paint("result", "dim")
        yield indented(task.result, 2)


def standing_line(task: "Task", paint: Paint) -> str:
    """Return one line on how a task stands."""
    waits = task_record(task.raw).waits_for if task.status == Status.Paused else None
    waiting = f", waits for {one_line(waits)}" if waits else ""
    return f"Task {in_line(task.id)} of agent {in_line(task.agent_id)}: {painted(task.status, paint)}{waiting}."


def painted(status: str, paint: Paint) -> str:
    """Return a status in its colour; one that is not known stays as it came."""
    style = next((style for known, style in _STYLES.items() if known == status), None)
    return paint(in_line(status), style) if style else in_line(status)


def _facts(task: "Task", paint: Paint) -> Iterator[tuple[str, str]]:
    yield "id", in_line(task.id)
    yield "agent", in_line(task.agent_id) + (f" (version {in_line(task.agent_version)})" if task.agent_version else "")
    yield "title", one_line(task.title or "")
    yield "status", painted(task.status, paint)
    yield "detail", one_line(task.internal_status or "")
    yield "waits for", one_line(task_record(task.raw).waits_for or "")
    yield "source", one_line(task.source or "")
    yield "created", _time(task.created_at)
    yield "started", _time(task.started_at)
    yield "finished", _time(task.finished_at) + _took(task.started_at, task.finished_at)
    for number, file in enumerate(task.input.files):
        yield ("" if number else "files"), one_line(file)


def _shown(key: str, value: Any, depth: int) -> Any:
    if key in _SECRET:
        return HIDDEN if value else value
    if key == _SERVERS and isinstance(value, list):
        return [_server(server) for server in value]
    return without_secrets(value, depth)


def _server(server: Any) -> Any:
    if not isinstance(server, Mapping):
        return HIDDEN
    return {key: value if key in _OF_A_SERVER and isinstance(value, str) else HIDDEN for key, value in server.items()}


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _took(began: datetime | None, ended: datetime | None) -> str:
    return f" (after {duration((ended - began).total_seconds())})" if began and ended and ended >= began else ""
