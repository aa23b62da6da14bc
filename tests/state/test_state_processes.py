"""What every state store promises between processes: locks, kills, suspended holders, disks that are full."""

import os
import random
import signal
import time
from contextlib import contextmanager

import pytest
from state_stores import STORES, child
from state_values import ALICE, BOB, EXTRACT, put, record

from taskspec.errors import LockHeldError, LostLeaseError

KILLS = int(os.environ.get("TASKSPEC_TEST_KILLS", "15"))

HOLD = """
lease = store.acquire(ALICE)
print("held", flush=True)
time.sleep(600)
"""
COMMIT_FOR_EVER = """
lease = store.acquire(ALICE)
serial = store.read().serial
while True:
    changes = [put(number=serial + 1), note(at=float(serial + 1)), put_result(str(serial + 1) * 70_000)]
    serial = store.commit(lease, serial, changes)
    print(serial, flush=True)
"""
FULL_DISK = """
import resource
lease = store.acquire(ALICE)
serial = store.commit(lease, 0, [put()])
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    while True:
        serial = store.commit(lease, serial, [put_result(str(serial) * 20_000)])
except StateError as error:
    print(type(error).__name__, serial, error.message, error.hint, sep="|", flush=True)
print(store.read().serial, store.commit(lease, serial, [put(REPORT)]) - serial, flush=True)
"""
BIG_RESULT_ON_FULL_DISK = """
import resource
lease = store.acquire(ALICE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    store.commit(lease, 0, [put(), put_result("x" * 1_000_000)])
except StateError as error:
    print(type(error).__name__, error.hint, sep="|", flush=True)
print(store.read().serial, flush=True)
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".taskspec"


@contextmanager
def running(kind, folder, body):
    process = child(kind, folder, body)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def said(process):
    line = process.stdout.readline().strip()
    assert line, process.stderr.read()
    return line


def test_a_lock_shuts_other_processes_out_and_names_its_holder(kind, folder, opened):
    with running(kind, folder, HOLD) as process:
        assert said(process) == "held"
        store = opened()
        with pytest.raises(LockHeldError, match="alice"):
            store.acquire(BOB)
        assert opened(read_only=True).holder() == ALICE


def test_the_lock_of_a_killed_holder_is_free_at_once(kind, folder, opened):
    with running(kind, folder, HOLD) as process:
        assert said(process) == "held"
        process.kill()
        process.wait()
        store = opened()
        assert store.holder() is None
        assert store.acquire(BOB).epoch == 2


def test_a_suspended_holder_still_holds(kind, folder, opened):
    with running(kind, folder, HOLD) as process:
        assert said(process) == "held"
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        with pytest.raises(LockHeldError):
            opened().acquire(BOB)


def test_exactly_one_of_many_gets_the_lock(kind, folder):
    body = """
try:
    store.acquire(ALICE)
    print("held", flush=True)
    time.sleep(600)
except LockHeldError as error:
    print(error.message, flush=True)
"""
    processes = [child(kind, folder, body) for _ in range(5)]
    try:
        answers = [said(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert answers.count("held") == 1
    assert sum("locked by" in answer for answer in answers) == 4


def test_a_kill_in_the_middle_of_commits_loses_nothing_acknowledged(kind, folder, opened):
    chance = random.Random(7)
    acknowledged = 0
    for _ in range(KILLS):
        with running(kind, folder, COMMIT_FOR_EVER) as process:
            acknowledged = int(said(process))
            time.sleep(chance.uniform(0, 0.06))
            process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        reader = opened(read_only=True)
        serial = reader.read().serial
        assert acknowledged <= serial <= acknowledged + 1
        assert reader.read().records == {EXTRACT: record(number=serial)}
        assert [entry.serial for entry in reader.history()] == list(range(serial, 0, -1))
        reader.close()


def test_reading_goes_on_while_another_process_writes(kind, folder, opened):
    with running(kind, folder, COMMIT_FOR_EVER) as process:
        first = int(said(process))
        reader = opened(read_only=True)
        seen = []
        while not seen or seen[-1] < first + 10:
            snapshot = reader.read()
            assert snapshot.records == {EXTRACT: record(number=snapshot.serial)}
            seen.append(snapshot.serial)
    assert seen == sorted(seen)


def test_a_full_disk_is_told_and_what_was_acknowledged_is_kept(kind, folder):
    with running(kind, folder, FULL_DISK) as process:
        name, serial, message, hint = said(process).split("|")
        assert (name, int(serial) >= 1) == ("StateError", True)
        assert str(folder) in message
        assert "everything that was recorded before is kept" in hint
        assert said(process) == f"{serial} 1"


def test_a_large_result_that_does_not_fit_keeps_the_whole_commit_out(kind, folder):
    with running(kind, folder, BIG_RESULT_ON_FULL_DISK) as process:
        assert said(process).startswith("StateError|Free some space")
        assert said(process) == "0"


def test_a_lease_that_was_taken_over_is_fenced_off(kind, folder, opened):
    first, second = opened(), opened()
    old = first.acquire(ALICE)
    (folder / "default" / "lock").unlink()
    new = second.acquire(BOB)
    with pytest.raises(LostLeaseError):
        first.commit(old, 0, [put(number=1)])
    assert second.commit(new, 0, [put(number=2)]) == 1
    assert second.read().records == {EXTRACT: record(number=2)}


def test_a_state_that_is_moved_away_is_a_lost_lease(kind, folder, opened):
    store = opened()
    lease = store.acquire(ALICE)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    other = STORES[kind](folder, "sales", "default", read_only=False)
    other.acquire(BOB)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    assert other.read().records == {}
    other.close()
