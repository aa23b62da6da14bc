"""A line to a server that a test may cut, slow down, or close for a while. Knows no protocol."""

import asyncio
import contextlib
import threading
from enum import Enum
from random import Random

REQUEST, ANSWER = "request", "answer"
PIECE = 64 * 1024
PAUSE = 0.05
"""Seconds that a slow line takes for one piece."""


class Fate(Enum):
    """What becomes of one piece of what is sent."""

    PASSED = "passed"
    SLOW = "slow"
    UNSENT = "unsent"  # the line is cut before it
    LAST = "last"  # … after it
    HALF = "half"  # … in the middle of it


BAD = tuple(fate for fate in Fate if fate is not Fate.PASSED)


class CuttingProxy:
    """Hands on, in a thread of its own, what clients of its `port` and a server on the loopback say to each other."""

    def __init__(self, server_port):
        self._server_port = server_port
        self._fate = lambda: Fate.PASSED
        self._left = {}
        self._is_open = True
        self._flows = asyncio.Event()
        self._clients = set()
        self._orphans = set()
        self._lines = set()
        self.cuts = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting-proxy", daemon=True)
        self._thread.start()
        self._loop.call_soon_threadsafe(self._flows.set)
        self._listening = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._listening.sockets[0].getsockname()[1]

    @contextlib.contextmanager
    def failing(self, rate, random: Random):
        """Let so many pieces, of those that go to and fro, not simply pass."""

        def fate():
            return random.choice(BAD) if random.random() < rate else Fate.PASSED

        self._fate = fate
        try:
            yield
        finally:
            self._fate = lambda: Fate.PASSED

    @contextlib.contextmanager
    def closed(self):
        """Cut every line, and refuse new ones."""
        self._is_open = False
        self.cut()
        try:
            yield
        finally:
            self._is_open = True

    def cut(self):
        """Cut every line."""

        async def cut():
            for writer in list(self._lines):
                writer.transport.abort()

        self._run(cut())

    def cut_after(self, direction, number, then=None):
        """Cut a line when so many bytes more have passed in a direction; `then` is called before anybody notices."""
        self._left = {direction: (number, then or (lambda: None))}

    def orphan(self):
        """Cut every line for its client alone: the server goes on, and hears nothing of it."""

        async def orphan():
            self._orphans |= self._clients
            for writer in list(self._clients):
                writer.transport.abort()

        self._run(orphan())

    @contextlib.contextmanager
    def silent(self):
        """Hand nothing on, and close nothing."""
        self._loop.call_soon_threadsafe(self._flows.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flows.set)

    def close(self):
        async def close():
            self._listening.close()
            for writer in list(self._lines):
                writer.transport.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(others, timeout=5) if others else None
            for _ in range(3):
                await asyncio.sleep(0)  # what was aborted is closed in the rounds that follow

        self._run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self, reader, writer):
        if not self._is_open:
            writer.transport.abort()
            return
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, to}
        self._lines |= ends
        self._clients.add(writer)
        try:
            await asyncio.gather(self._carry(reader, to, ends, REQUEST), self._carry(there, writer, ends, ANSWER))
        finally:
            self._lines -= ends
            self._clients.discard(writer)
            self._orphans.discard(writer)
            for end in ends:
                end.close()

    async def _carry(self, reader, writer, ends, direction):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                await self._flows.wait()
                if ends & self._orphans:
                    continue
                passing = self._passing(direction, len(piece))
                fate = self._fate() if passing is None else Fate.LAST
                if fate is Fate.SLOW:
                    await asyncio.sleep(PAUSE)
                if fate is not Fate.UNSENT:
                    writer.write(piece[: len(piece) // 2] if fate is Fate.HALF else piece[:passing])
                    await writer.drain()
                if passing is not None:
                    self._left.pop(direction)[1]()
                if fate in {Fate.UNSENT, Fate.LAST, Fate.HALF}:
                    self.cuts += 1
                    break
        if not ends & self._orphans:
            for end in ends:
                end.close()

    def _passing(self, direction, length):
        """Return how many of some bytes pass before their line is cut; None where it is not cut within them."""
        if direction not in self._left:
            return None
        number, then = self._left[direction]
        if number > length:
            self._left[direction] = number - length, then
            return None
        return number
