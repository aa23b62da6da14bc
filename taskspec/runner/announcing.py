"""Announcing: what is to be said of a state before it is used. Takes no lock, and needs no event loop."""

from taskspec.runner.model import Ports
from taskspec.state.model import Snapshot
from taskspec.state.store import StateReader


def say_beginning(snapshot: Snapshot, store: StateReader, ports: Ports) -> None:
    """Tell where nothing is kept yet though others could have: a typo in the place, or a project that was renamed."""
    if not snapshot.serial and store.capabilities.shared:
        ports.begins(store.capabilities.place)
