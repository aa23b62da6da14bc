"""Heeding: the first signal that asks to end becomes a call in the event loop. Ends nothing itself."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def first_signal(end: Callable[[int], None]) -> Iterator[None]:
    """Call `end` with the number of the first signal to end; a second one ends at once, as it does outside of this."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] is signal.SIG_IGN:  # under `nohup` the end of the terminal is none of ours
        del before[signal.SIGHUP]

    def restore() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)

    heard_of: list[int] = []

    def heard(signum: int) -> None:
        if not heard_of:  # a process that was forked meanwhile tells of it, too
            heard_of.append(signum)
            restore()
            end(signum)

    for number in (signal.SIGINT, *before):
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        restore()
