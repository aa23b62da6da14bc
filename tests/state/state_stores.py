"""The stores that there are, by name, and a child process that works on one."""

import subprocess
import sys
from pathlib import Path

from taskspec.state.sqlite import SqliteState

STORES = {"sqlite": SqliteState}
HERE = Path(__file__).parent


def child(kind, folder, body):
    """Start a process that opens the store as `store` and runs `body`, with everything of `state_values` at hand."""
    prelude = f"""
import sys, time
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from state_stores import STORES
from state_values import *
from taskspec.errors import *
store = STORES[{kind!r}](Path({str(folder)!r}), "sales", "default", read_only=False)
"""
    return subprocess.Popen(
        [sys.executable, "-c", prelude + body],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
