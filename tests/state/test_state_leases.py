"""What a store promises whose leases end by themselves: holders that are killed, suspended, or cut off for a while."""

import asyncio
import os
import signal
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cutting_proxy import CuttingProxy
from lines import impatient, through
from patience import until
from state_servers import KINDS, open_at, server
from state_stores import HOLD_AS_ITSELF, WRITE_WHEN_TOLD, child, running, said
from state_values import ALICE, BOB, EXTRACT, REPORT, put, record

from taskspec.errors import LockHeldError, LostLeaseError, StateError
from taskspec.runner.locking import beating, locked
from taskspec.state.model import BEATS

SHORT = 1.5
"""Seconds that a lease lasts which is to end within a test."""
GRAIN = 1.0
"""Seconds by which a lease may end early: some servers tell the time in whole ones."""
MANY = 6
JOB = "https://ci.example/jobs/4711"

HOLD = f"""
began = time.time()
{HOLD_AS_ITSELF}
print(began, flush=True)
time.sleep(600)
"""
LIVE_LONG = f"""
from taskspec.runner.locking import beating
{HOLD_AS_ITSELF}
with beating(store, lease, {SHORT / BEATS / 2}):
    time.sleep({3 * SHORT})
print(store.commit(lease, 0, [put()]), flush=True)
store.release(lease)
"""
TAKE_TURNS = """
while True:
    try:
        lease = store.acquire(ALICE)
        break
    except LockHeldError as error:
        assert "locked by" in error.message
        time.sleep(0.01)
with open(folder / "turns", "a") as turns:
    turns.write("in\\n"), turns.flush()
    serial = store.read().serial
    store.commit(lease, serial, [put(number=serial + 1)])
    turns.write("out\\n"), turns.flush()
store.release(lease)
print("done", flush=True)
"""
RACE = """
print("ready", flush=True)
sys.stdin.readline()
message = "bob"
while "bob" in message:
    try:
        store.acquire(ALICE)
        message = "held"
    except LockHeldError as error:
        message = error.message
print(message, flush=True)
time.sleep(600)
"""
COMMIT_FOR_EVER = """
lease = store.acquire(ALICE)
serial = 0
while True:
    serial = store.commit(lease, serial, [put(number=serial + 1), note(), put_result(str(serial) * 1000)])
    print(serial, flush=True)
"""


@pytest.fixture(params=sorted(KINDS.keys() - {"sqlite"}))
def kind(request):
    return request.param


def tell(process):
    process.stdin.write("\n")
    process.stdin.flush()


def has_lapsed(store):
    until(lambda: store.holding() is None)


def taken(store, seen=None):
    """Take a lock as soon as it is free; `seen` is told the epochs of those who had it."""

    def attempt():
        try:
            return store.acquire(BOB)
        except LockHeldError as error:
            if seen is not None:
                seen.add(error.lock["epoch"])
            return None

    return until(attempt)


@contextmanager
def over_a_line(kind, folder, key, *, ttl):
    """Open a store over a line that can be cut, and give the place that others have."""
    with CuttingProxy(server(kind).port) as line:
        store = open_at(through(line, kind, key), folder, ttl=ttl)
        try:
            yield store, line
        finally:
            store.close()


def test_the_lease_of_a_killed_holder_ends_by_itself_and_not_before(place, folder, opened):
    with running(place, folder, HOLD, ttl=SHORT) as process:
        assert said(process) == "held"
        began = float(said(process))
        process.kill()
        process.wait()
        store, seen = opened(), set()
        lease = taken(store, seen)
        assert time.time() - began >= SHORT - GRAIN
        assert seen <= {1}
        assert lease.epoch > 1
        assert store.commit(lease, 0, [put()]) == 1


def test_who_waits_gets_the_lock_of_a_killed_holder_and_is_told_for_whom_it_waits(place, folder, opened):
    told = []
    ports = SimpleNamespace(
        open_state=lambda project, **said: opened(),
        holder=lambda: BOB,
        waiting=lambda error, patience: told.append(error.message),
    )

    async def wait_for_it():
        async with locked(None, ports, 120.0) as (store, lease):
            return store.commit(lease, 0, [put()])

    with running(place, folder, HOLD, ttl=SHORT) as process:
        assert said(process) == "held"
        process.kill()
        assert asyncio.run(wait_for_it()) == 1
        assert len(told) <= 1
        assert all(f"process {process.pid}" in message for message in told)


def test_a_suspended_holder_is_seen_to_be_suspended(place, folder, opened):
    with running(place, folder, WRITE_WHEN_TOLD) as process:
        assert said(process) == "held"
        store = opened()
        assert not store.holding().suspended
        process.send_signal(signal.SIGSTOP)
        until(lambda: store.holding().suspended)
        with pytest.raises(LockHeldError, match="the process is suspended"):
            store.acquire(BOB)
        process.send_signal(signal.SIGCONT)
        until(lambda: not store.holding().suspended)
        tell(process)
        assert said(process) == "1"


def test_a_holder_that_was_suspended_for_longer_than_its_lease_writes_nothing_when_it_goes_on(place, folder, opened):
    with running(place, folder, WRITE_WHEN_TOLD, ttl=SHORT) as process:
        assert said(process) == "held"
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        store = opened()
        lease = taken(store)
        assert store.commit(lease, 0, [put(number=2)]) == 1
        process.send_signal(signal.SIGCONT)
        tell(process)
        assert said(process).startswith("lost The lock of environment `default` was lost: bob on desk took it over")
        assert store.holding().holder == BOB
        assert store.commit(lease, 1, [put(REPORT)]) == 2
        assert store.read().records == {EXTRACT: record(number=2), REPORT: record(REPORT)}


def test_what_was_suspended_and_not_taken_over_goes_on(place, folder, opened):
    with running(place, folder, WRITE_WHEN_TOLD, ttl=SHORT) as process:
        assert said(process) == "held"
        process.send_signal(signal.SIGSTOP)
        has_lapsed(opened())
        process.send_signal(signal.SIGCONT)
        tell(process)
        assert said(process) == "1"


def test_a_lease_that_ran_out_is_still_good_until_another_takes_it(opened):
    store, reader = opened(ttl=SHORT / 3), opened(read_only=True)
    lease = store.acquire(ALICE)
    has_lapsed(reader)
    assert store.commit(lease, 0, [put()]) == 1
    has_lapsed(reader)
    store.renew(lease)
    other = opened()
    newer = taken(other)
    assert newer.epoch > lease.epoch
    for late in (lambda: store.commit(lease, 1, [put(number=2)]), lambda: store.renew(lease)):
        with pytest.raises(LostLeaseError, match="bob on desk took it over"):
            late()
    store.release(lease)
    store.close()
    assert reader.holding().holder == BOB
    assert other.commit(newer, 1, []) == 2


def test_a_holder_that_renews_its_lease_is_never_displaced(place, folder, opened):
    with running(place, folder, LIVE_LONG, ttl=SHORT) as process:
        assert said(process) == "held"
        store, seen = opened(), set()
        lease = taken(store, seen)
        assert said(process) == "1"
        assert len(seen) == 1
        assert store.commit(lease, 1, [put(number=2)]) == 2


def test_a_holder_says_who_it_is_wherever_it_runs_and_when_it_last_lived(opened):
    opened().acquire(replace(ALICE, job=JOB))
    with pytest.raises(LockHeldError) as caught:
        opened().acquire(BOB)
    error = caught.value
    for word in ("alice", "laptop", "4711", "taskspec apply", JOB, "since 2023-11-14", "last heartbeat 0 s ago"):
        assert word in error.message
    assert "after its last heartbeat" in error.hint
    assert error.lock.items() >= {"job": JOB, "host": "laptop", "pid": 4711, "suspended": False}.items()
    assert 0 < error.lock["expiresInSeconds"] <= 60


def test_of_many_that_want_the_lock_one_writes_at_a_time_and_each_gets_its_turn(place, folder, opened):
    folder.mkdir()
    processes = [child(place, folder, TAKE_TURNS) for _ in range(MANY)]
    try:
        told = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [out.split() for out, _ in told] == [["done"]] * MANY, told
    assert (folder / "turns").read_text().split() == ["in", "out"] * MANY
    assert opened(read_only=True).read().serial == MANY


def test_exactly_one_of_many_takes_the_lock_also_where_one_has_lapsed(place, folder, opened):
    opened(ttl=0.1).acquire(BOB)
    processes = [child(place, folder, RACE) for _ in range(MANY)]
    try:
        assert {said(process) for process in processes} == {"ready"}
        has_lapsed(opened())
        for process in processes:
            tell(process)
        answers = [said(process) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert answers.count("held") == 1
    assert sum("alice on laptop" in answer for answer in answers) == MANY - 1


def test_reading_goes_on_while_another_process_writes(place, folder, opened):
    with running(place, folder, COMMIT_FOR_EVER) as process:
        first = int(said(process))
        reader, seen = opened(read_only=True), []
        while not seen or seen[-1] < first + 10:
            snapshot = reader.read()
            assert snapshot.records == {EXTRACT: record(number=snapshot.serial)}
            assert len(list(reader.history())) >= snapshot.serial
            seen.append(snapshot.serial)
    assert seen == sorted(seen)


def test_a_lease_is_kept_over_a_line_that_is_cut_for_a_while(kind, folder):
    key = uuid.uuid4().hex
    place = server(kind).place(key)
    with over_a_line(kind, folder, key, ttl=60.0) as (store, line):
        lease = store.acquire(ALICE)
        other = open_at(place, folder)
        with beating(store, lease, 0.05):
            with line.closed(), pytest.raises(LockHeldError, match="alice"):
                other.acquire(BOB)
            until(lambda: other.holding().silent < 0.5)
        store.renew(lease)
        line.cut()
        assert store.commit(lease, 0, [put()]) == 1
        assert other.read().records == {EXTRACT: record()}
        store.release(lease)
        assert other.holding() is None
        other.close()


def test_who_was_cut_off_for_longer_than_its_lease_may_go_on_unless_another_took_it(kind, folder):
    key = uuid.uuid4().hex
    place = server(kind).place(key)
    with over_a_line(kind, folder, key, ttl=SHORT) as (store, line):
        other = open_at(place, folder)
        lease = store.acquire(ALICE)
        with line.closed():
            has_lapsed(other)
        store.renew(lease)
        assert store.commit(lease, 0, [put()]) == 1
        with line.closed():
            newer = taken(other)
        with pytest.raises(LostLeaseError, match="bob on desk took it over"):
            store.commit(lease, 1, [put(number=2)])
        assert other.commit(newer, 1, []) == 2
        other.close()


def test_a_store_whose_server_is_gone_is_closed_without_a_word_and_its_lease_ends(kind, folder):
    key = uuid.uuid4().hex
    place = server(kind).place(key)
    with over_a_line(kind, folder, key, ttl=SHORT) as (store, line):
        other = open_at(place, folder)
        lease = store.acquire(ALICE)
        with line.closed():
            store.release(lease)
            store.close()
        taken(other)
        other.close()


def test_a_server_that_is_gone_is_an_error_of_the_state(kind, folder):
    with over_a_line(kind, folder, uuid.uuid4().hex, ttl=60.0) as (store, line), line.closed():
        impatient(store, 0.3)
        for wanted in (store.read, store.digest, store.holding, lambda: store.acquire(ALICE)):
            with pytest.raises(StateError) as caught:
                wanted()
            assert caught.value.hint
            assert "Traceback" not in caught.value.message
