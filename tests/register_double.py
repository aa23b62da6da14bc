"""A register in memory, with faults that a test asks for. Tests nothing."""

import threading
import time
import uuid
from collections import deque

from taskspec.state.register import AwayError, ConflictError, Held, UncertainError
from taskspec.state.store import Fencing


class Memory:
    """What the server keeps: any number of registers may look at it."""

    def __init__(self):
        self.guard = threading.Lock()
        self.held = None
        self.pieces = {}
        self.lock = None
        self.ahead = 0.0
        """Seconds by which the clock of the server is ahead."""
        self.faults = deque()
        """What goes wrong with the next swaps: `lost` (it happens, and no answer comes), `unsent` (it does not, and
        none comes), `refused` (it happens, and the server says that it does not: it was repeated on the way),
        `conflict` (it does not, and the server says so), `away`, None."""
        self.calls = deque()

    def now(self):
        return time.time() + self.ahead


class MemoryRegister:
    """A register with pieces, and no lock."""

    fencing = Fencing.SWAP
    notice = ""
    has_pieces = True
    has_lock = False

    def __init__(self, memory, place="memory://state", *, tells_time=True):
        self.memory = memory
        self.place = place
        self.tells_time = tells_time

    def load(self):
        self.memory.calls.append("load")
        return self.memory.held

    def swap(self, content, before, *, number, lock):
        self.memory.calls.append("swap")
        with self.memory.guard:
            fault = self.memory.faults.popleft() if self.memory.faults else None
            if callable(fault):
                fault = fault()
            if fault == "away":
                raise AwayError("Nobody answers at memory://state.")
            if fault == "unsent":
                raise UncertainError("cut")
            if fault == "conflict" or (before and before.tag) != (self.memory.held and self.memory.held.tag):
                raise ConflictError
            if self.has_lock and lock != (self.memory.lock and self.memory.lock.id):
                raise ConflictError
            written = self.memory.now() if self.tells_time else None
            self.memory.held = Held(content=content, tag=uuid.uuid4().hex, written=written)
            if fault == "lost":
                raise UncertainError("cut")
            if fault == "refused":
                raise ConflictError
            return self.memory.held

    def clock(self):
        return self.memory.now()

    def now(self):
        self.memory.calls.append("now")
        return self.memory.now()

    def put(self, name, content):
        self.memory.calls.append("put")
        self.memory.pieces[name] = content, self.memory.now()

    def get(self, name, start=0, length=None):
        self.memory.calls.append("get")
        content, _ = self.memory.pieces[name]
        return content[start:] if length is None else content[start : start + length]

    def drop(self, names):
        for name in names:
            self.memory.pieces.pop(name, None)

    def pieces(self):
        return [(name, written) for name, (_, written) in self.memory.pieces.items()]

    def lock(self, wanted):
        with self.memory.guard:
            if self.memory.lock is None:
                self.memory.lock = wanted
                return None
            return self.memory.lock

    def unlock(self, identifier):
        with self.memory.guard:
            if self.memory.lock is not None and self.memory.lock.id == identifier:
                self.memory.lock = None

    def close(self):
        pass


class LockingRegister(MemoryRegister):
    """A register without pieces, whose server has a lock of its own."""

    fencing = Fencing.LOCK
    has_pieces = False
    has_lock = True

    def __init__(self, memory, place="memory://state"):
        super().__init__(memory, place, tells_time=False)
