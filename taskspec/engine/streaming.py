"""The event streams of runs: appended to a file each, replayed and followed from it. Never says that a run has ended.

That is read from the store, so that a stream cannot disagree with it.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from taskspec.engine.decoding import decoded
from taskspec.engine.model import ENDED, ORGANIZATION
from taskspec.engine.runs import utc_now
from taskspec.engine.wire import encoded, without_secrets

KEEP_ALIVE_SECONDS = 15.0
RESERVED = frozenset({"task_created", "task_updated", "task_finished"})
"""Events that only the engine may send: readers end a stream at the last of them."""
_CHUNK = 1 << 20
MAX_UNWRITTEN = 4096
_KEEP_ALIVE = b": keep-alive\n\n"
_logger = logging.getLogger("taskspec.engine")


def envelope(run: str, kind: str, data: Any) -> dict[str, Any]:
    """Return an event as the wire carries it."""
    return {"type": kind, "task_id": run, "organization_id": ORGANIZATION, "time": utc_now(), "data": data}


def task_event(kind: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event that shows a task as it is."""
    return envelope(task["id"], kind, without_secrets(task))


def _created(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event that begins the stream of a run that still waits."""
    return {**task_event("task_created", task), "time": task["created_at"]}


def _finished(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event that ends the stream of a run; it says when the run ended, whenever it is read."""
    return {**task_event("task_finished", task), "time": task["finished_at"] or task["created_at"]}


class EventLog:
    """Appends the events of runs and wakes those who follow them. Used from the engine's event loop only."""

    def __init__(self, folder: Path, *, live: bool) -> None:
        self._folder = folder
        self._live = live
        self._news: dict[str, asyncio.Event] = {}
        self._unwritten: dict[str, bytes] = {}

    def begin(self, task: Mapping[str, Any]) -> None:
        """Take the first event of a new run, of which many may come at once; it is written with the next, or read."""
        event = _created(task)
        if len(self._unwritten) < MAX_UNWRITTEN:
            self._unwritten[task["id"]] = f"{encoded(event)}\n".encode()
        else:
            self.append(task["id"], [event])

    def begin_again(self, waiting: Iterable[Mapping[str, Any]]) -> None:
        """Take the first events of runs that wait since an engine before this one, unless it has written them."""
        for task in waiting:
            if not self._path(task["id"]).exists():
                self.begin(task)

    def append(self, run: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Append events to a run's stream. A stream that cannot be written is no reason to lose the run."""
        lines = "".join(encoded(event) + "\n" for event in events).encode()
        self._write(run, self._unwritten.pop(run, b"") + lines)
        self.wake(run)

    def _write(self, run: str, lines: bytes) -> None:
        try:
            _append(self._path(run), lines)
        except OSError as error:
            _logger.warning("the events of run %s cannot be kept: %s", run, error)

    def wake(self, run: str) -> None:
        """Let those who follow a run look again."""
        news = self._news.pop(run, None)
        if news is not None:
            news.set()

    def close(self) -> None:
        """End every stream that is being followed."""
        self._live = False
        for run in list(self._news):
            self.wake(run)

    def events(self, run: str) -> Iterator[dict[str, Any]]:
        """Yield the events that are kept of a run, oldest first."""
        position = 0
        while True:
            lines, position = self._read(run, position)
            if not lines:
                return
            yield from (event for line in lines if (event := _event(line)) is not None)

    async def follow(self, run: str, read: Callable[[], Awaitable[dict[str, Any]]]) -> AsyncIterator[bytes]:
        """Yield a run's stream as server-sent events: what was, what comes, and the end; `read` returns the task."""
        position = 0
        while True:
            news = self._news.setdefault(run, asyncio.Event())
            task = await read()
            while True:
                lines, position = self._read(run, position)
                if not lines:
                    break
                yield b"".join(b"data: " + line + b"\n\n" for line in lines if _event(line) is not None)
            if task["status"] in ENDED:
                self._forget(run, news)
                yield f"data: {encoded(_finished(task))}\n\n".encode()
                return
            if not self._live:
                if position == 0:
                    yield f"data: {encoded(_created(task))}\n\n".encode()
                return
            try:
                await asyncio.wait_for(news.wait(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield _KEEP_ALIVE

    def _read(self, run: str, position: int) -> tuple[list[bytes], int]:
        if run in self._unwritten:
            self._write(run, self._unwritten.pop(run))
        return _complete_lines(self._path(run), position)

    def _forget(self, run: str, news: asyncio.Event) -> None:
        if self._news.get(run) is news:
            del self._news[run]
            news.set()

    def _path(self, run: str) -> Path:
        return self._folder / run / "events.jsonl"


def _append(path: Path, lines: bytes) -> None:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, mode=0o700)
        descriptor = os.open(path, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        rest = memoryview(b"\n" + lines if torn else lines)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _complete_lines(path: Path, position: int) -> tuple[list[bytes], int]:
    """Return the whole lines that stand from a position on, about a mebibyte of them, and the position after them."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return [], position
    try:
        size = _CHUNK
        while True:
            block = os.pread(descriptor, size, position)
            end = block.rfind(b"\n") + 1
            if end or len(block) < size:
                return block[:end].splitlines(), position + end
            size *= 2
    finally:
        os.close(descriptor)


def _event(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line; None for one that was torn by a crash, or that not every reader could read."""
    try:
        event = decoded(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and {"type", "time"} <= event.keys() else None
