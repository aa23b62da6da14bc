"""What an event says of the end of its task, beside the status that was read. Asks nobody."""

from taskspec.taskapi.decoding import task_record
from taskspec.taskapi.records import TaskEvent, TaskRecord

NEAR = 1.0
"""Two times of one end may be so many seconds apart, for they may be written with different precision."""


def is_end(event: TaskEvent, found: TaskRecord) -> bool | None:
    """Tell whether an event tells of the end that a task has come to; None where it does not say."""
    told = task_record(event.data)
    if told.id != found.id:
        return None
    if (told.status, told.result) != (found.status, found.result):
        return False
    if told.finished_at is None or found.finished_at is None:
        return None
    apart = abs(told.finished_at - found.finished_at)
    if apart == 0:
        return True
    return None if apart < NEAR else False


def is_history(event: TaskEvent, found: TaskRecord | None) -> bool:
    """Tell whether an event is known to be older than the end of its task."""
    ended = None if found is None else found.finished_at
    return event.time is not None and ended is not None and event.time <= ended
