"""A lock that a file stands for: the system frees it when its holder dies. Knows nothing of what it protects."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

TRIES: Final = 6
PAUSE: Final = 0.03
"""Seconds between two tries: whoever only asks `is_taken` holds the lock for some microseconds."""


def take(path: Path) -> int | None:
    """Take the lock and return the open file that holds it, or None while another process has it."""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if _locked(lock, fcntl.LOCK_EX) and stands_for(lock, path):
            return lock
        os.close(lock)
    return None


def drop(lock: int) -> None:
    """Give the lock back."""
    os.close(lock)


def is_taken(path: Path) -> bool:
    """Tell whether a living process has the lock."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not _locked(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)


def stands_for(lock: int, path: Path) -> bool:
    """Tell whether the open file is still the one at the path: a lock on a deleted file locks nobody out."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
