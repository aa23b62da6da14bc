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
from contextlib import suppress
from pathlib import Path

from patience import PATIENCE
from state_servers import open_at
from state_values import ALICE, chained_document, note, put, put_result

from taskspec.errors import LockHeldError
from taskspec.state.model import INLINE_LIMIT

LARGE = 12
"""At the serials that are divided by it the result is one that no store keeps within a record."""


TTL = 3.0
"""Seconds that a writer's lease lasts; it writes all the time."""


def content_of(serial):
    """Return the result that is kept at a serial."""
    return str(serial) * (INLINE_LIMIT // 2 + 1 if serial % LARGE == 0 else 10)


def changes_of(serial):
    """Return changes that say at which serial they were made."""
    return [put(number=serial), note(at=float(serial)), put_result(content_of(serial))]


def seize(store, holder=ALICE):
    """Take the lock, also from a holder that is known to be dead."""
    while True:
        with suppress(LockHeldError):
            return store.acquire(holder)
        if (holding := store.holding()) is not None:
            store.force_release(holding.epoch, holder)
        else:
            time.sleep(0.05)  # one who died between the server's lock and the lease: that lock lapses


def commits(store):
    """Commit for ever."""
    lease = seize(store)
    for serial in itertools.count(store.read().serial + 1):
        yield store.commit(lease, serial - 1, changes_of(serial))


def replaces(store):
    """Put another whole state in the place of the last one, for ever."""
    lease = seize(store)
    for serial in itertools.count(store.read().serial + 1):
        yield store.replace(lease, serial - 1, chained_document(serial))


def boasts(store):
    """Say that something is durable which is not."""
    lease, serial = seize(store), store.read().serial
    yield store.commit(lease, serial, changes_of(serial + 1)) + 1
    time.sleep(PATIENCE)


WRITERS = {"commits": commits, "replaces": replaces, "boasts": boasts}


def write(order):
    """Be a writer; never return."""
    try:
        said = os.open(order["said"], os.O_WRONLY | os.O_APPEND)
        for serial in WRITERS[order["writer"]](open_at(order["place"], Path(order["folder"]), ttl=TTL)):
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
