"""A state on servers of Terraform's HTTP protocol that fail, of holders that die: one writer, nothing lost, no fork."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from patience import until
from state_servers import server as running
from state_stores import HERE
from state_values import ALICE, BOB, EXTRACT, note, put, record
from terraform_server import TOKEN, USER

from taskspec.errors import LockHeldError, LostLeaseError, StateError, UnknownCommitError
from taskspec.state.chaining import follow
from taskspec.state.registers.store import RegisteredState
from taskspec.state.store import Fencing
from taskspec.state.terraform.access import access_to
from taskspec.state.terraform.driver import TerraformRegister

PATHS = {
    "gitlab": "/open/api/v4/projects/1/terraform/state/{}",
    "gitea": "/open/api/packages/me/terraform/state/{}",
    "plain": "/plain/{}",
}
LOST = ["500 after", "cut after", "cut within", "html after"]
UNSENT = ["500 before", "cut before", "html"]
ROUNDS = 15

PRELUDE = f"""
import sys, time
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}]
from state_values import *
from taskspec.errors import *
from taskspec.state.registers.store import RegisteredState
from taskspec.state.terraform.driver import TerraformRegister
from taskspec.state.terraform.access import access_to
store = RegisteredState(
    TerraformRegister(access_to(*ACCESS)), "sales", "default", read_only=False, ttl=TTL
)
"""
COMMIT_FOR_EVER = """
while True:
    try:
        lease = store.acquire(ALICE)
        break
    except LockHeldError:
        time.sleep(0.05)
serial = store.read().serial
while True:
    serial = store.commit(lease, serial, [put(number=serial + 1), note(at=float(serial + 1))])
    print(serial, flush=True)
"""
TAKE_TURNS = """
for _ in range(ROUNDS):
    while True:
        try:
            lease = store.acquire(ALICE)
            break
        except LockHeldError:
            time.sleep(0.02)
    serial = store.read().serial
    print(store.commit(lease, serial, [put(number=serial + 1), note(at=float(serial + 1))]), flush=True)
    store.release(lease)
"""


@pytest.fixture(params=sorted(PATHS))
def access(request, tmp_path):
    """What `access_to` is given for a state of its own on each kind of server."""
    url = running("http").root + PATHS[request.param].format(tmp_path.name)
    more = {} if "/api/" in url else {"TF_HTTP_LOCK_ADDRESS": url}
    return url, {"TF_HTTP_RETRY_WAIT_MIN": "0", "TF_HTTP_RETRY_WAIT_MAX": "1", **more}


@pytest.fixture
def opened(access):
    """Open the store once more, as another command would; everything is closed in the end."""
    stores = []

    def opened(*, ttl=60.0, patience=10.0, access=access, read_only=False):
        register = TerraformRegister(access_to(*access), timeout=5.0)
        store = RegisteredState(register, "sales", "default", read_only=read_only, ttl=ttl, patience=patience)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def server():
    return running("http")


@pytest.fixture
def child(access):
    """Start processes that open the store and run a body; what still runs in the end is killed."""
    started = []

    def child(body, *, ttl=2.0, rounds=0):
        given = f"ACCESS, TTL, ROUNDS = {access!r}, {ttl!r}, {rounds!r}\n"
        process = subprocess.Popen(
            [sys.executable, "-c", given + PRELUDE + body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield child
    for process in started:
        process.kill()
        process.communicate()


def url_of(access):
    return access[0]


def told_in_order(store):
    """Check that the state is one unbroken line, and return its serial."""
    snapshot = store.read()
    entries = list(store.history())
    chain = follow(entries, snapshot.lineage)
    assert (chain.broken, chain.head) == (None, snapshot.head)
    assert [entry.note.at for entry in entries] == [float(number) for number in range(snapshot.serial, 0, -1)]
    return snapshot.serial


@pytest.mark.parametrize("what", LOST + UNSENT)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_commit_whose_answer_is_lost_is_kept_once(access, opened, server, what, skip):
    store = opened()
    lease = store.acquire(ALICE)
    server.fail(url_of(access), what, skip=skip)
    assert store.commit(lease, 0, [put(number=1), note(at=1.0)]) == 1
    assert store.commit(lease, 1, [put(number=2), note(at=2.0)]) == 2
    assert told_in_order(opened(read_only=True)) == 2
    assert store.read().records == {EXTRACT: record(number=2)}


@pytest.mark.parametrize("what", ["500 after", "cut before", "cut within"])
def test_a_lease_whose_answers_are_lost_is_taken_renewed_and_released(access, opened, server, what):
    store = opened()
    register = store._register
    lock, unlock = register._access.lock, register._access.unlock
    server.fail(url_of(access), what)
    server.fail(lock.origin + lock.path, what, method=lock.method)
    server.fail(unlock.origin + unlock.path, what, method=unlock.method)
    lease = store.acquire(ALICE)
    server.fail(url_of(access), what)
    store.renew(lease)
    server.fail(url_of(access), what)
    store.release(lease)
    assert server.kept(url_of(access))["lock"] is None
    assert opened().acquire(BOB).epoch > lease.epoch


@pytest.mark.parametrize("what", ["cut before", "cut after"])
def test_a_server_that_goes_on_failing_leaves_it_unknown_and_the_state_sound(access, opened, server, what):
    store = opened(patience=1.0)
    lease = store.acquire(ALICE)
    server.fail(url_of(access), "500 before", method="GET", times=99, skip=0 if "/api/" in url_of(access) else 1)
    server.fail(url_of(access), what, times=99)
    with pytest.raises((UnknownCommitError, StateError)):
        store.commit(lease, 0, [put(number=1), note(at=1.0)])
    server.relent(url_of(access))
    assert told_in_order(opened(read_only=True)) == (1 if what == "cut after" else 0)


def test_a_token_that_has_expired_is_told_and_nothing_is_written(server, opened, tmp_path):
    url = f"{server.root}/api/v4/projects/1/terraform/state/{tmp_path.name}"
    store = opened(access=(url, {"TF_HTTP_USERNAME": USER, "TF_HTTP_PASSWORD": TOKEN}))
    lease = store.acquire(ALICE)
    server.fail(url, "status", status=401, body={"message": "401 Unauthorized"}, times=1)
    with pytest.raises(StateError, match="who asks is not known there") as caught:
        store.commit(lease, 0, [put()])
    assert not isinstance(caught.value, LostLeaseError | UnknownCommitError)
    assert store.commit(lease, 0, [put()]) == 1


def test_a_lock_of_another_tool_is_respected_for_ever(server, access, opened):
    url = url_of(access)
    register = TerraformRegister(access_to(*access))
    keys = ("Operation", "Info", "Version", "Path", "Created")
    lock = {"ID": "45dc6a52", "Who": "carol@runner-7", **dict.fromkeys(keys, ""), "Operation": "OperationTypeApply"}
    target = register._access.lock
    assert register._questions.ask(target, json.dumps(lock).encode()).status == 200
    register.close()
    for _ in range(2):
        with pytest.raises(LockHeldError, match="another tool") as caught:
            opened(ttl=0.5).acquire(BOB)
        assert "45dc6a52" in caught.value.message
        time.sleep(0.6)
    assert server.kept(url)["lock"]["ID"] == "45dc6a52"


def test_the_lock_of_a_holder_who_died_before_writing_ends_by_itself(opened, server, access):
    dead = opened(ttl=1.0)
    assert dead._leases.lock(ALICE, lambda: None)
    with pytest.raises(LockHeldError):
        opened(ttl=1.0).acquire(BOB)
    lease = until(lambda: acquired(opened(ttl=1.0)))
    assert lease.epoch == 1


def acquired(store):
    try:
        return store.acquire(BOB)
    except LockHeldError:
        return None


def test_a_holder_that_was_displaced_writes_nothing(access, opened, server):
    old = opened(ttl=0.5)
    lease = old.acquire(ALICE)
    old.commit(lease, 0, [put(number=1), note(at=1.0)])
    new = opened()
    taken = until(lambda: acquired(new))
    assert new.commit(taken, 1, [put(number=2), note(at=2.0)]) == 2
    new.release(taken)
    for late in (lambda: old.commit(lease, 1, [put(number=9), note(at=9.0)]), lambda: old.renew(lease)):
        with pytest.raises(LostLeaseError):
            late()
    old.close()
    assert told_in_order(opened(read_only=True)) == 2
    assert server.kept(url_of(access))["lock"] is None


def test_a_lock_that_somebody_removes_on_the_server_keeps_nobody_from_going_on(opened, access, server):
    store = opened()
    lease = store.acquire(ALICE)
    register = TerraformRegister(access_to(*access))
    register.unlock(store._base.known().page.lease.lock)
    register.close()
    assert store.commit(lease, 0, [put()]) == 1
    with pytest.raises(LockHeldError, match="alice on laptop"):
        opened().acquire(BOB)


def test_holders_that_are_killed_leave_all_that_they_said_was_kept_and_no_lock_for_ever(child, opened):
    chance = random.Random(0)
    said = 0
    for _ in range(max(3, ROUNDS // 5)):
        process = child(COMMIT_FOR_EVER, ttl=1.0)
        first = process.stdout.readline()
        assert first, process.communicate()[1]
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        with process:
            rest = process.stdout.read()  # with what stands in the buffer already
        said = int((first + rest).split("\n")[-2])
        kept = told_in_order(opened(read_only=True))
        assert said <= kept <= said + 1
    assert until(lambda: acquired(opened(ttl=1.0)))


def test_two_at_once_take_turns_and_fork_nothing(child, opened):
    rounds = 6
    writers = [child(TAKE_TURNS, ttl=30.0, rounds=rounds) for _ in range(2)]
    serials = []
    for writer in writers:
        told, trouble = writer.communicate(timeout=120)
        assert writer.returncode == 0, trouble
        serials += [int(line) for line in told.split()]
    assert sorted(serials) == list(range(1, 2 * rounds + 1))
    assert told_in_order(opened(read_only=True)) == 2 * rounds


def test_a_suspended_holder_that_goes_on_after_its_lease_writes_nothing(child, opened, access):
    process = child(COMMIT_FOR_EVER, ttl=1.0)
    assert process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    new = opened(ttl=30.0)
    lease = until(lambda: acquired(new))
    serial = new.read().serial
    for _ in range(3):
        serial = new.commit(lease, serial, [put(number=serial + 1), note(at=float(serial + 1))])
    process.send_signal(signal.SIGCONT)
    _, trouble = process.communicate(timeout=60)
    assert "LostLeaseError" in trouble
    assert told_in_order(opened(read_only=True)) == serial


def test_what_is_weak_about_a_server_is_told(access, opened):
    store = opened()
    store.acquire(ALICE)
    capabilities = store.capabilities
    assert (capabilities.notice == "") == ("/api/" in url_of(access))
    assert capabilities.fencing is Fencing.LOCK
    assert capabilities.whole
