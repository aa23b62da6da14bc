"""A child process that works on a store of any kind."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from taskspec.state.model import TTL

HERE = Path(__file__).parent

HOLD_AS_ITSELF = """
import os, socket
from dataclasses import replace
from taskspec.state.processes import started_at
pid = os.getpid()
lease = store.acquire(replace(ALICE, host=socket.gethostname(), pid=pid, started=started_at(pid)))
print("held", flush=True)
"""
WRITE_WHEN_TOLD = f"""{HOLD_AS_ITSELF}
sys.stdin.readline()
try:
    print(store.commit(lease, 0, [put()]), flush=True)
except LostLeaseError as error:
    print("lost", error.message, flush=True)
"""


def child(place, folder, body, *, ttl=TTL):
    """Start a process that opens the store of a place as `store` and runs `body`, with `state_values` at hand."""
    prelude = f"""
import sys, time
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
from pathlib import Path
from state_servers import open_at
from state_values import *
from taskspec.errors import *
folder = Path({str(folder)!r})
store = open_at({place!r}, folder, ttl={ttl!r})
"""
    return subprocess.Popen(
        [sys.executable, "-c", prelude + body],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(place, folder, body, *, ttl=TTL):
    process = child(place, folder, body, ttl=ttl)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def said(process):
    line = process.stdout.readline().strip()
    assert line, process.stderr.read()
    return line
