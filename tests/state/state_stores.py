"""A child process that works on a store of any kind."""

import subprocess
import sys
from pathlib import Path

from taskspec.state.model import TTL

HERE = Path(__file__).parent


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
