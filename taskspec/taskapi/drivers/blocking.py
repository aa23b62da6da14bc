"""The blocking driver: carries out calls over HTTP, from any thread. Decides nothing of the API."""

import random
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Self

from taskspec.errors import OutcomeUnknownError, RemoteError, UnreachableError
from taskspec.taskapi.drivers.deadlines import Deadlines
from taskspec.taskapi.drivers.dialling import Dial, Limits, Root, Trace
from taskspec.taskapi.drivers.lines import Line, Stream, load_httpx
from taskspec.taskapi.flow import Patience, advance, retrying
from taskspec.taskapi.following import Following, follow
from taskspec.taskapi.messages import (
    Call,
    Close,
    ClosedError,
    Heard,
    Open,
    Opened,
    Pause,
    Read,
    Request,
    Response,
    T,
)
from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.remotes import Endpoint, Traits


class BlockingConnection:
    """A remote that can be asked: runs calls, repeats what may be repeated, follows tasks, in many threads.

    `trace` is told one line for each request; no key is ever in it.
    """

    def __init__(
        self, endpoint: Endpoint, traits: Traits, *, trace: Trace | None = None, limits: Limits | None = None
    ) -> None:
        limits = limits or Limits()
        self._dial = Dial(endpoint, traits, limits, trace)
        self._gate = threading.Semaphore(limits.max_connections)
        self._patience = Patience(jitter=random.random)
        self._queue = threading.Lock()
        self._lock = threading.Lock()
        self._deadlines = Deadlines()
        self._idle: dict[Root, list[Line]] = {"rest": [], "events": []}
        self._streams: set[Stream] = set()
        self._closed = threading.Event()
        load_httpx()

    @property
    def traits(self) -> Traits:
        """In what the remote differs, as far as it has said."""
        return self._dial.traits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle sockets and end the streams now; a request that is under way ends before its socket does."""
        with self._lock:
            self._closed.set()
            idle = [line for lines in self._idle.values() for line in lines]
            self._idle = {"rest": [], "events": []}
            streams = list(self._streams)
        for line in idle:
            line.close()
        for stream in streams:
            stream.cut()
        self._deadlines.close()

    def run(self, call: Call[T]) -> T:
        """Carry out a call and return its value; raises what the call raises (RemoteError and below)."""
        told: Response | RemoteError | ClosedError | None = None
        with closing(retrying(call, self._patience)) as steps:
            while True:
                try:
                    step = advance(steps, told)
                except StopIteration as end:
                    value: T = end.value
                    return value
                told = self._perform(step)

    def events(self, task_id: str) -> Generator[TaskEvent, None, None]:
        """Yield the events of a task as they come, each once, until it has ended; the last is `task_finished`.

        Reconnects by itself. Wrap it in `contextlib.closing` if you may leave it early.
        """
        following = Following(task_id, poll_interval=self.traits.poll_interval)
        told: Response | RemoteError | ClosedError | Opened | Heard | None = None
        with closing(follow(following, self._patience)) as steps, self._stream() as stream:
            while True:
                try:
                    step = advance(steps, told)
                except StopIteration:
                    return
                told = None
                match step:
                    case TaskEvent():
                        yield step
                    case Open(request=request):
                        self._wait_for_turn()
                        told = stream.open(request)
                        self._require_open()
                    case Read(seconds=seconds):
                        told = stream.read(seconds)
                    case Close():
                        stream.close()
                    case _:
                        told = self._perform(step)

    def _perform(self, step: Request | Pause) -> Response | RemoteError | ClosedError | None:
        if isinstance(step, Pause):
            self._closed.wait(step.seconds)
            return None
        try:
            return self._exchange(step)
        except (UnreachableError, OutcomeUnknownError, ClosedError) as error:
            return error

    def _exchange(self, request: Request) -> Response:
        """Wait for a place and a turn, and send; only a punctual one spends its time by waiting for its turn."""
        left = self._dial.seconds(request)
        end = time.monotonic() + left if self._dial.counts_waiting(request) else None
        if not self._gate.acquire(timeout=None if end is None else left):
            raise self._dial.late(request, begun=False)
        try:
            left = left if end is None else end - time.monotonic()
            if left <= 0:
                raise self._dial.late(request, begun=False)
            if not self._wait_for_turn(end if request.punctual else None):
                raise self._dial.late(request, begun=False)
            if end is not None and request.punctual:
                left = max(0.0, end - time.monotonic())
            with self._lent(request) as line:
                return line.exchange(request, left)
        finally:
            self._gate.release()

    def _wait_for_turn(self, end: float | None = None) -> bool:
        """Wait for the turn to send, behind whoever waits already; False where it does not come before `end`."""
        self._require_open()
        if not self._queue.locked() and self._dial.turn() <= 0:
            return True
        if not self._queue.acquire(timeout=-1 if end is None else max(0.0, end - time.monotonic())):
            return False
        try:
            self._require_open()
            while (wait := self._dial.turn()) > 0:
                if end is not None and time.monotonic() + wait > end:
                    return False
                self._closed.wait(wait)
                self._require_open()
        finally:
            self._queue.release()
        return True

    @contextmanager
    def _stream(self) -> Iterator[Stream]:
        """Lend a stream that ends when the connection is closed."""
        with closing(Stream(self._dial, self._deadlines)) as stream:
            with self._lock:
                self._streams.add(stream)
            try:
                yield stream
            finally:
                with self._lock:
                    self._streams.discard(stream)

    @contextmanager
    def _lent(self, request: Request) -> Iterator[Line]:
        """Lend a line; one with a fresh socket where a stale one could leave the outcome unknown."""
        fresh = self._dial.needs_fresh_socket(request)
        with self._lock:
            self._require_open()
            idle = self._idle[request.root]
            line = idle.pop() if idle and not fresh else None
        line = line or Line(self._dial, request.root, self._deadlines)
        try:
            yield line
        finally:
            with self._lock:
                kept = line.is_clean and not (fresh or self._closed.is_set())
                if kept:
                    self._idle[request.root].append(line)
            if not kept:
                line.close()

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise ClosedError
