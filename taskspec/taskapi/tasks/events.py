"""The events of a task as the library shows them. Opens no stream."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.task import Task

SHOWN = 200


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class TaskEvent:
    """One event of a task; an unknown type is kept.

    `data` is a Task where the event tells of one (`task_created`, `task_updated`, `task_finished`), text for `chunk`,
    else the JSON that came with the event.
    """

    type: str
    task_id: str
    time: datetime | None
    """When it happened, aware; None where the remote does not say."""
    data: Any

    @property
    def task(self) -> "Task | None":
        """Return the task that the event tells of, if it tells of one."""
        from taskspec.taskapi.tasks.task import Task

        return self.data if isinstance(self.data, Task) else None

    def __repr__(self) -> str:
        """Return one short line; a task that could not be read is not shown, for it may hold tokens."""
        unread = self.type.startswith("task") and self.task is None
        shown = f"<{type(self.data).__name__}>" if unread and self.data is not None else repr(self.data)
        shortened = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        time = None if self.time is None else self.time.isoformat()
        return f"TaskEvent(type={self.type!r}, task_id={self.task_id!r}, time={time!r}, data={shortened})"
