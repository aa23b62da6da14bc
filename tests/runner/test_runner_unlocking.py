"""The story of force-unlock: who may lose a lock, and who keeps it."""

import os

import pytest
from runner_ports import HOLDER

from taskspec.errors import LockHeldError, LostLeaseError
from taskspec.runner.unlocking import Unlocked, unlock
from taskspec.state.sqlite import SqliteState


@pytest.fixture
def other(ports):
    """Another command that holds the lock, and says that it lives."""
    ports.task()
    store = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    store.lease = store.acquire(HOLDER)
    yield store
    store.close()


def silence(ports):
    os.utime(ports.folder / ".taskspec" / "default" / "lock", (0, 0))


def unlocked(ports, epoch=1, approve=lambda holding: True, *, force=False):
    return unlock(ports.invocation(), ports, epoch, approve, force=force)


def test_who_has_not_lived_for_long_loses_the_lock_for_good(ports, other):
    silence(ports)
    shown = []
    assert unlocked(ports, approve=lambda holding: shown.append(holding.holder) or True) is Unlocked.TAKEN
    assert shown == [HOLDER]
    with pytest.raises(LostLeaseError, match="took it over"):
        other.commit(other.lease, 0, [])
    ports.apply()
    assert len(ports.remote.runs) == 1


def test_who_is_at_work_keeps_the_lock(ports, other):
    with pytest.raises(LockHeldError, match=r"Whoever is at work keeps the lock\. .* alice on laptop"):
        unlocked(ports)
    assert other.commit(other.lease, 0, []) == 1


def test_who_is_at_work_loses_the_lock_by_force(ports, other):
    assert unlocked(ports, force=True) is Unlocked.TAKEN
    with pytest.raises(LostLeaseError):
        other.commit(other.lease, 0, [])


def test_who_comes_back_to_life_while_somebody_thinks_keeps_the_lock(ports, other):
    silence(ports)
    with pytest.raises(LockHeldError, match="at work"):
        unlocked(ports, approve=lambda holding: other.renew(other.lease) or True)
    assert other.commit(other.lease, 0, []) == 1


@pytest.mark.parametrize("force", [False, True])
def test_another_epoch_takes_no_lock(ports, other, force):
    silence(ports)
    with pytest.raises(LockHeldError, match=r"not held under epoch 2\. .*alice on laptop.* Epoch 1,"):
        unlocked(ports, 2, force=force)
    assert other.commit(other.lease, 0, []) == 1


def test_what_is_not_approved_is_left(ports, other):
    silence(ports)
    assert unlocked(ports, approve=lambda holding: False) is Unlocked.LEFT
    assert other.commit(other.lease, 0, []) == 1


def test_a_lock_that_nobody_has_is_free_whichever_epoch_is_named(ports, other):
    other.close()
    assert unlocked(ports, 99, approve=None) is Unlocked.FREE


def test_who_dies_while_somebody_thinks_has_freed_the_lock(ports, other):
    silence(ports)
    assert unlocked(ports, approve=lambda holding: other.close() or True) is Unlocked.FREE


def test_where_there_is_no_state_nothing_is_locked_and_nothing_is_made(ports):
    ports.task()
    assert unlocked(ports, approve=None) is Unlocked.FREE
    assert not (ports.folder / ".taskspec").exists()
