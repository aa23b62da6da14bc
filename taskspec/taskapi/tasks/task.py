"""One task: what it is, and what can be asked of it. A `Task` is mutable; what was changed is sent by `save`."""

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from enum import Enum
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi import endpoints
from taskspec.taskapi.messages import Call
from taskspec.taskapi.pairing import Errand, paired, paired_class_errand, paired_errand
from taskspec.taskapi.records import AgentExecutionStatus
from taskspec.taskapi.records import TaskEvent as EventRecord
from taskspec.taskapi.tasks import calls, checking
from taskspec.taskapi.tasks.configuration import Configuration
from taskspec.taskapi.tasks.events import TaskEvent
from taskspec.taskapi.tasks.fields import PLAN, TaskFields, changes, edited, read_fields, status_wire
from taskspec.taskapi.tasks.reporting import external_report, metrics
from taskspec.taskapi.tasks.sessions import Session
from taskspec.taskapi.tasks.sharing import shared_session
from taskspec.taskapi.tasks.values import ActivityLog, Tokens, read_log, time_at

TELLING = frozenset({"task_created", "task_updated", "task_finished"})
"""The types of events that tell of a task as a whole."""


class Keep(Enum):
    """The default of a value that stays as the remote has it."""

    KEEP = "keep"


KEEP = Keep.KEEP


def _load(cls: "type[Task]", task_id: str, configuration: Configuration | None = None) -> "Errand[Task]":
    """Read a task by its id.

    `configuration` is the environment's where none is given. Connections are shared by all that use the same object,
    and by all that give none.
    """
    session = shared_session(configuration)
    return session, _read(cls, checking.identifier("task_id", task_id), session)


def _read(cls: "type[Task]", task_id: str, session: Session) -> "Call[Task]":
    record = yield from endpoints.get_task(task_id)
    return cls(record.raw, session)


def _report_external_task(
    cls: "type[Task]",
    configuration: Configuration | None = None,
    agent_id: str | None = None,
    id: str | None = None,  # noqa: A002 - the vendor's name
    input: str | None = None,  # noqa: A002 - the vendor's name
    llm_response: object = None,
    tokens: Tokens | None = None,
    is_success: bool = True,  # noqa: FBT002 - the vendor's signature
    result: str | None = None,
    duration: float = 0,
    used_tools: Iterable[str] | None = None,
) -> "Errand[Task]":
    """Record a task that was executed elsewhere, and return it; a report with the same `id` updates it.

    `agent_id` is the configuration's where none is given; `duration` is in seconds. Without an `id` it is sent again
    only where it never left.
    """
    session = shared_session(configuration)
    agent = checking.identifier("agent_id", session.configuration.agent_id if agent_id is None else agent_id)
    report = external_report(
        id=id,
        input=input,
        llm_response=llm_response,
        tokens=tokens,
        is_success=is_success,
        result=result,
        duration=duration,
        used_tools=used_tools,
    )
    return session, _reported(cls, agent, report, session)


def _reported(cls: "type[Task]", agent_id: str, report: Mapping[str, Any], session: Session) -> "Call[Task]":
    record = yield from calls.report_task(agent_id, report, session.patience)
    return cls(record.raw, session)


class Task(TaskFields):
    """A task of the remote, as it was when it was last read. Made by `Tasks`, by `Task.load`, and by events.

    Every call may raise the errors under RemoteError. Two tasks are equal only if they are the same object.
    """

    def __init__(self, wire: Mapping[str, Any], session: Session) -> None:
        self._session = session
        self._show(wire)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The task as the remote told it last, with the keys that are not known here. Do not change it."""
        return self._wire

    load, aload = paired_class_errand(_load)
    report_external_task, areport_external_task = paired_class_errand(_report_external_task)

    def _reload(self) -> "Call[Task]":
        """Read the task again; what was changed here and not saved is lost. Return the task itself."""
        record = yield from endpoints.get_task(self._known_id())
        self._show(record.raw)
        return self

    def _save(self, with_deep_plan_update: bool = False) -> "Call[Task]":  # noqa: FBT002 - the vendor's signature
        """Send the fields that were changed since the task was read, and return the task itself as it is then.

        Nothing changed: nothing is sent. None clears a field. `deep_planning` is sent only if it is asked for.
        """
        changed = changes(self, self._wire)
        kept = [] if with_deep_plan_update else [PLAN] if changed.pop(PLAN, self) is not self else []
        if changed:
            record = yield from calls.change_task(self._known_id(), changed)
            self._show(record.raw, kept)
        return self

    def _set_status(self, status: AgentExecutionStatus | str, result: str | Keep | None = KEEP) -> "Call[Task]":
        """Change the status, and the result if one is given (None clears it); return the task itself.

        Nothing else is sent: other fields that were changed here wait for `save`.
        """
        sent: dict[str, Any] = {"status": status_wire("status", status)}
        if result is not KEEP:
            sent["result"] = checking.optional_text("result", result)
        kept = [name for name in edited(self, self._wire) if name not in sent]
        record = yield from calls.change_task(self._known_id(), sent)
        self._show(record.raw, kept)
        return self

    def _stop(self) -> "Call[Task]":
        """Stop the task and return it itself as it is then; one that has ended stays as it is."""
        kept = [name for name in edited(self, self._wire) if name not in {"status", "result"}]
        record = yield from endpoints.stop_task(self._known_id())
        self._show(record.raw, kept)
        return self

    def _get_activity_log(self) -> Call[ActivityLog]:
        """Read what happened in the task, message by message."""
        task_id = self._known_id()
        return read_log((yield from calls.activity_thread(self.agent_id, task_id)), task_id)

    def _report_metrics(self, configuration: Configuration | None = None) -> Errand[None]:
        """Tell the remote what the execution used: `tokens`, which must be set, `used_tools` and `duration`.

        It is sent again only where it never left, so that nothing is counted twice.
        """
        session = self._session if configuration is None else shared_session(configuration)
        return session, calls.report_metrics(self.agent_id, metrics(self), session.patience)

    reload, areload = paired(_reload)
    save, asave = paired(_save)
    set_status, aset_status = paired(_set_status)
    stop, astop = paired(_stop)
    get_activity_log, aget_activity_log = paired(_get_activity_log)
    report_metrics, areport_metrics = paired_errand(_report_metrics)

    def events(self) -> Generator[TaskEvent, None, None]:
        """Yield the task's events as they come, from its beginning, each once, until it has ended.

        The last one is `task_finished`. A task that is not streamed is looked at again and again instead.
        """
        with closing(self._session.events(self._known_id())) as told:
            for event in told:
                yield self._event(event)

    async def aevents(self) -> AsyncGenerator[TaskEvent, None]:
        """Yield the task's events as they come, from its beginning, each once, until it has ended.

        The last one is `task_finished`. A task that is not streamed is looked at again and again instead.
        Wrap it in `contextlib.aclosing` to leave it early.
        """
        async with aclosing(self._session.aevents(self._known_id())) as told:
            async for event in told:
                yield self._event(event)

    def __repr__(self) -> str:
        """Return one short line without secrets."""
        named = ("id", "agent_id", "status", "title")
        return f"Task({', '.join(f'{name}={_shown(getattr(self, name))}' for name in named)})"

    def _show(self, wire: Mapping[str, Any], kept: Iterable[str] = ()) -> None:
        """Become what the wire says, but for the fields that keep what was set here."""
        told = read_fields(wire)
        for name in kept:
            del told[name]
        self.__dict__.update(told)
        self._wire = wire

    def _known_id(self) -> str:
        if self.id != self._wire.get("id"):
            raise UsageError("Only the remote sets `id`.", hint="Load the other task: Task.load(task_id).")
        return self.id

    def _event(self, event: EventRecord) -> TaskEvent:
        told = event.data
        if event.type in TELLING and isinstance(told, Mapping) and isinstance(told.get("id"), str) and told["id"]:
            told = Task(told, self._session)
        time = None if event.time is None else time_at(event.time)
        return TaskEvent(type=event.type, task_id=event.task_id, time=time, data=told)


def _shown(value: object) -> str:
    return repr(str(value)) if isinstance(value, Enum) else repr(value)
