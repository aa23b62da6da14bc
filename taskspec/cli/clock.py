"""The clock of a command: the time of day when it is made, and from then on the seconds that have really passed.

What happens to the clock of the machine meanwhile (somebody sets it, a time server corrects it) cuts no waiting short
and lets nothing take too long; the seconds of a machine that sleeps count too, where the system counts them.
"""

import time
from collections.abc import Callable


def steady_clock() -> Callable[[], float]:
    """Return a clock that gives seconds since the epoch and never goes back."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    offset = time.time() - time.clock_gettime(source)
    return lambda: offset + time.clock_gettime(source)
