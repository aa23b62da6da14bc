"""Forks writers of a state and kills them, one order a line: starting Python for each would take far longer.

    {"place": …, "folder": …, "writer": "commits", "said": FILE, "after": SECONDS, "from": "said" or "begun"}

A writer appends each serial that it was told is durable to the file; it is killed so many seconds after the first one,
or after it has begun. Nothing is used here that does not survive a fork: what a store needs is loaded, and no more.
"""

import itertools
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from patience import PATIENCE
from state_servers import open_at
from state_values import ALICE, chained_document, note, put, put_result

from taskspec.errors import LockHeldError
from taskspec.state.model import INLINE_LIMIT

LARGE_EVERY = 8


def content_of(serial):
    """Return the result that is kept at a serial; some do not fit into a record's own text."""
    return str(serial) * (INLINE_LIMIT // 2 if serial % LARGE_EVERY == 0 else 10)


def seize(store, holder=ALICE):
    """Take the lock, also from a holder that is known to be dead."""
    try:
        return store.acquire(holder)
    except LockHeldError as error:
        store.force_release(error.lock["epoch"], holder)
        return store.acquire(holder)


def commits(store):
    """Commit for ever."""
    lease = seize(store)
    for serial in itertools.count(store.read().serial + 1):
        changes = [put(number=serial), note(at=float(serial)), put_result(content_of(serial))]
        yield store.commit(lease, serial - 1, changes)


def replaces(store):
    """Put another whole state in the place of the last one, for ever."""
    lease = seize(store)
    for serial in itertools.count(store.read().serial + 1):
        yield store.replace(lease, serial - 1, chained_document(serial))


def boasts(store):
    """Say that something is durable which is not."""
    lease = seize(store)
    yield store.commit(lease, store.read().serial, []) + 1
    time.sleep(PATIENCE)


WRITERS = {"commits": commits, "replaces": replaces, "boasts": boasts}


def write(order):
    """Be a writer; never return."""
    try:
        said = os.open(order["said"], os.O_WRONLY | os.O_APPEND)
        for serial in WRITERS[order["writer"]](open_at(order["place"], Path(order["folder"]))):
            os.write(said, b"%d\n" % serial)
    except BaseException:  # noqa: BLE001  # whatever it is, it is said
        os.write(said, traceback.format_exc().encode())
    finally:
        os._exit(1)


def kill(order):
    """Let a writer live for the time that it is given."""
    said = Path(order["said"])
    said.touch()
    writer = os.fork()
    if not writer:
        write(order)
    deadline = time.monotonic() + PATIENCE
    while order["from"] == "said" and not said.stat().st_size and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(order["after"])
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)


def main():
    loaded = set()
    for line in sys.stdin:
        order = json.loads(line)
        if order["place"] not in loaded:
            open_at(order["place"], Path(order["folder"]))
            loaded.add(order["place"])
        kill(order)
        print("killed", flush=True)


if __name__ == "__main__":
    main()
