"""Following one task by its event stream: what is new, when to look at its status, when it is over. Opens no stream."""

import hashlib
from collections import Counter
from collections.abc import Generator

from taskspec.errors import RateLimitedError, UnreachableError
from taskspec.taskapi.decoding import task_event
from taskspec.taskapi.endpoints import get_task
from taskspec.taskapi.flow import Patience, retrying
from taskspec.taskapi.messages import Close, Heard, Open, Opened, Pause, Read, Request, Response, path_of
from taskspec.taskapi.records import ENDED, TaskEvent, TaskRecord
from taskspec.taskapi.sse import EventParser, ServerEvent

FINISHED, UPDATED = "task_finished", "task_updated"
SILENCE = 10.0
"""After so many seconds without an event the task's status is read, while the stream stays open."""
FARTHEST_LOOK = 60.0
"""The longest time between two looks at the status, however much a stream tells."""
DEAD = 45.0
"""A stream that brings no byte for so long, not even a keep-alive, is given up."""
LINGER = 1.0
"""So long the last events of a task are waited for whose status says that it has ended."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
TROUBLES = 6
"""So many looks in a row may fail before the trouble is told."""

Follow = Generator[Request | Pause | Open | Read | Close | TaskEvent, Response | Opened | Heard | None, None]
"""A flow that follows: it yields what a driver is to do, and each event for whoever follows."""


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
        self._reached = False
        self._troubles = 0

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
        self._reached = True
        if 200 <= status < 300 and "text/event-stream" in content_type.lower():
            return True
        self.streams = status >= 500 or status in {408, 429}
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
        self._fruitless = self._troubles = 0
        self.over = event.type == FINISHED and event.task_id == self.task_id
        return event

    def read(self, record: TaskRecord) -> TaskEvent | None:
        """Take a status that was read; return the event that it amounts to, if any."""
        self._reached, self._troubles = True, 0
        self.over = record.status in ENDED
        if record.status == self._status and not self.over:
            return None
        self._status, self._fruitless = record.status, 0
        if not self.over and self.streams:
            return None  # the stream tells this itself
        kind = FINISHED if self.over else UPDATED
        time = record.finished_at if self.over else None
        return TaskEvent(type=kind, task_id=self.task_id, time=time, data=record.raw)

    def bears(self, trouble: UnreachableError | RateLimitedError) -> bool:
        """Count a look that failed; tell whether it is worth looking again."""
        self._troubles += 1
        passes = not (isinstance(trouble, RateLimitedError) and trouble.billing)
        return passes and self._reached and self._troubles < TROUBLES

    def pause(self, jitter: float) -> float:
        """Return the seconds until the next look: short after news, growing while there is none."""
        grown: float = FIRST_PAUSE * 2 ** min(self._fruitless, 10)
        self._fruitless += 1
        least = FIRST_PAUSE if self.streams else self._poll_interval
        return min(LONGEST_PAUSE, max(least, grown)) * (0.75 + jitter / 2)


class Vigil:
    """When one stream is due for a look at the task's status, and when it is dead. Times are those of its answers."""

    def __init__(self, now: float) -> None:
        self._bytes_at = self._quiet_since = self._looked_at = now
        self._distance = SILENCE

    def heard(self, now: float) -> None:
        """Note that bytes came."""
        self._bytes_at = now

    def told(self, now: float) -> None:
        """Note that they held an event."""
        self._quiet_since, self._distance = now, SILENCE

    def looked(self, now: float) -> None:
        """Note a look at the status: the next one is farther away, until an event comes."""
        self._quiet_since = self._looked_at = now
        self._distance = min(2 * self._distance, FARTHEST_LOOK)

    def is_due(self, now: float) -> bool:
        """Tell whether the status is to be read."""
        return now >= self._due

    def is_dead(self, now: float) -> bool:
        """Tell whether the stream is to be given up."""
        return now >= self._bytes_at + DEAD

    def left(self, now: float) -> float:
        """Return the seconds until either is true."""
        return max(0.0, min(self._due, self._bytes_at + DEAD) - now)

    @property
    def _due(self) -> float:
        return min(self._quiet_since + self._distance, self._looked_at + FARTHEST_LOOK)


def follow(following: Following, patience: Patience) -> Follow:
    """Yield the events of a task, each once, until it has ended: by streams, and by its status where they fail.

    Raises what reading the status raises: NotFoundError, AuthenticationError and other refusals at once, troubles that
    pass after several looks.
    """
    while not following.over:
        if following.streams:
            yield from _stream(following, patience)
        if not following.over:
            yield Pause(seconds=following.pause(patience.jitter()))
            yield from _look(following, patience)


def _stream(following: Following, patience: Patience) -> Follow:
    """Follow one stream until the task is over, or the stream is."""
    opened = yield Open(request=following.request())
    if not isinstance(opened, Opened):
        return
    if following.opened(opened.status, opened.content_type):
        yield from _listen(following, patience, Vigil(opened.at), opened.at)
    yield Close()
    if not following.streams:
        yield from _look(following, patience)


def _listen(following: Following, patience: Patience, vigil: Vigil, now: float) -> Follow:
    parser = EventParser()
    while True:
        heard = yield Read(seconds=vigil.left(now))
        if not isinstance(heard, Heard):
            return
        now = heard.at
        if heard.content:
            vigil.heard(now)
        for message in parser.feed(heard.content):
            event = following.accept(message)
            if event is not None:
                vigil.told(now)
                yield event
            if following.over:
                return
        if vigil.is_dead(now):
            return
        if vigil.is_due(now):
            vigil.looked(now)
            record = yield from _status(following, patience)
            if record is not None and record.status in ENDED:
                yield from _last_events(following, parser, record)
            if record is not None and not following.over and (seen := following.read(record)) is not None:
                yield seen
            if following.over:
                return


def _last_events(following: Following, parser: EventParser, record: TaskRecord) -> Follow:
    """Yield what a stream still holds of a task that has ended: its history, however long, and little beyond it."""
    until: float | None = None
    now = 0.0
    while until is None or now < until:
        heard = yield Read(seconds=LINGER if until is None else until - now)
        if not isinstance(heard, Heard) or not heard.content:
            return
        now = heard.at
        until = now + LINGER if until is None else until
        for message in parser.feed(heard.content):
            event = following.accept(message)
            if event is not None:
                yield event
            if following.over:
                return
            if event is not None and _is_history(event, record):
                until = now + LINGER


def _is_history(event: TaskEvent, record: TaskRecord) -> bool:
    return event.time is not None and record.finished_at is not None and event.time <= record.finished_at


def _look(following: Following, patience: Patience) -> Follow:
    """Read the task's status, and yield the event that it amounts to."""
    record = yield from _status(following, patience)
    event = None if record is None else following.read(record)
    if event is not None:
        yield event


def _status(following: Following, patience: Patience) -> Generator[Request | Pause, Response | None, TaskRecord | None]:
    """Read the task; None where that failed and is worth another look."""
    try:
        return (yield from retrying(get_task(following.task_id), patience))
    except (UnreachableError, RateLimitedError) as error:
        if not following.bears(error):
            raise
        return None
