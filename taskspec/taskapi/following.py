"""Following one task by its event stream: what is new, and when it is over. Opens no stream and has no clock."""

import hashlib
from collections import Counter
from collections.abc import Callable

from taskspec.taskapi.decoding import task_event
from taskspec.taskapi.endpoints import get_task
from taskspec.taskapi.messages import Call, Pause, Request, path_of
from taskspec.taskapi.records import ENDED, TaskEvent, TaskRecord
from taskspec.taskapi.sse import ServerEvent

FINISHED, UPDATED = "task_finished", "task_updated"
SILENCE = 30.0
"""A stream that brings no event for so long is broken off, and the task's status is read."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0


class Following:
    """What is known of one task while it is followed, over all its streams.

    A stream tells a task's history first and then goes on live. So the n-th copy of an event in one stream is new
    only if the streams before had fewer copies of it.
    """

    def __init__(self, task_id: str, *, poll_interval: float = 2.0) -> None:
        self.task_id = task_id
        self.over = False
        self.streams = True
        """False once the remote has refused to stream this task: its status is polled from then on."""
        self._poll_interval = poll_interval
        self._status: str | None = None
        self._told: Counter[bytes] = Counter()
        self._in_stream: Counter[bytes] = Counter()
        self._fruitless = 0

    def request(self) -> Request:
        """Return the request that opens a new stream."""
        self._in_stream.clear()
        return Request(
            method="GET",
            path=path_of("agent-execution", self.task_id, "events"),
            root="events",
            headers={"accept": "text/event-stream", "cache-control": "no-store"},
            repeatable=True,
        )

    def opened(self, status: int, content_type: str) -> bool:
        """Tell whether the answer to `request` is a stream; a plain refusal of one is final."""
        if 200 <= status < 300 and "text/event-stream" in content_type.lower():
            return True
        self.streams = status >= 500
        return False

    def accept(self, message: ServerEvent) -> TaskEvent | None:
        """Return the event in a stream's message, or None if it is none or was told before."""
        event = task_event(message.data, self.task_id)
        if event is None:
            return None
        key = hashlib.blake2b(message.data.encode(errors="surrogatepass"), digest_size=16).digest()
        self._in_stream[key] += 1
        if self._in_stream[key] <= self._told[key]:
            return None
        self._told[key] += 1
        self._fruitless = 0
        self.over = event.type == FINISHED
        return event

    def read(self, record: TaskRecord) -> TaskEvent | None:
        """Take a status that was read between two streams; return the event that it amounts to, if any."""
        self.over = record.status in ENDED
        if record.status == self._status:
            return None
        self._status, self._fruitless = record.status, 0
        if not self.over and self.streams:
            return None  # the stream tells this itself
        kind = FINISHED if self.over else UPDATED
        time = record.finished_at if self.over else None
        return TaskEvent(type=kind, task_id=self.task_id, time=time, data=record.raw)

    def pause(self, jitter: float) -> float:
        """Return the seconds until the next look: short after news, growing while there is none."""
        grown: float = FIRST_PAUSE * 2 ** min(self._fruitless, 10)
        self._fruitless += 1
        least = FIRST_PAUSE if self.streams else self._poll_interval
        return min(LONGEST_PAUSE, max(least, grown)) * (0.75 + jitter / 2)


def look_between(following: Following, jitter: Callable[[], float]) -> Call[TaskEvent | None]:
    """Wait a little after a stream broke off, read the task's status, and return the event that it amounts to."""
    yield Pause(seconds=following.pause(jitter()))
    return following.read((yield from get_task(following.task_id)))
