"""The rows of the remote's lists of tasks: summaries, from each of which the whole task can be loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskspec.taskapi import endpoints
from taskspec.taskapi.messages import Call
from taskspec.taskapi.pairing import Errand, paired_errand
from taskspec.taskapi.records import AgentExecutionStatus
from taskspec.taskapi.tasks.configuration import Configuration
from taskspec.taskapi.tasks.fields import read_result, read_status
from taskspec.taskapi.tasks.sessions import Session
from taskspec.taskapi.tasks.sharing import shared_session
from taskspec.taskapi.tasks.task import Task
from taskspec.taskapi.tasks.values import read_object, read_time


@dataclass(frozen=True, kw_only=True)
class TasksListItem:
    """A task as a list shows it: a summary, of which most may be missing. Times are aware."""

    id: str
    agent_id: str
    organization_id: str
    status: AgentExecutionStatus | str
    """A status that is not known is kept as its text."""
    title: str | None
    result: str | None
    created_at: datetime | None
    updated_at: datetime | None
    user_id: str | None
    parent_task_id: str | None
    triggering_agent_id: str | None
    source_node_type: str | None
    execution_kind: str | None
    conversation_kind: str | None
    process: dict[str, Any] | None = field(hash=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The row as it came."""
    _session: Session = field(repr=False, compare=False)

    def _load(self, configuration: Configuration | None = None) -> Errand[Task]:
        """Read the whole task, with the list's own configuration where no other one is given."""
        session = self._session if configuration is None else shared_session(configuration)
        return session, self._read(session)

    load, aload = paired_errand(_load)

    def _read(self, session: Session) -> Call[Task]:
        record = yield from endpoints.get_task(self.id)
        return Task(record.raw, session)


def list_item(row: Mapping[str, Any], agent_id: str, session: Session) -> TasksListItem:
    """Return the item of a row that has an id; what else cannot be read is None."""

    def told(name: str) -> str | None:
        value = row.get(name)
        return value if isinstance(value, str) else None

    return TasksListItem(
        id=row["id"],
        agent_id=told("agent_id") or agent_id,
        organization_id=told("organization_id") or "",
        status=read_status(row.get("status")),
        title=told("title"),
        result=read_result(row.get("result")),
        created_at=read_time(row.get("created_at")),
        updated_at=read_time(row.get("updated_at")),
        user_id=told("user_id"),
        parent_task_id=told("parent_task_id"),
        triggering_agent_id=told("triggering_agent_id"),
        source_node_type=told("source_node_type"),
        execution_kind=told("execution_kind"),
        conversation_kind=told("conversation_kind"),
        process=read_object(row.get("process")),
        raw=row,
        _session=session,
    )
