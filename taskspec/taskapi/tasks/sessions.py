"""The connections of one client in both colours, opened at first use and closed at the latest with it or its loop."""

import random
import secrets
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from taskspec.errors import UsageError
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.messages import Call, ClosedError, T
from taskspec.taskapi.records import TaskEvent
from taskspec.taskapi.remotes import RemoteIdentity, Traits
from taskspec.taskapi.tasks.configuration import Configuration

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    from taskspec.taskapi.drivers.asynchronous import Connection
    from taskspec.taskapi.drivers.blocking import BlockingConnection
    from taskspec.taskapi.drivers.dialling import Limits

    Kept = tuple[Connection, AsyncGenerator[None, None]]

_LEAVING: "dict[Connection, AsyncGenerator[None, None]]" = {}
"""The connections that their sessions have left, until they are closed."""
_TASKS: "set[Task[None]]" = set()
"""What closes them; a loop alone does not hold its tasks."""


class Session:
    """What carries out the calls of a client; for any number of threads and loops at once."""

    def __init__(self, configuration: Configuration) -> None:
        require_configuration(configuration)
        self._endpoint = configuration.endpoint()
        self.configuration = replace(configuration)
        self.patience = Patience(jitter=random.random)
        self._limits: Limits | None = None
        self._lock = threading.RLock()
        self._closed = False
        self._blocking: BlockingConnection | None = None
        self._finalizer: weakref.finalize[..., Session] | None = None
        self._waiting: dict[AbstractEventLoop, Kept] = {}
        # Held by the finalizer, the connections outlive a session that is collected, and their loops can close them.
        weakref.finalize(self, _release, self._waiting).atexit = False

    def run(self, call: Call[T], /) -> T:
        """Carry out a call; blocks the thread."""
        return self._blocking_connection().run(call)

    async def arun(self, call: Call[T], /) -> T:
        """Carry out a call in the running loop."""
        return await self._waiting_connection().run(call)

    def events(self, task_id: str) -> Generator[TaskEvent, None, None]:
        """Yield the events of a task as they come; blocks the thread between them."""
        with closing(self._blocking_connection().events(task_id)) as events:
            yield from events

    async def aevents(self, task_id: str) -> AsyncGenerator[TaskEvent, None]:
        """Yield the events of a task as they come, in the running loop."""
        async with aclosing(self._waiting_connection().events(task_id)) as events:
            async for event in events:
                yield event

    def close(self) -> None:
        """Close the connections of both colours; those of a loop are closed as soon as that loop runs."""
        with self._lock:
            self._closed = True
            _release(self._waiting)
            if self._finalizer is not None:
                self._finalizer()

    async def aclose(self) -> None:
        """Close the connections of both colours; those of the running loop before this returns."""
        with self._lock:
            kept = self._waiting.pop(_running_loop(), None)
        self.close()
        if kept is not None:
            await kept[1].aclose()

    def honours_idempotency_keys(self) -> bool:
        """Tell whether the remote has said that it repeats no create with the same key."""
        return self._traits().honours_idempotency_keys

    def pages_lists(self) -> bool:
        """Tell whether the remote has said that it cuts lists into pages where it is asked to."""
        return self._traits().pages_lists

    def fresh_key(self) -> str:
        """Return an idempotency key that nobody has used."""
        return secrets.token_hex(16)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return the same session: what copies a task does not copy its connections."""
        return self

    def __reduce__(self) -> str:
        """Refuse to be pickled, politely."""
        raise UsageError(
            "A client and what it has read cannot be pickled.", hint="Keep the task's id, and load the task there."
        )

    def _traits(self) -> Traits:
        """Return what is known of the remote: what any connection has learned, so far."""
        with self._lock:
            connections = [self._blocking, *(kept[0] for kept in list(self._waiting.values()))]
        known = [connection.traits for connection in connections if connection is not None]
        default = Traits(create_timeout=self.configuration.create_timeout)
        return next((traits for traits in known if traits.honours_idempotency_keys), next(iter(known), default))

    def _blocking_connection(self) -> "BlockingConnection":
        with self._lock:
            self._require_open()
            if self._blocking is None:
                from taskspec.taskapi.drivers.blocking import BlockingConnection

                self._blocking = BlockingConnection(self._endpoint, self._traits(), limits=self._shared_limits())
                self._finalizer = weakref.finalize(self, self._blocking.close)
            return self._blocking

    def _waiting_connection(self) -> "Connection":
        loop = _running_loop()
        with self._lock:
            self._require_open()
            kept = self._waiting.get(loop)
            if kept is None:
                from taskspec.taskapi.drivers.asynchronous import Connection

                for gone in [other for other in list(self._waiting) if other.is_closed()]:
                    del self._waiting[gone]
                identity = RemoteIdentity(
                    type="xpander", url=self._endpoint.rest_root, organization=self.configuration.organization_id
                )
                connection = Connection(self._endpoint, identity, self._traits(), limits=self._shared_limits())
                keeper = _keeping(connection, loop, self._waiting)
                _begin(keeper)
                kept = self._waiting[loop] = (connection, keeper)
            return kept[0]

    def _shared_limits(self) -> "Limits":
        """Return the limits of both colours; they keep one pace together."""
        if self._limits is None:
            from taskspec.taskapi.drivers.dialling import Limits
            from taskspec.taskapi.pacing import Pace

            told = self.configuration
            paced = told.requests_per_minute is not None or told.requests_per_hour is not None
            self._limits = Limits(
                max_connections=told.max_connections,
                read_timeout=told.timeout,
                ca_file=told.ca_file,
                pace=Pace(told.requests_per_minute, told.requests_per_hour) if paced else None,
            )
        return self._limits

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError


def require_configuration(given: object) -> None:
    """Refuse what is not a Configuration."""
    if not isinstance(given, Configuration):
        raise UsageError(
            "`configuration` must be a Configuration.", hint="from taskspec import Configuration; give its fields."
        )


def _running_loop() -> "AbstractEventLoop":
    from asyncio import get_running_loop

    return get_running_loop()


async def _keeping(
    connection: "Connection",
    loop: "AbstractEventLoop",
    waiting: "dict[AbstractEventLoop, Kept]",
) -> AsyncGenerator[None, None]:
    """Close a connection when this is closed: by its session, or by its loop that shuts its generators down."""
    try:
        yield
    finally:
        waiting.pop(loop, None)
        await _closed(connection)


def _release(waiting: "dict[AbstractEventLoop, Kept]") -> None:
    """Let each loop close its connection as soon as it runs; at the latest when it shuts its generators down."""
    for loop in list(waiting):
        connection, keeper = waiting.pop(loop)
        # Were nobody to hold the keeper, its loop would close it in a task that `asyncio.run` cancels before it begins.
        _LEAVING[connection] = keeper
        try:
            loop.call_soon_threadsafe(_end, loop, connection)
        except RuntimeError:  # the loop is closed
            del _LEAVING[connection]


def _end(loop: "AbstractEventLoop", connection: "Connection") -> None:
    closing_it = loop.create_task(_closed(connection))
    _TASKS.add(closing_it)
    closing_it.add_done_callback(_TASKS.discard)


async def _closed(connection: "Connection") -> None:
    try:
        await connection.aclose()
    finally:
        _LEAVING.pop(connection, None)


def _begin(keeper: AsyncGenerator[None, None]) -> None:
    """Let a generator register in the running loop; it does not wait before its first value."""
    first: Coroutine[Any, Any, None] = keeper.__anext__()
    with suppress(StopIteration):
        first.send(None)
