"""How long tests wait, and how much work they allow: bounds that only a mistake breaks. Knows nothing of taskspec."""

import time
from contextlib import contextmanager

PATIENCE = 120.0
"""Seconds after which a wait is a hang, however busy the machine is."""
LITTLE = 60.0
"""Seconds of its own CPU time that nothing takes which is to be quick: many times what it does take."""


def until(holds, tell=lambda: "waited too long"):
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, tell()
        time.sleep(0.01)
    return found


@contextmanager
def little_work():
    """Fail where what is done within takes much CPU time; how busy the machine is does not count."""
    began = time.process_time()
    yield
    assert time.process_time() - began < LITTLE
