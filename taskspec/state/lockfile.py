"""The file of a state's lock: it says who holds the lock, and its time stamp when they last lived. Touches no state.

All of it can be read while the holder is stopped in the middle of a commit, when its database cannot.
"""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from taskspec.state import locking, processes
from taskspec.state.holders import decode_holding, encode_holding
from taskspec.state.model import Holder, Holding

_LONGEST: Final = 64 * 1024


class LockFile:
    """The lock at a path: taken, said to be alive, given back; or looked at, and taken away, by somebody else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self, holder: Holder) -> bool:
        """Take the lock for a holder whose epoch is not known yet; return False where it is held."""
        taken = locking.take(self.path)
        if taken is None:
            return False
        self._file = taken
        self.say(holder, 0)
        return True

    def say(self, holder: Holder, epoch: int) -> None:
        """Say who holds the lock, and under which epoch; that this fails is no reason not to hold it."""
        if self._file is None:
            return
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, encode_holding(holder, epoch).encode(), 0)

    def beat(self) -> bool:
        """Say that the holder lives; return False where the lock was taken away from it."""
        if self._file is None or not locking.stands_for(self._file, self.path):
            return False
        os.utime(self._file)
        return True

    def drop(self) -> None:
        """Give the lock back, if it is held."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
            locking.drop(self._file)
            self._file = None

    def look(self) -> Holding | None:
        """Return how the lock is held; None where it is free."""
        if not locking.is_taken(self.path):
            return None
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                silent = max(0.0, time.time() - os.fstat(file.fileno()).st_mtime)
                text = file.read(_LONGEST)
        except FileNotFoundError:
            return None
        try:
            holder, epoch = decode_holding(text)
        except ValueError:
            return Holding(holder=None, epoch=0, silent=silent)
        here = holder.started is not None and holder.host == socket.gethostname()
        suspended = here and processes.is_suspended(holder.pid, holder.started)
        return Holding(holder=holder, epoch=epoch, silent=silent, suspended=suspended)

    def remove(self) -> None:
        """Take the lock away from whoever holds it: the next one takes another file."""
        self.path.unlink(missing_ok=True)
