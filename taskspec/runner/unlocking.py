"""Unlocking: takes the lock of a project's state from a holder that does not go on. Ends no process and no run."""

from collections.abc import Callable
from enum import Enum

from taskspec.documents.model import Project
from taskspec.errors import LockHeldError
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.state.holding import held
from taskspec.state.model import Holding
from taskspec.state.store import StateStore

Approve = Callable[[Holding], bool]
"""Shows who holds a lock, and tells whether it is to be taken from them."""


class Unlocked(Enum):
    """What has become of a lock."""

    FREE = "free"  # nobody held it, or not any more
    TAKEN = "taken"
    LEFT = "left"  # it was not approved


def unlock(invocation: Invocation, ports: Ports, epoch: int, approve: Approve, *, force: bool) -> Unlocked:
    """Take the lock from the lease of that epoch, if it is held and this is approved.

    Raises LockHeldError where it is held under another epoch, and, unless forced, where its holder lives: also one
    that has come back to life while somebody thought about it.
    """
    project = project_of(invocation)
    store = ports.open_state(project, read_only=False)
    try:
        holding = _breakable(store, project, epoch, force=force)
        if holding is None:
            return Unlocked.FREE
        if not approve(holding):
            return Unlocked.LEFT
        if _breakable(store, project, epoch, force=force) is None:
            return Unlocked.FREE
        store.force_release(epoch, ports.holder())
        return Unlocked.TAKEN
    finally:
        store.close()


def _breakable(store: StateStore, project: Project, epoch: int, *, force: bool) -> Holding | None:
    holding = store.holding()
    if holding is None:
        return None
    error = held(project.environment, holding)
    if holding.epoch != epoch:
        raise _refusal(f"The lock is not held under epoch {epoch}.", error)
    if holding.is_alive and not force:
        raise _refusal("Whoever is at work keeps the lock.", error)
    return holding


def _refusal(why: str, error: LockHeldError) -> LockHeldError:
    return LockHeldError(f"{why} {error.message}", hint=error.hint, lock=error.lock)
