"""The sessions of calls that no client makes: one for each configuration that is given, and one for all others."""

import os
import threading

from taskspec.taskapi.tasks.configuration import Configuration
from taskspec.taskapi.tasks.sessions import Session, require_configuration

_LOCK = threading.Lock()
_DEFAULTS: dict[int, Configuration] = {}
"""The environment's configuration by process: a fork must not talk over the sockets of its parent."""


def shared_session(configuration: Configuration | None) -> Session:
    """Return the session that a configuration itself holds; default: the environment's.

    It lives as long as the configuration, or whatever was read through it; the default one until the program ends.
    """
    chosen = _default() if configuration is None else configuration
    require_configuration(chosen)
    held: Session | None = chosen.__dict__.get("_session")
    return chosen.__dict__.setdefault("_session", Session(chosen)) if held is None else held


def _default() -> Configuration:
    """Return the environment's configuration, as the same object for as long as the environment says the same."""
    now, process = Configuration(), os.getpid()
    with _LOCK:
        held = _DEFAULTS.get(process)
        if held != now:
            _DEFAULTS.clear()
            held = _DEFAULTS[process] = now
        return held
