"""cancel: asks the command that holds the lock of a state to end in order. Ends no run, and takes no lock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from taskspec.address import Address
from taskspec.errors import LockHeldError
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.state.asking import Asked, ask_to_end
from taskspec.state.holding import held
from taskspec.state.model import Attempt, Holder, Holding, Sending
from taskspec.state.store import StateReader

PAUSE: Final = 0.1
"""Seconds between two looks at the lock."""
_INTRODUCTION: Final = 2.0
"""Seconds that a command which is just beginning has to say who it is."""


class Cancelled(Enum):
    """What has become of the command that held the lock."""

    NOBODY = "nobody"  # nobody held it
    ENDED = "ended"
    RELIEVED = "relieved"  # it has ended, and another command holds the lock now


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancellation:
    """How a command was cancelled, and what is recorded after it: runs that go on, and those of unknown outcome."""

    outcome: Cancelled
    holder: Holder | None = None
    woken: bool = False
    """It was suspended, and went on in order to end."""
    running: tuple[Address, ...] = ()
    unknown: tuple[Address, ...] = ()


Tell = Callable[[Holding], None]
"""Says who is asked to end."""


def cancel(invocation: Invocation, ports: Ports, patience: float, tell: Tell) -> Cancellation:
    """Ask the holder of the lock to end, and wait for so many seconds until the lock is free.

    Raises LockHeldError where the holder is on another machine, is not proven to be the process of its id, may not be
    asked by this user, or has not ended in time.
    """
    project = project_of(invocation)
    store = ports.open_state(project, read_only=True)
    try:
        holding = _introduced(store)
        if holding is None:
            return Cancellation(outcome=Cancelled.NOBODY)
        found, holder = held(project.environment, holding), holding.holder
        if holder is None:
            raise found
        if holder.host != ports.holder().host:
            job = f"or cancel its CI job: {holder.job}" if holder.job else "or cancel the job that it belongs to"
            raise _refusal(found, f"It can be ended only on {holder.host}.", f"End it there, {job}.")
        tell(holding)
        asked = ask_to_end(holder)
        if asked in {Asked.FOREIGN, Asked.FORBIDDEN} and _is_same(store.holding(), holding):
            raise _refusal(found, *_obstacle(asked, holder))
        if not _ended(store, holding, patience):
            text = f"It was asked to end, and still holds the lock after {patience:g} s."
            raise _refusal(held(project.environment, store.holding()), text, _IMPATIENT)
        return _left(store, holder, woken=asked is Asked.WOKEN)
    finally:
        store.close()


_IMPATIENT: Final = (
    "It may be recording what was running, or wait for the remote. `taskspec cancel --timeout 10m` waits longer, and "
    "asks once more: then it ends at once, and the next apply finds out what became of its runs."
)


def _obstacle(asked: Asked, holder: Holder) -> tuple[str, str]:
    if asked is Asked.FORBIDDEN:
        return "Its process belongs to another user, so that it got no signal.", f"{holder.user} can cancel it."
    why = f"Nothing proves that process {holder.pid} of this machine is that command, so that it got no signal."
    return why, "It may run in a container, or on a machine of the same name: end it there."


def _refusal(found: LockHeldError, why: str, hint: str) -> LockHeldError:
    return LockHeldError(f"{found.message} {why}", hint=hint, lock=found.lock)


def _introduced(store: StateReader) -> Holding | None:
    """Return how the lock is held; a command that is just beginning gets a moment to say who it is."""
    end = time.monotonic() + _INTRODUCTION
    while (holding := store.holding()) is not None and holding.holder is None and time.monotonic() < end:
        time.sleep(PAUSE)
    return holding


def _is_same(now: Holding | None, then: Holding) -> bool:
    """Tell whether a lock is still held by the same command; one that was just beginning had no epoch yet."""
    return now is not None and now.holder in {then.holder, None}


def _ended(store: StateReader, holding: Holding, patience: float) -> bool:
    end = time.monotonic() + patience
    while _is_same(store.holding(), holding):
        if time.monotonic() >= end:
            return False
        time.sleep(PAUSE)
    return True


def _left(store: StateReader, holder: Holder, *, woken: bool) -> Cancellation:
    """Return what is recorded after a command has ended."""
    last = {address: record.generation.last for address, record in store.read().records.items()}
    return Cancellation(
        outcome=Cancelled.ENDED if store.holding() is None else Cancelled.RELIEVED,
        holder=holder,
        woken=woken,
        running=tuple(address for address, attempt in last.items() if attempt is not None and _goes_on(attempt)),
        unknown=tuple(a for a, attempt in last.items() if attempt is not None and attempt.sending is Sending.INTENDED),
    )


def _goes_on(attempt: Attempt) -> bool:
    return attempt.sending is Sending.BOUND and attempt.verdict is None
