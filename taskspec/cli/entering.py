"""Entering a context whose entrance blocks, while the event loop goes on and hears Ctrl-C. Knows no engine."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")
GRACE = 1.0
"""How long, in seconds, an entrance that nobody waits for any more may take to be undone."""


@asynccontextmanager
async def entered(context: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context in other threads; an entrance that is cut short is undone by whoever finishes it.

    The entrance has a thread of its own: the event loop's own threads are waited for at the end of the program.
    """
    opening: Future[T] = Future()
    thread = threading.Thread(target=_enter, args=(context, opening), name="taskspec-entering", daemon=True)
    thread.start()
    try:
        found = await asyncio.shield(asyncio.wrap_future(opening))
    except asyncio.CancelledError:
        opening.add_done_callback(lambda done: None if done.exception() else _leave(context))
        thread.join(GRACE)
        raise
    try:
        yield found
    finally:
        await asyncio.shield(asyncio.to_thread(_leave, context))


def _enter(context: AbstractContextManager[T], opening: "Future[T]") -> None:
    opening.set_running_or_notify_cancel()
    try:
        found = context.__enter__()
    except BaseException as error:  # noqa: BLE001  # the edge of the thread: whoever waits raises it
        opening.set_exception(error)
    else:
        opening.set_result(found)


def _leave(context: AbstractContextManager[T]) -> None:
    context.__exit__(None, None, None)
