"""Following one task by its events: what is new, what its status says to that, when it is over. Opens no stream."""

import hashlib
from collections import Counter
from collections.abc import Generator

from taskspec.errors import RateLimitedError, UnreachableError
from taskspec.taskapi.decoding import task_event
from taskspec.taskapi.endings import is_end, is_history
from taskspec.taskapi.endpoints import get_task
from taskspec.taskapi.flow import Patience, retrying
from taskspec.taskapi.messages import Close, Heard, Open, Opened, Pause, Read, Request, Response, path_of
from taskspec.taskapi.records import ENDED, TaskEvent, TaskRecord
from taskspec.taskapi.sse import EventParser, ServerEvent
from taskspec.taskapi.vigils import Vigil

FINISHED, UPDATED = "task_finished", "task_updated"
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
    only if the streams before had fewer copies of it. The history of a task that was continued holds its earlier ends
    too: what a stream tells last of a task's end is a claim, until the status confirms it.
    """

    def __init__(self, task_id: str, *, poll_interval: float = 2.0) -> None:
        self.task_id = task_id
        self.over = False
        self.streams = True
        """False once the remote has refused to stream this task: its status is polled from then on."""
        self._poll_interval = poll_interval
        self.claim: TaskEvent | None = None
        """The end that the stream told, if it told nothing after it."""
        self._denied: TaskEvent | None = None
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
        self.claim = event if event.type == FINISHED and event.task_id == self.task_id else None
        return event

    def ends(self, record: TaskRecord | None) -> bool:
        """Tell whether the end that the stream has just told is the one that was read; then it is over."""
        self.over = self.claim is not None and record is not None and is_end(self.claim, record) is True
        return self.over

    def read(self, record: TaskRecord) -> TaskEvent | None:
        """Take a status that was read; return the event that it amounts to, if the stream has not told it."""
        self._reached, self._troubles = True, 0
        self.over = record.status in ENDED
        if not self.over:
            self._denied = self.claim
        elif self.claim is not None and is_end(self.claim, record) is not False:
            return None
        if record.status == self._status and not self.over:
            return None
        self._status, self._fruitless = record.status, 0
        if not self.over and self.streams:
            return None  # the stream tells this itself
        kind = FINISHED if self.over else UPDATED
        time = record.finished_at if self.over else None
        return TaskEvent(type=kind, task_id=self.task_id, time=time, data=record.raw)

    def bears(self, trouble: UnreachableError | RateLimitedError) -> bool:
        """Count a look that failed; tell whether there is a way on: another look, or the stream's word."""
        self._troubles += 1
        passes = not (isinstance(trouble, RateLimitedError) and trouble.billing)
        return self._may_trust() or (passes and self._reached and self._troubles < TROUBLES)

    def trust(self) -> None:
        """Take the stream's word for the end of the task where the status cannot be read, unless it was denied."""
        self.over = self._may_trust()

    def pause(self, jitter: float) -> float:
        """Return the seconds until the next look: short after news, growing while there is none."""
        grown: float = FIRST_PAUSE * 2 ** min(self._fruitless, 10)
        self._fruitless += 1
        least = FIRST_PAUSE if self.streams else self._poll_interval
        return min(LONGEST_PAUSE, max(least, grown)) * (0.75 + jitter / 2)

    def _may_trust(self) -> bool:
        return self.claim is not None and self.claim is not self._denied


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
        found: TaskRecord | None = None
        has_looked = is_claimed = False
        for message in parser.feed(heard.content):
            event = following.accept(message)
            if event is None:
                continue
            vigil.told(now)
            yield event
            if following.claim is not None and not has_looked:
                found = yield from _status(following, patience)
                has_looked = is_claimed = True
            if following.ends(found):
                return
        if vigil.is_dead(now):
            return
        if vigil.is_due(now) and not has_looked:
            found, has_looked = (yield from _status(following, patience)), True
        if has_looked:
            vigil.looked(now, again=is_claimed and following.claim is not None)
            yield from _settle(following, parser, found)
        if following.over:
            return


def _settle(following: Following, parser: EventParser, found: TaskRecord | None) -> Follow:
    """Take a status that was read while the stream is open, or that could not be read (None)."""
    if found is None and following.claim is None:
        return
    if found is None or found.status in ENDED:
        yield from _last_events(following, parser, found)
    if found is None:
        following.trust()
    elif not following.over and (seen := following.read(found)) is not None:
        yield seen


def _last_events(following: Following, parser: EventParser, found: TaskRecord | None) -> Follow:
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
            if event is not None and following.ends(found):
                return
            if event is not None and is_history(event, found):
                until = now + LINGER


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
