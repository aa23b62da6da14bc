"""Forks whole command lines, many at once, and takes down when each has the lock. To start Python takes far longer.

    {"log": FILE, "ruthless": BOOL, "commands": [{"words": […], "environ": {…}, "said": FILE}, …]}  an order
    {"pids": […], "codes": […]}      the answer, when all have ended

What has the lock writes `in PID` into the log when it was told so, and `out PID` just before it gives it back. Who is
ruthless takes the lock from whoever has it: that has to be caught.
"""

import json
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import neighbours  # noqa: F401

from taskspec.cli import main as command_line
from taskspec.cli import wiring
from taskspec.errors import LockHeldError

LOADED = (
    "taskspec.cli.apply",
    "taskspec.runner.applying",
    "taskspec.taskapi.drivers.asynchronous",
    "taskspec.taskapi.drivers.lines",
    "taskspec.state.sqlite",
    "taskspec.state.registers.store",
    "taskspec.state.objects.driver",
    "taskspec.state.terraform.driver",
    "taskspec.state.postgres.store",
    "obstore",
    "psycopg",
    "httpx",
)
"""What most commands need, and what survives a fork as long as nobody has used it."""


def witness(log, *, ruthless):
    """Take down when a store of this process has the lock."""
    real = wiring.open_store

    def opened(place, wanted):
        store = real(place, wanted)
        acquire, release = store.acquire, store.release

        def taken(holder):
            lease = seized(store, acquire, holder) if ruthless else acquire(holder)
            os.write(log, b"in %d\n" % os.getpid())
            return lease

        def given_back(lease):
            os.write(log, b"out %d\n" % os.getpid())
            release(lease)

        store.acquire, store.release = taken, given_back
        return store

    wiring.open_store = opened


def seized(store, acquire, holder):
    while True:
        with suppress(LockHeldError):
            return acquire(holder)
        with suppress(LockHeldError):
            store.force_release(store.holding().epoch, holder)


def be(command, order):
    """Be a command; never return."""
    code = 1
    try:
        said = os.open(command["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.environ.clear()
        os.environ.update(command["environ"])
        sys.argv = ["taskspec", *command["words"]]
        witness(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), ruthless=order["ruthless"])
        command_line()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  # whatever it is, it is said
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def main():
    for name in LOADED:
        import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        pids = []
        for command in order["commands"]:
            pids.append(os.fork())
            if not pids[-1]:
                be(command, order)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        print(json.dumps({"pids": pids, "codes": codes}), flush=True)


if __name__ == "__main__":
    main()
