"""The processes of this machine, as the kernel shows them: which one has an id, and whether it goes on. Ends none."""

from pathlib import Path
from typing import Final

_STOPPED: Final = frozenset("Tt")  # by a signal, by a debugger
_STATE, _STARTED = 0, 19  # counted from the field after the name (proc_pid_stat(5): fields 3 and 22)


def started_at(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine did; None where the system does not tell.

    Unlike a time of day it stays the same when a clock is set.
    """
    fields = _fields(pid)
    return int(fields[_STARTED]) if fields else None


def is_suspended(pid: int, started: int | None) -> bool:
    """Tell whether this very process is stopped and waits for somebody to let it go on."""
    fields = _fields(pid)
    return bool(fields) and int(fields[_STARTED]) == started and fields[_STATE] in _STOPPED


def _fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before may hold anything
