"""The file of a state's lock: what it says, who may read it, and what becomes of it."""

import os
import time

import pytest
from state_values import ALICE, BOB, EXTRACT, put, record

from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.state.lockfile import LockFile
from taskspec.state.model import TTL
from taskspec.state.sqlite import SqliteState


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".taskspec"


@pytest.fixture
def opened(folder):
    stores = []

    def open_store():
        stores.append(SqliteState(folder, "sales", "default", read_only=False))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


def test_a_heartbeat_is_the_time_stamp_of_the_file_and_touches_no_state(opened, folder):
    store = opened()
    lease = store.acquire(ALICE)
    lock, state = folder / "default" / "lock", folder / "default" / "state.db"
    written = lock.read_bytes(), state.stat().st_mtime_ns
    os.utime(lock, (0, 0))
    assert store.holding().silent > TTL
    assert not store.holding().is_alive
    store.renew(lease)
    assert store.holding().is_alive
    assert (lock.read_bytes(), state.stat().st_mtime_ns) == written


def test_a_heartbeat_in_the_future_is_one_of_now(opened, folder):
    store = opened()
    store.acquire(ALICE)
    later = time.time() + 3600
    os.utime(folder / "default" / "lock", (later, later))
    assert store.holding().silent == 0
    assert store.holding().is_alive


def test_a_lock_that_was_given_back_says_nothing_of_its_last_holder(opened, folder):
    store = opened()
    lease = store.acquire(ALICE)
    assert b"alice" in (folder / "default" / "lock").read_bytes()
    store.release(lease)
    assert (folder / "default" / "lock").read_bytes() == b""


def test_a_holder_is_named_before_it_has_an_epoch(folder):
    folder.mkdir()
    lock = LockFile(folder / "lock")
    assert lock.take(ALICE)
    assert (lock.look().holder, lock.look().epoch) == (ALICE, 0)
    lock.drop()
    assert lock.look() is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b"[1]", b'{"epoch":1,"holder":{}}', b'{"epoch":"1"}'])
def test_what_a_lock_says_may_be_unreadable(opened, folder, content):
    opened().acquire(ALICE)
    (folder / "default" / "lock").write_bytes(content)
    store = opened()
    assert store.holding().holder is None
    with pytest.raises(LockHeldError, match="not yet said more"):
        store.acquire(BOB)


def test_a_holder_whose_lock_goes_before_it_has_begun_does_not_begin(opened, folder, monkeypatch):
    first = opened()
    first.release(first.acquire(ALICE))
    taken = LockFile.take

    def take_and_lose(lock, holder):
        assert taken(lock, holder)
        lock.remove()
        return True

    store = opened()
    monkeypatch.setattr(LockFile, "take", take_and_lose)
    with pytest.raises(LostLeaseError):
        store.acquire(ALICE)
    monkeypatch.undo()
    assert opened().acquire(BOB).epoch == 2


def test_the_lock_of_a_folder_that_is_put_in_the_place_of_another_is_no_lock_of_the_first(opened, folder):
    first = opened()
    lease = first.acquire(ALICE)
    (folder / "default").rename(folder / "elsewhere")
    with pytest.raises(LostLeaseError, match="taken over, moved or deleted"):
        first.renew(lease)
    second = opened()
    second.commit(second.acquire(BOB), 0, [put(number=2)])
    with pytest.raises(LostLeaseError, match="taken over, moved or deleted"):
        first.commit(lease, 0, [put(number=1)])
    first.release(lease)
    assert second.holding().holder == BOB
    assert second.read().records == {EXTRACT: record(number=2)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_a_folder_that_may_not_be_written_the_holder_can_be_seen_and_no_lock_be_had(opened, folder):
    store = opened()
    lease = store.acquire(ALICE)
    (folder / "default" / "lock").chmod(0o400)
    (folder / "default").chmod(0o500)
    try:
        assert opened().holding().holder == ALICE
        store.renew(lease)
        with pytest.raises(StateError, match="Permission denied"):
            opened().acquire(BOB)
    finally:
        (folder / "default").chmod(0o700)
