"""The program in a process of its own, forked from one that has imported it: that takes a tenth of starting Python.

For commands that run to their end. What is about starting, signals or a terminal starts the program itself.
"""

import multiprocessing
import os
import runpy
import sys
import time
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory

from patience import PATIENCE

import taskspec

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [module.name for module in walk_packages(taskspec.__path__, "taskspec.") if "__main__" not in module.name]
)
_STREAMS = ((0, os.devnull, os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY))
_OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_")
"""What a process reads of its environment when it starts: it is that of the process that all are forked from."""


def starts_alike(environ):
    """Tell whether a process with that environment starts as one with that of this process."""

    def read(variables):
        return {name: value for name, value in variables.items() if name.startswith(_OF_THE_START)}

    return read(environ) == read(os.environ)


def run(arguments, folder, environ):
    """Run a command to its end; return its exit code as a shell tells it, and what it wrote to stdout and stderr."""
    with TemporaryDirectory() as place:
        streams = Path(place)
        process = _CONTEXT.Process(target=_run, args=(arguments, folder, environ, streams), daemon=True)
        process.start()
        process.join(PATIENCE)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        process.close()
        out, err = ((streams / name).read_text(encoding="utf-8") for name in ("out", "err"))
    if code is None:
        raise TimeoutError(f"{arguments} goes on\n{out}\n{err}")
    return code if code >= 0 else 128 - code, out, err


def _run(arguments, folder, environ, streams):
    for number, name, flags in _STREAMS:
        opened = os.open(streams / name, flags | os.O_CREAT * (number > 0) | os.O_TRUNC * (number > 0), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    of_python = sys.__stdout__
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - for the rest of the process, as the two after it
    sys.stdout = open(1, "w", encoding="utf-8", errors=of_python.errors)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv = ["taskspec", *arguments]
    runpy.run_module("taskspec", run_name="__main__", alter_sys=True)
