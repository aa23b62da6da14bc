"""Events of a task of the remote, shown as they come. Judges none."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Protocol

from taskspec.cli import reaching
from taskspec.cli.printing import note, paint_for, say
from taskspec.cli.wiring import Reach
from taskspec.report.tasks import standing_line, without_secrets
from taskspec.report.text import in_json
from taskspec.report.transcript import Transcript
from taskspec.runner.hushing import until_quiet
from taskspec.taskapi.records import ENDED
from taskspec.taskapi.records import TaskEvent as WireEvent

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.events import TaskEvent
    from taskspec.taskapi.tasks.module import Tasks
    from taskspec.taskapi.tasks.task import Task


class Shower(Protocol):
    """Whoever shows events."""

    def show(self, event: "TaskEvent") -> None:
        """Show an event."""

    def close(self) -> None:
        """End: whatever was shown stays readable."""


class Words:
    """Shows events as lines for people, as `taskspec logs -f` does."""

    def __init__(self, write: Callable[[Iterable[str]], None], task: str) -> None:
        self._write = write
        self._transcript = Transcript("task", known=task)

    def show(self, event: "TaskEvent") -> None:
        """Write the lines that are complete with this event."""
        self._write(self._transcript.lines(as_wire(event)))

    def close(self) -> None:
        """Write what has come of a line that was not ended."""
        self._write(self._transcript.rest())


class Unanswered:
    """Shows all events but the pieces of the answer, where the answer is shown as a whole at the end."""

    def __init__(self, shower: Shower) -> None:
        self._shower = shower

    def show(self, event: "TaskEvent") -> None:
        """Show an event that is no piece of the answer."""
        if event.type != "chunk":
            self._shower.show(event)

    def close(self) -> None:
        """End what shows the others."""
        self._shower.close()


class JsonLines:
    """Shows each event as one line of JSON."""

    def show(self, event: "TaskEvent") -> None:
        """Write an event."""
        time = event.time.isoformat() if event.time else None
        row = {"type": event.type, "task": event.task_id, "time": time, "data": as_wire(event).data}
        say([in_json(json.dumps(row, ensure_ascii=True))])

    def close(self) -> None:
        """End; every line is written already."""


class Silent:
    """Shows nothing."""

    def show(self, event: "TaskEvent") -> None:
        """Leave an event out."""

    def close(self) -> None:
        """End."""


def as_wire(event: "TaskEvent") -> WireEvent:
    """Return an event as it came, without what may be a secret."""
    data = event.data if event.task is None else event.task.raw
    time = event.time.timestamp() if event.time else None
    return WireEvent(type=event.type, task_id=event.task_id, time=time, data=without_secrets(data))


def show(reach: Reach, tasks: "Tasks", task: "Task", shower: Shower, *, follow: bool) -> None:
    """Show the events of a task: all until its end, or those until now.

    An engine of this command's own runs nothing, so a task that is active there does not go on.
    """
    if task.status in ENDED or (follow and not reach.owned):
        with reaching.told_when_cut(reach, tasks, task.id), closing(task.events()) as events:
            for event in events:
                shower.show(event)
    else:
        asyncio.run(_until_now(task, shower))
    shower.close()
    if task.status not in ENDED and (reach.owned or not follow):
        rest = "No engine is running, so nothing more will come." if reach.owned else "Follow it with -f."
        note(f"{standing_line(task, paint_for(sys.stderr))} {rest}")


async def _until_now(task: "Task", shower: Shower) -> None:
    async with aclosing(until_quiet(task.aevents())) as events:
        async for event in events:
            shower.show(event)
