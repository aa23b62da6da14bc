"""The state in a register when answers are lost, others write, clocks differ, and pieces go: in memory."""

import gzip
import json
import random
import socket
import threading
from dataclasses import replace

import pytest
from patience import until
from register_double import LockingRegister, Memory, MemoryRegister
from state_values import ALICE, BOB, EXTRACT, REPORT, drop_result, note, put, put_result, record, ref

from taskspec.address import Address
from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError, UnknownCommitError
from taskspec.state.chaining import follow
from taskspec.state.encoding import FORMAT
from taskspec.state.model import TTL, DropRecord
from taskspec.state.registers.port import ServerLock
from taskspec.state.registers.segments import LIMITS, Limits
from taskspec.state.registers.store import RegisteredState

SMALL = Limits(tail=1500, fan=2, largest=4000, grace=0.0, waste=4)


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def opened(memory):
    stores = []

    def open_store(*, read_only=False, kind=MemoryRegister, patience=5.0, limits=LIMITS, environment="default"):
        made = RegisteredState(
            kind(memory), "sales", environment, read_only=read_only, patience=patience, limits=limits
        )
        stores.append(made)
        return made

    yield open_store
    memory.faults.clear()
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


def page(memory):
    return json.loads(memory.held.content)


# answers that are lost


@pytest.mark.parametrize(
    "faults", ["lost", "unsent", "conflict", "away", "unsent lost", "away unsent", "conflict lost", "refused"]
)
def test_a_commit_whose_answer_is_lost_happens_exactly_once(store, memory, opened, faults):
    lease = store.acquire(ALICE)
    memory.faults.extend(faults.split())
    assert store.commit(lease, 0, [put(), note()]) == 1
    assert store.commit(lease, 1, [note()]) == 2
    reader = opened(read_only=True)
    assert (reader.read().serial, len(list(reader.history()))) == (2, 2)
    assert follow(reader.history(), reader.read().lineage).broken is None


@pytest.mark.parametrize("fault", ["lost", "unsent", "conflict", "away", "refused"])
def test_a_lease_is_taken_renewed_and_given_back_through_lost_answers(store, memory, opened, fault):
    memory.faults.append(fault)
    lease = store.acquire(ALICE)
    assert lease.epoch == 1
    memory.faults.append(fault)
    store.renew(lease)
    memory.faults.append(fault)
    store.release(lease)
    assert store.holding() is None
    assert opened().acquire(BOB).epoch == 2


def test_a_commit_that_landed_before_the_lock_was_taken_away_is_known_to_have_happened(store, memory, opened):
    lease = store.acquire(ALICE)
    register = store._register
    swap = register.swap

    def landed_then_taken_away(*arguments, **named):
        register.swap = swap
        memory.faults.append("lost")
        try:
            swap(*arguments, **named)
        finally:
            opened().force_release(lease.epoch, BOB)

    register.swap = landed_then_taken_away
    assert store.commit(lease, 0, [put()]) == 1
    with pytest.raises(LostLeaseError, match="bob on desk"):
        store.commit(lease, 1, [put()])


def test_a_commit_that_did_not_land_before_the_lock_was_taken_away_never_does(store, memory, opened):
    lease = store.acquire(ALICE)
    register = store._register
    swap = register.swap

    def cut_and_taken_away(*arguments, **named):
        register.swap = swap
        opened().force_release(lease.epoch, BOB)
        return swap(*arguments, **named)

    register.swap = cut_and_taken_away
    with pytest.raises(LostLeaseError, match="bob on desk"):
        store.commit(lease, 0, [put()])
    assert store.read().serial == 0


def test_what_became_of_a_commit_under_those_of_others_nobody_can_tell(store, memory, opened):
    lease = store.acquire(ALICE)
    register = store._register
    swap = register.swap

    def landed_and_written_over(*arguments, **named):
        register.swap = swap
        memory.faults.append("lost")
        try:
            swap(*arguments, **named)
        finally:
            opened().force_release(lease.epoch, BOB)
            other = opened()
            other.commit(other.acquire(BOB), 1, [note()])

    register.swap = landed_and_written_over
    with pytest.raises(UnknownCommitError, match="others have written meanwhile"):
        store.commit(lease, 0, [put()])


def test_a_commit_of_which_nobody_can_tell_is_said_to_be_one(opened, memory):
    store = opened(patience=0.05)
    lease = store.acquire(ALICE)
    memory.faults.extend(["unsent"] * 100)
    with pytest.raises(UnknownCommitError, match=r"memory://state \(.*cut") as caught:
        store.commit(lease, 0, [put()])
    assert caught.value.hint
    memory.faults.clear()
    assert store.commit(lease, 0, [put()]) == 1


def test_a_commit_that_landed_after_nobody_could_tell_makes_the_next_one_stale(opened, memory):
    store = opened(patience=0.0)
    lease = store.acquire(ALICE)
    memory.faults.append("lost")
    register = store._register
    load, register.load = register.load, lambda: (_ for _ in ()).throw(StateError("The server is away."))
    with pytest.raises(UnknownCommitError):
        store.commit(lease, 0, [put()])
    register.load = load
    with pytest.raises(StaleError):
        store.commit(lease, 0, [put()])
    assert store.commit(lease, 1, [note()]) == 2


def test_a_heartbeat_that_landed_late_is_in_nobody_s_way(opened, memory):
    store = opened(patience=0.0)
    lease = store.acquire(ALICE)
    register = store._register
    load, register.load = register.load, lambda: (_ for _ in ()).throw(StateError("The server is away."))
    memory.faults.append("lost")
    with pytest.raises(StateError, match="no usable answer"):
        store.renew(lease)
    register.load = load
    assert store.commit(lease, 0, [put()]) == 1


def test_where_nobody_answers_nothing_has_happened(opened, memory):
    store = opened(patience=0.05)
    lease = store.acquire(ALICE)
    memory.faults.extend(["away"] * 100)
    with pytest.raises(StateError, match="Nobody answers") as caught:
        store.commit(lease, 0, [put()])
    assert not isinstance(caught.value, UnknownCommitError)
    memory.faults.clear()
    assert store.commit(lease, 0, [put()]) == 1


def test_a_register_that_never_takes_a_change_is_named(opened, memory):
    store = opened(patience=0.05)
    lease = store.acquire(ALICE)
    memory.faults.extend(["conflict"] * 100)
    with pytest.raises(StateError, match="takes no change"):
        store.commit(lease, 0, [put()])


def test_a_lease_that_cannot_be_given_back_ends_by_itself(opened, memory):
    store = opened(patience=0.05)
    store.acquire(ALICE)
    memory.faults.extend(["unsent"] * 1000)
    store.close()
    memory.faults.clear()
    with pytest.raises(LockHeldError, match="Epoch 1") as caught:
        opened().acquire(BOB)
    assert "60 s after its last heartbeat" in caught.value.hint
    memory.ahead = TTL
    assert opened().acquire(BOB).epoch == 2


# leases and clocks


@pytest.mark.parametrize("tells_time", [True, False])
def test_a_lease_ends_by_the_clock_of_the_server(memory, opened, tells_time):
    memory.ahead = -1e6
    store = opened(kind=lambda memory: MemoryRegister(memory, tells_time=tells_time))
    lease = store.acquire(ALICE)
    assert 0 <= store.holding().silent < TTL
    memory.ahead += TTL - 5
    assert store.holding().silent == pytest.approx(TTL - 5, abs=4)
    store.renew(lease)
    memory.ahead += TTL - 5
    with pytest.raises(LockHeldError):
        opened().acquire(BOB)
    memory.ahead += 6
    assert store.holding() is None
    assert store.commit(lease, 0, [put()]) == 1, "nobody has taken it, and a commit is a sign of life"
    assert store.holding().holder == ALICE
    memory.ahead += TTL
    assert opened().acquire(BOB).epoch == lease.epoch + 1
    with pytest.raises(LostLeaseError, match="bob on desk took it over"):
        store.commit(lease, 1, [put()])


def test_who_finds_no_other_s_lease_asks_no_clock(store, memory):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put()])
    store.read()
    store.release(lease)
    assert "now" not in memory.calls


def test_a_holder_of_this_host_is_asked_after_whether_it_is_suspended(store, opened, monkeypatch):
    asked = []
    monkeypatch.setattr("taskspec.state.processes.is_suspended", lambda *process: asked.append(process) or True)
    store.acquire(replace(ALICE, host=socket.gethostname(), started=5))
    assert opened().holding().suspended
    assert asked == [(ALICE.pid, 5)]


def test_of_many_who_come_at_once_one_gets_the_lease(opened):
    stores = [opened() for _ in range(8)]
    outcomes = []

    def come(store):
        try:
            outcomes.append(store.acquire(ALICE).epoch)
        except LockHeldError as error:
            outcomes.append(error.lock["epoch"])

    threads = [threading.Thread(target=come, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [1] * 8


def test_heartbeats_and_commits_of_one_holder_are_in_no_one_s_way(opened):
    store = opened(limits=SMALL)
    lease = store.acquire(ALICE)
    ended, beats, trouble = threading.Event(), [], []

    def beat():
        while not ended.is_set():
            try:
                store.renew(lease)
                beats.append(1)
            except StateError as error:
                trouble.append(error)

    thread = threading.Thread(target=beat)
    thread.start()
    for serial in range(100):
        store.commit(lease, serial, [put(Address(f"task-{serial % 7}"), number=serial), note()])
    until(lambda: beats)
    ended.set()
    thread.join()
    assert not trouble
    assert store.read().serial == 100


def test_a_page_whose_lease_was_taken_while_it_was_moved_or_deleted_says_so(store, memory):
    lease = store.acquire(ALICE)
    memory.held = None
    with pytest.raises(LostLeaseError, match="taken over, moved or deleted"):
        store.commit(lease, 0, [put()])


# pieces


def test_a_holder_fetches_nothing_that_it_has_written_itself(opened, memory):
    store = opened(limits=Limits(tail=1500, fan=1000, grace=1e9))
    lease = store.acquire(ALICE)
    store.read()
    for serial in range(20):
        store.commit(lease, serial, [put(Address(f"task-{serial}")), put_result(f"{serial}"), note()])
    assert memory.pieces
    assert len(store.read().records) == len(list(store.history())) == len(list(store.results())) == 20
    memory.calls.clear()
    store.read()
    list(store.history())
    assert "get" not in memory.calls


def test_a_reader_fetches_only_what_is_new(opened, memory):
    store, reader = opened(limits=Limits(tail=1500, fan=1000)), opened(read_only=True)
    lease = store.acquire(ALICE)
    for serial in range(20):
        store.commit(lease, serial, [put(Address(f"task-{serial}"))])
    reader.read()
    memory.calls.clear()
    store.commit(lease, 20, [put(Address("new"))])
    assert len(reader.read().records) == 21
    assert memory.calls.count("get") <= 1
    memory.calls.clear()
    assert reader.read(only=()).records == {}
    assert reader.head() == store.head()
    assert "get" not in memory.calls


def test_the_page_stays_small_and_names_few_pieces(opened, memory):
    store = opened(limits=Limits(tail=4000, fan=4))
    lease = store.acquire(ALICE)
    for serial in range(400):
        store.commit(lease, serial, [put(Address(f"task-{serial % 100:03}"), number=serial), note()])
    assert len(memory.held.content) < 40_000
    assert len(page(memory)["records"]["segments"]) < 10
    assert len(opened(read_only=True).read().records) == 100


def test_pieces_that_were_replaced_are_dropped_by_a_later_commit(opened, memory):
    store = opened(limits=Limits(tail=1500, fan=2, grace=30.0))
    lease = store.acquire(ALICE)
    for serial in range(30):
        store.commit(lease, serial, [put(Address(f"task-{serial}"))])
    named = {one["piece"] for one in page(memory)["records"]["segments"]}
    waste = {one["piece"] for one in page(memory)["waste"]}
    assert waste
    assert set(memory.pieces) == named | waste
    memory.ahead += 31
    store.commit(lease, 30, [note()])
    assert set(memory.pieces) == {one["piece"] for one in page(memory)["records"]["segments"]}


def test_a_reader_that_comes_late_for_a_piece_begins_again(opened, memory):
    store, reader = opened(limits=SMALL), opened(read_only=True)
    lease = store.acquire(ALICE)
    for serial in range(10):
        store.commit(lease, serial, [put(Address(f"task-{serial}"))])
    register = reader._register
    load = register.load

    def old_page():
        register.load = load
        found = load()
        for serial in range(10, 20):
            store.commit(lease, serial, [put(Address(f"task-{serial}"))])
        return found

    register.load = old_page
    assert len(reader.read().records) == 20


def test_a_result_that_is_kept_is_not_kept_again(opened, memory):
    store = opened()
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result("one"), put_result("two")])
    assert len(memory.pieces) == 1
    store.commit(lease, 1, [put_result("one")])
    store.release(lease)
    other = opened()
    other.commit(other.acquire(BOB), 2, [put_result("two"), put_result("one")])
    assert len(memory.pieces) == 1
    assert dict(other.results()) == {ref(text).digest: text for text in ("one", "two")}


def test_a_dropped_record_stays_dropped_whatever_is_merged(opened):
    store = opened(limits=SMALL)
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(Address(f"task-{number}")) for number in range(10)])
    for serial in range(1, 10):
        store.commit(lease, serial, [DropRecord(address=Address(f"task-{serial}")), put(REPORT, number=serial)])
        assert len(opened(read_only=True).read().records) == 11 - serial


def test_what_a_killed_writer_has_left_is_swept_when_it_is_old(opened, memory):
    store = opened()
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result("kept")])
    lineage = page(memory)["lineage"][:8]
    memory.pieces[f"{lineage}-left"] = b"", memory.now()
    memory.pieces["5a1e5000-of-another-state"] = b"", memory.now()
    memory.ahead += TTL
    for expected in (True, False):
        second = opened()
        lease = second.acquire(BOB)
        assert page(memory)["littered"]
        second.release(lease)
        assert page(memory)["littered"] == expected
        assert (f"{lineage}-left" in memory.pieces) == expected
        memory.ahead += LIMITS.stray
    assert "5a1e5000-of-another-state" in memory.pieces
    assert opened(read_only=True).result(ref("kept")) == "kept"
    assert opened(read_only=True).faults() == []


def test_who_may_not_list_pieces_gives_its_lease_back_all_the_same(opened, memory):
    opened().acquire(ALICE)
    memory.ahead += TTL
    store = opened()
    lease = store.acquire(BOB)
    store._register.pieces = lambda: (_ for _ in ()).throw(StateError("The server denies access."))
    store.release(lease)
    assert store.holding() is None
    assert page(memory)["littered"]


@pytest.mark.parametrize("seed", range(3))
def test_of_many_segments_the_newest_record_of_each_address_is_read(opened, memory, seed):
    chance, expected = random.Random(seed), {}
    store, follower = opened(limits=Limits(tail=3000, fan=2)), opened(read_only=True)
    lease = store.acquire(ALICE)
    for serial in range(150):
        address, number = Address(f"task-{chance.randrange(12):02}"), serial + 1
        if chance.random() < 0.3:
            expected.pop(address, None)
            store.commit(lease, serial, [DropRecord(address=address)])
        else:
            expected[address] = record(address, number=number)
            store.commit(lease, serial, [put(address, number=number)])
        if chance.random() < 0.2:
            assert opened(read_only=True).read().records == expected
        if chance.random() < 0.1:
            assert follower.read().records == expected
    assert len(page(memory)["records"]["segments"]) < 12


# damage


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is damaged"),
        (b"<html>", "is damaged"),
        (b"[]", "it is not the page of a state"),
        (b'{"taskspec": 1}', "is damaged"),
        (b'{"version": 4, "serial": 1, "lineage": "x"}', "it is not the page of a state"),
        (b'{"taskspec": 2}', r"newer taskspec \(format 2"),
        (b"[" * 100_000, "is damaged"),
        (b"\xff\xfe", "is damaged"),
    ],
)
def test_a_page_that_is_none_is_said_to_be_none(store, memory, opened, content, words):
    store.commit(store.acquire(ALICE), 0, [put()])
    memory.held = replace(memory.held, content=content, tag="another")
    for asked in (store.read, store.digest, store.holding, store.head, lambda: opened().acquire(BOB)):
        with pytest.raises(StateError, match=words) as caught:
            asked()
        assert caught.value.hint


@pytest.mark.parametrize("key", ["taskspec", "serial", "lineage", "state", "lease", "records", "history", "waste"])
@pytest.mark.parametrize("value", [None, "", {}, [], -1, True])
def test_a_page_with_a_part_that_is_none_is_never_an_empty_state(store, memory, opened, key, value):
    store.commit(store.acquire(ALICE), 0, [put()])
    changed = page(memory) | {key: value}
    if (key, value) in [("lease", None), ("waste", []), ("serial", True), ("taskspec", True)]:
        return  # that may be
    memory.held = replace(memory.held, content=json.dumps(changed).encode(), tag="another")
    with pytest.raises(StateError, match="is damaged"):
        opened(read_only=True).read()


def test_a_page_of_a_newer_taskspec_is_refused_and_one_of_an_older_is_brought_forward(store, memory, opened):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(EXTRACT), put(REPORT)])
    store.release(lease)
    value = page(memory)
    for line in value["records"]["tail"]:
        text = json.loads(line[1])
        del text["generation"]["inputs"], text["unsent"], text["file"]
        for attempt in text["generation"]["attempts"]:
            del attempt["revision"]
        line[1] = json.dumps(text)
    old = json.dumps(value | {"recordFormat": 4}).encode()
    memory.held = replace(memory.held, content=old, tag="old")
    records = {EXTRACT: record(EXTRACT), REPORT: record(REPORT)}
    assert opened(read_only=True).read().records == records
    opened().acquire(ALICE)
    assert page(memory)["recordFormat"] == FORMAT
    assert opened(read_only=True).read().records == records
    new = json.dumps(value | {"recordFormat": FORMAT + 1}).encode()
    memory.held = replace(memory.held, content=new, tag="new")
    with pytest.raises(StateError, match="newer taskspec") as caught:
        opened(read_only=True).read()
    assert caught.value.hint == "Upgrade taskspec."


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda content: content[:-9], "was changed or cut"),
        (lambda content: b"", "was changed or cut"),
        (lambda content: gzip.compress(b"{}\n"), "was changed or cut"),
        (None, "is gone"),
    ],
)
def test_a_piece_that_is_damaged_or_gone_is_never_passed_over(opened, memory, harm, words):
    store = opened(limits=Limits(tail=100))
    store.commit(store.acquire(ALICE), 0, [put(EXTRACT), note()])
    for name, (content, written) in list(memory.pieces.items()):
        if harm is None:
            del memory.pieces[name]
        else:
            memory.pieces[name] = harm(content), written
    reader = opened(read_only=True)
    for asked in (reader.read, lambda: list(reader.history()), reader.faults):
        with pytest.raises(StateError, match=words):
            asked()


def test_a_result_whose_piece_is_gone_or_changed_is_told(opened, memory):
    store = opened()
    store.commit(store.acquire(ALICE), 0, [put_result("one")])
    ((name, (_, written)),) = memory.pieces.items()
    memory.pieces[name] = b"two", written
    with pytest.raises(StateError, match="does not match its digest"):
        opened(read_only=True).result(ref("one"))
    memory.pieces.clear()
    for asked in (lambda: opened(read_only=True).result(ref("one")), lambda: list(opened(read_only=True).results())):
        with pytest.raises(StateError, match="is not in memory://state"):
            asked()
    assert opened(read_only=True).faults() == [f"the piece {name}, which holds results, is gone"]


def test_the_state_of_another_environment_is_not_taken_for_this_one_s(store, opened):
    store.acquire(ALICE)
    other = opened(environment="prod")
    for asked in (other.read, other.holding, lambda: other.acquire(BOB)):
        with pytest.raises(StateError, match="is the state of environment `default`, not of `prod`"):
            asked()


def test_where_the_copy_finds_no_room_that_is_said(store, opened):
    store.commit(store.acquire(ALICE), 0, [put()])
    reader = opened(read_only=True)
    reader._follower._replica.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError, match="cannot be copied to a temporary file"):
        reader.read()


def test_a_commit_that_finds_no_room_in_the_copy_has_happened_all_the_same(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(EXTRACT)])
    store.read()
    copy = store._follower._replica.connection
    copy.execute("PRAGMA query_only = ON")
    assert store.commit(lease, 1, [put(REPORT)]) == 2
    copy.execute("PRAGMA query_only = OFF")
    assert store.read().records.keys() == {EXTRACT, REPORT}


# the server's own lock


@pytest.fixture
def locking(opened):
    return lambda: opened(kind=LockingRegister)


def test_the_lock_of_the_server_is_held_as_long_as_the_lease(locking, memory):
    store = locking()
    lease = store.acquire(ALICE)
    assert memory.lock.holder == ALICE
    store.commit(lease, 0, [put(), put_result("text")])
    store.renew(lease)
    store.release(lease)
    assert memory.lock is None
    assert locking().result(ref("text")) == "text"


def test_the_lock_of_a_lease_that_has_ended_is_broken(locking, memory):
    store = locking()
    old = store.acquire(ALICE)
    with pytest.raises(LockHeldError, match="alice"):
        locking().acquire(BOB)
    memory.ahead = TTL
    other = locking()
    other.acquire(BOB)
    assert memory.lock.holder == BOB
    with pytest.raises(LostLeaseError, match="bob on desk"):
        store.commit(old, 0, [put()])
    store.close()
    assert memory.lock.holder == BOB


def test_the_lock_of_a_holder_that_died_before_it_wrote_its_lease_ends_as_a_lease_does(locking, memory):
    memory.lock = ServerLock(id="lost", holder=ALICE, ttl=TTL, since=memory.now())
    with pytest.raises(LockHeldError, match=r"alice on laptop.*Last heartbeat \d s ago"):
        locking().acquire(BOB)
    memory.ahead = TTL
    assert locking().acquire(BOB).epoch == 1


def test_the_lock_of_another_tool_is_named_and_never_broken(locking, memory):
    memory.lock = ServerLock(id="tf-1", holder=replace(ALICE, command="OperationTypeApply"), ttl=None, since=0.0)
    memory.ahead = 1e9
    with pytest.raises(LockHeldError, match=r"alice on laptop.*OperationTypeApply.*tf-1"):
        locking().acquire(BOB)
    assert memory.lock.id == "tf-1"


def test_a_lock_that_is_taken_away_is_unlocked_at_the_server_too(locking, memory):
    store = locking()
    lease = store.acquire(ALICE)
    locking().force_release(lease.epoch, BOB)
    assert memory.lock is None
    with pytest.raises(LostLeaseError, match="bob on desk"):
        store.renew(lease)
    assert locking().acquire(BOB)


def test_a_holder_whose_lock_was_broken_at_the_server_has_lost_its_lease(opened, memory):
    store = opened(kind=LockingRegister, patience=0.05)
    lease = store.acquire(ALICE)
    memory.lock = None
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])


def test_a_lease_that_could_not_be_written_leaves_no_lock(opened, memory):
    store = opened(kind=LockingRegister, patience=0.05)
    memory.faults.extend(["away"] * 100)
    with pytest.raises(StateError, match="Nobody answers"):
        store.acquire(ALICE)
    assert memory.lock is None


def test_a_page_that_is_all_there_is_holds_the_newest_of_each_record(locking, memory):
    store = locking()
    lease = store.acquire(ALICE)
    for serial in range(10):
        store.commit(lease, serial, [put(EXTRACT, number=serial), put(REPORT), DropRecord(address=REPORT)])
    assert [line[0] for line in page(memory)["records"]["tail"]] == [EXTRACT]
    assert store.read().records == locking().read().records == {EXTRACT: record(number=9)}
    assert memory.pieces == {}


# results that are kept no longer


def test_what_held_only_dropped_results_is_swept_when_the_lock_is_given_back(opened, memory):
    store = opened(limits=replace(SMALL, stray=0.0))
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result("a" * 100)])
    store.commit(lease, 1, [put_result("b" * 100), put_result("c" * 100)])
    held = {name for name in memory.pieces if "texts" in name}
    store.commit(lease, 2, [drop_result("a" * 100), drop_result("b" * 100)])
    store.release(lease)
    left = {name for name in memory.pieces if "texts" in name}
    assert len(held) == 2
    assert left < held
    assert opened(read_only=True).result(ref("c" * 100)) == "c" * 100


def test_a_dropped_result_stays_dropped_however_the_index_is_spilled_and_merged(opened):
    store = opened(limits=SMALL)
    lease = store.acquire(ALICE)
    for serial in range(60):
        changes = [put_result(f"result {serial}"), note(at=float(serial))]
        store.commit(lease, serial, [*changes, *([drop_result(f"result {serial - 3}")] if serial % 2 else [])])
    left = {f"result {n}" for n in range(60) if n % 2 or n > 56}
    assert {content for _, content in opened(read_only=True).results()} == left
    assert {content for _, content in store.results()} == left
