"""An event loop whose time jumps to the next timer when nothing is ready, and that can be killed. Waits for nothing.

A kill is an exception that no code can catch: the loop runs no further callback, and what was pending is dropped.
"""

import asyncio
from contextlib import suppress
from heapq import heappop


class Killed(SystemExit):
    """The process is gone. asyncio hands a SystemExit on to whoever runs the loop."""


class StuckError(AssertionError):
    """Nothing is ready and nothing is timed: whoever still waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Time passes only between callbacks; what is meant for a thread is carried out at once, in its turn."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self._now = now
        self._handlers = {}
        self.dead = False

    def time(self):
        return self._now

    def kill(self):
        """End everything: this call does not return, and nothing after it does."""
        self.dead = True
        raise Killed

    def run_in_executor(self, executor, func, *args):
        done = self.create_future()

        def work():
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001  # as a thread would hand it over
                if not done.cancelled():
                    done.set_exception(error)
            else:
                if not done.cancelled():
                    done.set_result(result)

        self.call_soon(work)
        return done

    def add_signal_handler(self, sig, callback, *args):
        self._handlers[sig] = callback, args

    def remove_signal_handler(self, sig):
        return self._handlers.pop(sig, None) is not None

    def signal(self, sig):
        """Let the handler of a signal be called next; tell whether there is one."""
        if sig not in self._handlers:
            return False
        callback, args = self._handlers[sig]
        self.call_soon(callback, *args)
        return True

    def run(self, coroutine):
        """Run to the end and return what comes of it; raises Killed where the loop was killed before."""
        try:
            return self.run_once(coroutine)
        finally:
            self.end()

    def run_once(self, coroutine):
        """Do the same, and stay alive for more."""
        self.set_exception_handler(lambda *_: None)
        main = self.create_task(coroutine)
        main.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return main.result()

    def _run_once(self):
        ready, scheduled = self._ready, self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heappop(scheduled)._scheduled = False
        if not ready and not self._stopping:
            if not scheduled:
                raise StuckError("everybody waits, and for nothing that will come")
            self._now = max(self._now, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now:
            handle = heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
                if self.dead:
                    raise Killed

    def end(self):
        """Let go of all that is pending. Its `finally` blocks run into dead ports, and reach nothing."""
        self.dead = True
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False
            coroutine = task.get_coro()
            for _ in range(100):
                try:
                    coroutine.close()
                    break
                except BaseException:  # noqa: BLE001  # it awaits once more, or meets a dead port
                    continue
        self._ready.clear()
        self._scheduled.clear()
        with suppress(RuntimeError):
            self.close()

    def _write_to_self(self):
        """Wake nobody: there is one thread only."""

    def _process_events(self, event_list):
        """See no sockets: there are none."""
