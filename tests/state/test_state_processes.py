"""What every state store promises between processes: locks, kills, suspended holders, disks that are full."""

import os
import signal

import pytest
from patience import until
from state_servers import open_at
from state_stores import HOLD_AS_ITSELF, WRITE_WHEN_TOLD, child, running, said
from state_values import ALICE, BOB, EXTRACT, put, record

from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.state import database

MANY = 20

HOLD = """
lease = store.acquire(ALICE)
print("held", flush=True)
time.sleep(600)
"""
HOLD_IN_A_WRITE = f"""{HOLD_AS_ITSELF}
store._database.opened().execute("BEGIN EXCLUSIVE")
print("writing", flush=True)
time.sleep(60)
"""
TAKE_TURNS = """
while True:
    try:
        lease = store.acquire(ALICE)
        break
    except LockHeldError as error:
        print(error.message, flush=True)
        time.sleep(0.01)
with open(folder / "turns", "a") as turns:
    turns.write("in\\n"), turns.flush()
    serial = store.read().serial
    store.commit(lease, serial, [put(number=serial + 1)])
    turns.write("out\\n"), turns.flush()
store.release(lease)
print("done", flush=True)
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
def kind():
    """A store whose lock the system keeps; tests/state/test_state_leases.py has the others."""
    return "sqlite"


def test_a_lock_shuts_other_processes_out_and_names_its_holder(place, folder, opened):
    with running(place, folder, HOLD) as process:
        assert said(process) == "held"
        store = opened()
        with pytest.raises(LockHeldError, match="alice"):
            store.acquire(BOB)
        assert opened(read_only=True).holding().holder == ALICE


def test_the_lock_of_a_killed_holder_is_free_at_once(place, folder, opened):
    with running(place, folder, HOLD) as process:
        assert said(process) == "held"
        process.kill()
        process.wait()
        store = opened()
        assert store.holding() is None
        assert store.acquire(BOB).epoch == 2


def test_a_suspended_holder_still_holds(place, folder, opened):
    with running(place, folder, HOLD) as process:
        assert said(process) == "held"
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        with pytest.raises(LockHeldError):
            opened().acquire(BOB)


def test_a_suspended_holder_is_seen_to_be_suspended_and_one_that_goes_on_is_not(place, folder, opened):
    with running(place, folder, WRITE_WHEN_TOLD) as process:
        assert said(process) == "held"
        store = opened()
        assert not store.holding().suspended
        process.send_signal(signal.SIGSTOP)
        until(lambda: store.holding().suspended)
        assert not store.holding().is_alive
        with pytest.raises(LockHeldError, match="the process is suspended"):
            store.acquire(BOB)
        process.send_signal(signal.SIGCONT)
        until(lambda: not store.holding().suspended)
        process.stdin.write("\n")
        process.stdin.flush()
        assert said(process) == "1"


def test_a_suspended_holder_that_lost_its_lock_writes_nothing_when_it_goes_on(place, folder, opened):
    with running(place, folder, WRITE_WHEN_TOLD) as process:
        assert said(process) == "held"
        process.send_signal(signal.SIGSTOP)
        store = opened()
        store.force_release(store.holding().epoch, BOB)
        lease = store.acquire(BOB)
        process.send_signal(signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert said(process).startswith("lost The lock of environment `default` was lost: bob on desk took it over")
        assert store.holding().holder == BOB
        assert store.commit(lease, 0, [put(number=2)]) == 1
        assert store.read().records == {EXTRACT: record(number=2)}


def test_a_holder_that_stands_still_within_a_write_is_named_at_once_and_keeps_its_lock(
    place, folder, opened, monkeypatch
):
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    with running(place, folder, HOLD_IN_A_WRITE) as process:
        assert (said(process), said(process)) == ("held", "writing")
        process.send_signal(signal.SIGSTOP)
        store = opened()
        with pytest.raises(LockHeldError, match="alice"):
            store.acquire(BOB)
        epoch = store.holding().epoch
        with pytest.raises(StateError, match="in the middle of a write") as caught:
            store.force_release(epoch, BOB)
        assert f"kill -KILL {process.pid}" in caught.value.hint
        assert store.holding().epoch == epoch
        process.kill()
        process.wait()
        assert store.acquire(BOB).epoch == epoch + 1


def test_of_many_that_want_the_lock_one_writes_at_a_time_and_each_gets_its_turn(place, folder, opened):
    folder.mkdir()
    processes = [child(place, folder, TAKE_TURNS) for _ in range(MANY)]
    try:
        told = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [lines[-1] for lines in told] == ["done"] * MANY
    assert (folder / "turns").read_text().split() == ["in", "out"] * MANY
    assert opened(read_only=True).read().serial == MANY
    waited = [line for lines in told for line in lines[:-1]]
    assert all("locked by" in line for line in waited)


def test_exactly_one_of_many_gets_the_lock(place, folder):
    body = """
try:
    store.acquire(ALICE)
    print("held", flush=True)
    time.sleep(600)
except LockHeldError as error:
    print(error.message, flush=True)
"""
    processes = [child(place, folder, body) for _ in range(5)]
    try:
        answers = [said(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert answers.count("held") == 1
    assert sum("locked by" in answer for answer in answers) == 4


def test_reading_goes_on_while_another_process_writes(place, folder, opened):
    with running(place, folder, COMMIT_FOR_EVER) as process:
        first = int(said(process))
        reader = opened(read_only=True)
        seen = []
        while not seen or seen[-1] < first + 10:
            snapshot = reader.read()
            assert snapshot.records == {EXTRACT: record(number=snapshot.serial)}
            seen.append(snapshot.serial)
    assert seen == sorted(seen)


def test_a_full_disk_is_told_and_what_was_acknowledged_is_kept(place, folder):
    with running(place, folder, FULL_DISK) as process:
        name, serial, message, hint = said(process).split("|")
        assert (name, int(serial) >= 1) == ("StateError", True)
        assert str(folder) in message
        assert "everything that was recorded before is kept" in hint
        assert said(process) == f"{serial} 1"


def test_a_large_result_that_does_not_fit_keeps_the_whole_commit_out(place, folder):
    with running(place, folder, BIG_RESULT_ON_FULL_DISK) as process:
        assert said(process).startswith("StateError|Free some space")
        assert said(process) == "0"


def test_a_lease_that_was_taken_over_is_fenced_off(place, folder, opened):
    first, second = opened(), opened()
    old = first.acquire(ALICE)
    (folder / "default" / "lock").unlink()
    new = second.acquire(BOB)
    with pytest.raises(LostLeaseError):
        first.commit(old, 0, [put(number=1)])
    assert second.commit(new, 0, [put(number=2)]) == 1
    assert second.read().records == {EXTRACT: record(number=2)}


def test_a_state_that_is_moved_away_is_a_lost_lease(place, folder, opened):
    store = opened()
    lease = store.acquire(ALICE)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    other = open_at(place, folder)
    other.acquire(BOB)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    assert other.read().records == {}
    other.close()
