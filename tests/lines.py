"""Stores over a line that a test may cut. Knows the servers, and no protocol."""

from state_servers import server


def through(line, kind, key):
    """Return the place that a key gives, as it is reached over a line."""
    there = server(kind)
    if hasattr(there, "tcp_place"):
        return f"{there.tcp_place(key, port=line.port)}&name=team"
    return there.place(key).replace(f":{there.port}", f":{line.port}")


def impatient(store, seconds):
    """Let a store give up so soon on a server that does not answer."""
    for part in (getattr(store, "_link", None), getattr(store, "_base", None)):
        if part is not None:
            assert part._patience > seconds
            part._patience = seconds
    return store
