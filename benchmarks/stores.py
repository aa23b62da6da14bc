"""What each kind of store costs as the state grows: reading all of it, and committing one record. taskspec alone.

The servers are those of the tests: on this machine, so that what is shown is the work, and not the way to a server.
"""

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "state"))

from state_servers import KINDS, open_at, server
from state_values import ALICE, note, put, put_result

from taskspec.address import Address

SIZES = [1_000, 10_000, 100_000]
WHOLE = 10_000
"""The largest state that a store which writes all of it with each commit is filled with."""
AT_ONCE = 1_000
COMMITS = 50

COLUMNS = ("tasks", "store", "read all, s", "read one, s", "commit, ms", "slowest, ms", "requests", "bytes sent")


def main() -> int:
    """Fill each store to each size, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", metavar="N", help="how many tasks (1000 10000 100000)")
    parser.add_argument("--kind", action="append", choices=sorted(KINDS), help="only this kind of store")
    options = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    for kind in options.kind or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            for row in _rows(kind, Path(folder), sorted(options.sizes or SIZES)):
                print("| " + " | ".join(row) + " |", flush=True)
    return 0


def _rows(kind, folder, sizes):
    place = server(kind).place(uuid.uuid4().hex)
    store = open_at(place, folder)
    lease = store.acquire(ALICE)
    serial = filled = 0
    asked = _counted(store)
    for size in sizes:
        if store.capabilities.whole and size > WHOLE:
            break
        while filled < size:
            names = [Address(f"task-{number:06}") for number in range(filled, min(size, filled + AT_ONCE))]
            serial = store.commit(lease, serial, [change for name in names for change in (put(name), note(name))])
            filled += len(names)
        store.renew(lease)
        asked.clear()
        took = []
        for number in range(COMMITS):
            name = Address(f"task-{number * filled // COMMITS:06}")
            changes = [put(name, number=serial), note(name), put_result(f"result {serial}")]
            began = time.perf_counter()
            serial = store.commit(lease, serial, changes)
            took.append(time.perf_counter() - began)
        sent = dict(asked)
        requests = f"{sent['requests'] / COMMITS:.1f}" if sent else "-"
        size_sent = f"{sent['bytes'] / COMMITS:,.0f}" if sent else "-"
        whole, one = _read(place, folder, None), _read(place, folder, [Address("task-000007")])
        milliseconds = f"{statistics.median(took) * 1000:.1f}", f"{max(took) * 1000:.1f}"
        yield f"{size:,}", kind, f"{whole:.2f}", f"{one:.2f}", *milliseconds, requests, size_sent
    store.close()


def _read(place, folder, only):
    """Return the seconds in which a command that begins reads the records."""
    store = open_at(place, folder, read_only=True)
    began = time.perf_counter()
    assert store.read(only=only).records
    took = time.perf_counter() - began
    store.close()
    return took


def _counted(store):
    """Count what a store asks of its register, where it is in one."""
    counts = Counter()
    register = getattr(store, "_register", None)
    for name in ("load", "swap", "put", "get", "drop") if register is not None else ():
        setattr(register, name, _counting(getattr(register, name), counts))
    return counts


def _counting(call, counts):
    def counted(*arguments, **named):
        counts["requests"] += 1
        counts["bytes"] += sum(len(value) for value in arguments if isinstance(value, bytes))
        return call(*arguments, **named)

    return counted


if __name__ == "__main__":
    sys.exit(main())
