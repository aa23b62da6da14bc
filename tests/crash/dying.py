"""Runs the command line as `python -m taskspec` does, and dies by SIGKILL in its n-th point; nothing is cleaned up.

    python tests/crash/dying.py N PROTOCOL apply FOLDER --yes      (N of 0: it lives; PROTOCOL `real`, or a naive one)

A point is before or after each durable thing and each request. A run prints nothing of its own.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from naive import naive

from taskspec.apply import publishing
from taskspec.cli import main
from taskspec.state import sqlite
from taskspec.taskapi.drivers.asynchronous import Connection


class Points:
    """Counts the points that are passed, and dies in one of them."""

    def __init__(self, deadly):
        self._deadly = deadly
        self._numbers = count(1)  # next() is atomic: the state is written in a thread

    def pass_one(self):
        if next(self._numbers) == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner, name):
        """Make a point before and one after each call of a function."""
        real = getattr(owner, name)

        def call(*args, **kwargs):
            self.pass_one()
            result = real(*args, **kwargs)
            self.pass_one()
            return result

        setattr(owner, name, call)

    def around_awaited(self, owner, name):
        real = getattr(owner, name)

        async def call(*args, **kwargs):
            self.pass_one()
            result = await real(*args, **kwargs)
            self.pass_one()
            return result

        setattr(owner, name, call)


def store_of(place):
    """Return what keeps the state at a place."""
    if place.startswith("postgres"):
        from taskspec.state.postgres.store import PostgresState

        return PostgresState
    if place:
        from taskspec.state.registers.store import RegisteredState

        return RegisteredState
    return sqlite.SqliteState


def begin(deadly, protocol, arguments):
    points = Points(deadly)
    for name in ("acquire", "read", "commit", "release"):
        points.around(store_of(os.environ.get("TASKSPEC_STATE", "")), name)
    points.around(sqlite, "statement")
    points.around(publishing, "_replace")
    points.around(os, "replace")
    points.around_awaited(Connection, "_exchange")
    sys.argv = ["taskspec", *arguments]
    with naive("" if protocol == "real" else protocol):
        main()


if __name__ == "__main__":
    begin(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
