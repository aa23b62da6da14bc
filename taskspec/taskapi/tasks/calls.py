"""The calls that only the library makes, one generator function each. Performs no I/O and repeats nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any

from taskspec.errors import ProtocolError, UsageError
from taskspec.taskapi import classifying
from taskspec.taskapi.decoding import task_record
from taskspec.taskapi.encoding import canonical_json
from taskspec.taskapi.endpoints import JSON, update_task
from taskspec.taskapi.flow import Patience, reading, until_sent
from taskspec.taskapi.messages import Call, Request, TooLargeError, exchange, is_unicode, path_of
from taskspec.taskapi.paging import all_rows
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.tasks.checking import whole

Filters = Mapping[str, object] | None
Rows = list[Mapping[str, Any]]
PAGE = 1000
HISTORY = ("agent-execution", "executions", "history")


def agent_history(agent_id: str, filters: Filters, pages: Callable[[], bool]) -> Call[Rows]:
    """List the tasks of an agent; `pages` says whether the remote is known to cut lists into pages."""
    request = Request(method="GET", path=path_of(*HISTORY, agent_id), query=tuple(_query(filters)), repeatable=True)
    return _history(request, pages, f"list the tasks of agent `{agent_id}`")


def user_history(user_id: str, filters: Filters, pages: Callable[[], bool]) -> Call[Rows]:
    """List the tasks of a user; `pages` as in `agent_history`."""
    path = path_of(*HISTORY, "user", user_id)
    request = Request(method="GET", path=path, query=tuple(_query(filters)), repeatable=True)
    return _history(request, pages, f"list the tasks of user `{user_id}`")


@reading
def activity_thread(agent_id: str, task_id: str) -> Call[Mapping[str, Any]]:
    """Read a task's activity log: an object whose `messages` are a list."""
    asking = f"read the activity log of task `{task_id}`"
    request = Request(method="GET", path=path_of("activity", agent_id, task_id), repeatable=True)
    wire = classifying.payload((yield from exchange(request)), asking)
    if not isinstance(wire, Mapping) or not isinstance(wire.get("messages"), list):
        raise ProtocolError(f"The remote's answer to the request to {asking} has no messages.")
    return wire


def change_task(task_id: str, fields: Mapping[str, Any]) -> Call[TaskRecord]:
    """Change the given fields of a task (wire names), and return the task as it is then."""
    record = yield from update_task(task_id, fields)
    if record.id != task_id:
        raise ProtocolError(f"The remote answered the request to update task `{task_id}` with something else.")
    return record


def report_task(agent_id: str, report: Mapping[str, Any], patience: Patience) -> Call[TaskRecord]:
    """Report a task that was executed elsewhere; the same `id` again updates the same task.

    A report without an `id` is sent again only where it never left, so that there is one task of it at most.
    """
    asking = f"take a report for agent `{agent_id}`"
    request = Request(
        method="POST",
        path=path_of("agent-execution", agent_id, "report_task"),
        headers=JSON,
        content=canonical_json(report),
        repeatable=report["id"] is not None,
    )
    record = task_record(classifying.payload((yield from until_sent(request, patience)), asking), agent_id)
    if not record.id:
        raise ProtocolError(f"The remote accepted the request to {asking}, but its answer has no task id.")
    return record


def report_metrics(agent_id: str, metrics: Mapping[str, Any], patience: Patience) -> Call[None]:
    """Tell what an execution used; sent again only where it never left, so that nothing is counted twice."""
    request = Request(
        method="POST",
        path=path_of("agents-metrics", agent_id, "execution"),
        headers=JSON,
        content=canonical_json(metrics),
    )
    response = yield from until_sent(request, patience)
    classifying.require_success(response, f"take the metrics of task `{metrics['execution_id']}`")


@reading
def _history(request: Request, pages: Callable[[], bool], asking: str) -> Call[Rows]:
    """Return the rows of all pages, each id once; a row without an id is an error, so that none is lost silently."""
    rows = yield from _rows(request, pages, asking)
    once: dict[str, Mapping[str, Any]] = {}
    for place, row in enumerate(rows, 1):
        task_id = row.get("id") if isinstance(row, Mapping) else None
        if not isinstance(task_id, str) or not task_id:
            raise ProtocolError(
                f"Row {place} of {len(rows)} in the remote's answer to the request to {asking} has no id.",
                hint="Check that the remote's base URL leads to the task API.",
            )
        once[task_id] = row
    return list(once.values())


def _rows(request: Request, pages: Callable[[], bool], asking: str) -> Call[list[Any]]:
    """Ask for pages where the remote has said that it has them, for what else it does with the word is not known.

    Where it has said nothing yet, a list that is too large for one answer says it too.
    """
    names = {name for name, _ in request.query}
    paged = request if "per_page" in names else replace(request, query=(*request.query, ("per_page", str(PAGE))))
    asked = paged if pages() else request
    try:
        return (yield from all_rows(asked, asking))
    except TooLargeError:
        if asked is paged or not pages():
            raise
        return (yield from all_rows(paged, asking))


def _query(filters: object) -> Iterable[tuple[str, str]]:
    if filters is None:
        return
    if not isinstance(filters, Mapping):
        raise UsageError("`filters` must be a dictionary of names and values.")
    for name, value in filters.items():
        if not isinstance(name, str) or not name or not is_unicode(name):
            raise UsageError("`filters` holds a name that is not text.")
        several = value if isinstance(value, list | tuple) else [value]
        yield from ((name, _filter_text(name, item)) for item in several if item is not None)


def _filter_text(name: str, value: object) -> str:
    match value:
        case Enum():
            return _filter_text(name, value.value)
        case bool():
            return "true" if value else "false"
        case str() if not is_unicode(value):
            raise UsageError(f"The filter `{name}` holds characters that cannot be sent.")
        case int():
            return str(whole(name, value))
        case str() | float():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            raise UsageError(
                f"The filter `{name}` holds a {type(value).__name__}.",
                hint="Give text, a number, True or False, a status, a datetime, or a list of these.",
            )
