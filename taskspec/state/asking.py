"""Asking the very process that holds a lock to end: no later process of its id ever gets the signal. Takes no lock."""

import os
import signal
from enum import Enum

from taskspec.state.model import Holder
from taskspec.state.processes import is_suspended, started_at


class Asked(Enum):
    """What has become of asking a process to end."""

    SENT = "sent"
    WOKEN = "woken"  # it was suspended: it goes on, in order to end
    GONE = "gone"  # it is not there any more
    FOREIGN = "foreign"  # nothing proves that the process of this id is the holder
    FORBIDDEN = "forbidden"  # it belongs to another user


def ask_to_end(holder: Holder) -> Asked:
    """Send SIGTERM to the process of a holder on this machine, if it proves to be that one.

    The process is held by a descriptor first and looked at then: whatever its id comes to mean, the signal is for it.
    """
    if holder.started is None:
        return Asked.FOREIGN
    try:
        process = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return Asked.GONE
    except (AttributeError, OSError):
        return Asked.FOREIGN  # a system that cannot hold a process proves nothing
    try:
        if started_at(holder.pid) != holder.started:
            return Asked.FOREIGN
        suspended = is_suspended(holder.pid, holder.started)
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if suspended:
            signal.pidfd_send_signal(process, signal.SIGCONT)
    except ProcessLookupError:
        return Asked.GONE
    except PermissionError:
        return Asked.FORBIDDEN
    finally:
        os.close(process)
    return Asked.WOKEN if suspended else Asked.SENT
