"""What every state store promises, within one process."""

import threading
from dataclasses import replace

import pytest
from state_servers import named
from state_values import ALICE, BOB, EXTRACT, REPORT, document_of, drop_result, note, put, put_result, record, ref

from taskspec.address import Address
from taskspec.errors import LockHeldError, LostLeaseError, StaleError, StateError
from taskspec.state.chaining import follow, root
from taskspec.state.model import INLINE_LIMIT, TTL, DropRecord, Note, PutResult


def test_where_nothing_is_kept_there_is_nothing_to_read(opened, tmp_path):
    reader = opened(read_only=True)
    snapshot = reader.read()
    assert (snapshot.lineage, snapshot.serial, snapshot.records) == ("", 0, {})
    assert list(reader.history()) == []
    assert reader.holding() is None
    assert list(tmp_path.iterdir()) == []


def test_a_digest_tells_every_serial_and_every_lineage_from_every_other(opened):
    assert opened(read_only=True).digest() == (0, "")
    stores = [opened(environment="default"), opened(environment="prod")]
    seen = set()
    for store in stores:
        lease = store.acquire(ALICE)
        for serial in range(3):
            found = store.digest()
            assert found[0] == store.read().serial == serial
            assert store.digest() == found
            seen.add(found[1])
            store.commit(lease, serial, [put(EXTRACT)])
    assert len(seen) == 6


def test_the_first_lease_makes_a_lineage_that_stays(opened):
    store = opened()
    store.release(store.acquire(ALICE))
    lineage = store.read().lineage
    assert len(lineage) == 32
    other = opened()
    other.acquire(BOB)
    assert other.read().lineage == lineage
    assert other.read().serial == 0


def test_two_environments_have_two_lineages(opened):
    stores = opened(environment="default"), opened(environment="prod")
    for store in stores:
        store.acquire(ALICE)
    assert stores[0].read().lineage != stores[1].read().lineage


def test_what_is_committed_is_read_by_another_command(store, opened):
    lease = store.acquire(ALICE)
    assert store.commit(lease, 0, [put(EXTRACT), put(REPORT)]) == 1
    snapshot = opened(read_only=True).read()
    assert snapshot.serial == 1
    assert snapshot.records == {EXTRACT: record(EXTRACT), REPORT: record(REPORT)}


def test_changes_take_effect_in_their_order(store):
    lease = store.acquire(ALICE)
    changes = [put(EXTRACT, number=1), put(EXTRACT, number=2), put(REPORT), DropRecord(address=REPORT)]
    store.commit(lease, 0, changes)
    assert store.read().records == {EXTRACT: record(EXTRACT, number=2)}


def test_every_commit_is_one_serial_even_an_empty_one(store):
    lease = store.acquire(ALICE)
    assert store.commit(lease, 0, []) == 1
    assert store.commit(lease, 1, [put()]) == 2
    assert store.read().serial == 2


def test_some_records_are_read_without_the_others(store, opened):
    assert opened(read_only=True).read(only=[EXTRACT]).lineage == ""
    store.commit(store.acquire(ALICE), 0, [put(EXTRACT), put(REPORT), note()])
    whole = store.read()
    assert store.read(only=[]) == replace(whole, records={})
    assert store.read(only=[REPORT, Address("unheard-of")]) == replace(whole, records={REPORT: record(REPORT)})


def test_a_reader_that_came_first_sees_what_is_made_later(store, opened):
    reader = opened(read_only=True)
    assert reader.read().serial == 0
    store.commit(store.acquire(ALICE), 0, [put()])
    assert reader.read().records.keys() == {EXTRACT}


@pytest.mark.parametrize("serial", [-1, 0, 2])
def test_a_stale_serial_changes_nothing(store, serial):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(number=1)])
    with pytest.raises(StaleError, match="at serial 1, not"):
        store.commit(lease, serial, [put(number=2), note()])
    assert store.read().records == {EXTRACT: record(number=1)}
    assert list(store.history()) == []


def test_a_change_that_cannot_be_kept_keeps_the_whole_commit_out(store):
    lease = store.acquire(ALICE)
    lie = PutResult(ref=ref("one"), content="two")
    with pytest.raises(StateError, match="does not match its digest"):
        store.commit(lease, 0, [put(), note(), lie])
    with pytest.raises(StateError, match="cannot be kept"):
        store.commit(lease, 0, [put(), Note(address=EXTRACT, at=float("nan"), what="ended")])
    assert store.read().records == {}
    assert store.commit(lease, 0, [put()]) == 1


def test_a_lock_that_is_held_names_its_holder(store, opened):
    store.acquire(ALICE)
    with pytest.raises(LockHeldError) as caught:
        opened().acquire(BOB)
    for word in ["alice", "laptop", "4711", "taskspec apply", "2023-11-14 22:13:20 UTC"]:
        assert word in caught.value.message
    assert caught.value.hint


def test_a_second_lease_of_the_same_store_is_refused(store):
    store.acquire(ALICE)
    with pytest.raises(LockHeldError):
        store.acquire(ALICE)


def test_the_holder_is_told_as_long_as_the_lock_is_held(store, opened):
    reader = opened(read_only=True)
    lease = store.acquire(ALICE)
    holding = reader.holding()
    assert (holding.holder, holding.epoch, holding.is_alive) == (ALICE, lease.epoch, True)
    assert holding.expires == holding.ttl - holding.silent > 0
    assert holding.lapses == (store.capabilities.ttl is not None)
    assert holding.ttl == TTL
    store.release(lease)
    assert reader.holding() is None
    assert store.holding() is None


def test_who_waits_for_a_lock_is_told_its_epoch_and_the_last_sign_of_life(store, opened):
    lease = store.acquire(ALICE)
    with pytest.raises(LockHeldError, match=f"Epoch {lease.epoch}, last heartbeat 0 s ago") as caught:
        opened().acquire(BOB)
    assert caught.value.lock.items() >= {"epoch": lease.epoch, "user": "alice", "suspended": False}.items()


def test_a_lease_may_be_renewed_as_long_as_it_is_held(store):
    lease = store.acquire(ALICE)
    store.renew(lease)
    assert store.commit(lease, 0, [put()]) == 1
    store.release(lease)
    with pytest.raises(LostLeaseError):
        store.renew(lease)
    second = store.acquire(ALICE)
    with pytest.raises(LostLeaseError):
        store.renew(lease)
    store.renew(second)


def test_a_lock_that_is_taken_away_is_free_and_what_its_holder_writes_is_refused(store, opened):
    old = store.acquire(ALICE)
    store.commit(old, 0, [put(number=1)])
    opened().force_release(old.epoch, BOB)
    assert store.holding() is None
    for late in (lambda: store.commit(old, 1, [put(number=2)]), lambda: store.renew(old)):
        with pytest.raises(LostLeaseError, match="bob on desk took it over"):
            late()
    other = opened()
    new = other.acquire(BOB)
    assert new.epoch > old.epoch
    with pytest.raises(LostLeaseError, match="bob on desk took it over"):
        store.commit(old, 1, [put(number=2)])
    assert other.read().records == {EXTRACT: record(number=1)}
    assert other.commit(new, 1, [put(number=3)]) == 2


def test_a_holder_that_lost_its_lock_does_not_free_the_next_one_s(store, opened):
    old = store.acquire(ALICE)
    opened().force_release(old.epoch, BOB)
    other = opened()
    other.acquire(BOB)
    store.release(old)
    store.close()
    assert other.holding().holder == BOB
    with pytest.raises(LockHeldError):
        opened().acquire(ALICE)


@pytest.mark.parametrize("step", [-1, 1, 92])
def test_a_lock_is_taken_away_only_by_its_own_epoch(store, opened, step):
    lease = store.acquire(ALICE)
    with pytest.raises(LockHeldError, match=f"alice on laptop.*Epoch {lease.epoch}"):
        opened().force_release(lease.epoch + step, BOB)
    assert store.holding().epoch == lease.epoch
    store.renew(lease)
    assert store.commit(lease, 0, [put()]) == 1


def test_a_released_lock_is_free_and_the_next_epoch_is_greater(store, opened):
    first = store.acquire(ALICE)
    store.release(first)
    store.release(first)
    second = opened().acquire(BOB)
    assert second.epoch > first.epoch


def test_a_closed_store_has_let_its_lock_go(store, opened):
    store.acquire(ALICE)
    store.close()
    assert opened().acquire(BOB)


def test_a_released_lease_writes_nothing(store, opened):
    lease = store.acquire(ALICE)
    store.release(lease)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    other = opened()
    other.acquire(BOB)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 0, [put()])
    assert other.read().records == {}


def test_an_old_release_does_not_free_the_lock_of_a_new_lease(store, opened):
    first = store.acquire(ALICE)
    store.release(first)
    store.acquire(ALICE)
    store.release(first)
    with pytest.raises(LockHeldError):
        opened().acquire(BOB)


def test_a_store_that_is_read_only_gives_no_lease(opened):
    with pytest.raises(StateError, match="reading only"):
        opened(read_only=True).acquire(ALICE)


@pytest.fixture
def place(place):
    return named(place, "accounts")


def test_a_project_may_change_its_name(store, opened):
    store.commit(store.acquire(ALICE), 0, [put()])
    lineage = store.read().lineage
    store.close()
    renamed = opened(project="sales-ops")
    renamed.acquire(ALICE)
    assert renamed.read().lineage == lineage
    assert renamed.read().records.keys() == {EXTRACT}


@pytest.mark.parametrize("content", ["", "short", "näïve\x00\r\n", "x" * INLINE_LIMIT, "ö" * INLINE_LIMIT])
def test_a_result_comes_back_as_it_was(store, opened, content):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(content)])
    store.commit(lease, 1, [put_result(content)])
    assert opened(read_only=True).result(ref(content)) == content


def test_a_result_outlives_its_record(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(), put_result("kept")])
    store.commit(lease, 1, [DropRecord(address=EXTRACT)])
    assert store.result(ref("kept")) == "kept"


@pytest.mark.parametrize("content", ["", "short", "x" * (INLINE_LIMIT + 1)])
def test_a_result_that_was_dropped_is_kept_no_longer_and_the_others_are(store, opened, content):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(content), put_result("other"), put()])
    assert store.commit(lease, 1, [drop_result(content), note(what="pruned")]) == 2
    for reader in (store, opened(read_only=True)):
        with pytest.raises(StateError, match="is not in"):
            reader.result(ref(content))
        assert list(reader.results()) == [(ref("other").digest, "other")]
        assert reader.read().records.keys() == {EXTRACT}
        assert [entry.note.what for entry in reader.history()] == ["pruned"]
        assert reader.faults() == []


def test_dropping_what_is_not_there_is_no_error(store):
    lease = store.acquire(ALICE)
    assert store.commit(lease, 0, [drop_result("never")]) == 1
    store.commit(lease, 1, [put_result("once")])
    store.commit(lease, 2, [drop_result("once")])
    assert store.commit(lease, 3, [drop_result("once")]) == 4
    assert list(store.results()) == []


@pytest.mark.parametrize("content", ["short", "x" * (INLINE_LIMIT + 1)])
def test_of_one_commit_the_last_word_on_a_result_counts(store, opened, content):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result(content)])
    store.commit(lease, 1, [drop_result(content), put_result(content)])
    assert opened(read_only=True).result(ref(content)) == content
    store.commit(lease, 2, [put_result(content), drop_result(content)])
    assert list(opened(read_only=True).results()) == []


def test_a_result_that_was_dropped_can_be_kept_again(store, opened):
    lease = store.acquire(ALICE)
    for serial, content in enumerate(["again", "x" * (INLINE_LIMIT + 1)]):
        store.commit(lease, 3 * serial, [put_result(content)])
        store.commit(lease, 3 * serial + 1, [drop_result(content)])
        store.commit(lease, 3 * serial + 2, [put_result(content)])
        assert store.result(ref(content)) == opened(read_only=True).result(ref(content)) == content


def test_a_result_is_not_dropped_without_the_lease_or_at_another_serial(store, opened):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put_result("kept")])
    with pytest.raises(StaleError):
        store.commit(lease, 0, [drop_result("kept")])
    store.force_release(lease.epoch, BOB)
    with pytest.raises(LostLeaseError):
        store.commit(lease, 1, [drop_result("kept")])
    assert opened(read_only=True).result(ref("kept")) == "kept"


def test_a_whole_state_goes_elsewhere_without_what_was_dropped(opened):
    old, new = opened(environment="old"), opened(environment="new")
    lease = old.acquire(ALICE)
    old.commit(lease, 0, [put_result("gone"), put_result("kept"), note()])
    old.commit(lease, 1, [drop_result("gone"), note(what="pruned")])
    new.replace(new.acquire(BOB), 0, document_of(old))
    assert list(new.results()) == [(ref("kept").digest, "kept")]


def test_a_result_that_was_never_kept_is_missing(store, opened):
    with pytest.raises(StateError, match="is not in"):
        opened(read_only=True).result(ref("never"))
    store.acquire(ALICE)
    with pytest.raises(StateError, match="is not in"):
        store.result(ref("never"))


def test_a_reference_of_another_size_is_refused(store):
    store.commit(store.acquire(ALICE), 0, [put_result("abc")])
    wrong = type(ref("abc"))(digest=ref("abc").digest, size=4, format="text")
    with pytest.raises(StateError, match="does not match its digest"):
        store.result(wrong)


def test_the_history_is_told_newest_first_with_its_serials(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [note(what="created"), note(what="ended")])
    store.commit(lease, 1, [note(REPORT, what="created")])
    told = [(entry.serial, entry.note.address, entry.note.what) for entry in store.history()]
    assert told == [(2, REPORT, "created"), (1, EXTRACT, "ended"), (1, EXTRACT, "created")]


def test_the_history_of_one_address_may_be_limited(store):
    lease = store.acquire(ALICE)
    for serial in range(4):
        store.commit(lease, serial, [note(EXTRACT, at=float(serial)), note(REPORT)])
    assert [entry.note.at for entry in store.history(EXTRACT, limit=2)] == [3.0, 2.0]
    assert len(list(store.history(limit=5))) == 5
    assert list(store.history(limit=0)) == []
    assert list(store.history(Address("unheard-of"))) == []


def test_a_long_history_is_told_whole_while_somebody_writes(store, opened):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [note(at=float(number)) for number in range(1_234)])
    told = opened(read_only=True).history(EXTRACT)
    first = next(told)
    store.commit(lease, 1, [note(at=-1.0)])
    assert [first.note.at, *(entry.note.at for entry in told)] == [float(n) for n in reversed(range(1_234))]


def test_each_entry_follows_from_the_one_before_it_whoever_wrote_it(store, opened):
    assert opened(read_only=True).head() == opened(read_only=True).read().head == ""
    lease = store.acquire(ALICE)
    lineage = store.read().lineage
    assert store.head() == store.read().head == root(lineage)
    store.commit(lease, 0, [note(what="intended"), put(), note(REPORT)])
    store.commit(lease, 1, [put(REPORT)])
    store.close()
    later = opened()
    later.commit(
        later.acquire(BOB), 2, [note(what="ended"), Note(address=EXTRACT, at=2, what="x", data={"b": 1.0, "a": [True]})]
    )
    told = list(later.history())
    chain = follow(told, lineage)
    assert (chain.broken, chain.length, chain.head) == (None, 4, later.head())
    assert later.head() == later.read().head == told[0].hash
    assert [entry.hash for entry in later.history(REPORT)] == [told[2].hash]


def test_a_commit_that_is_refused_leaves_the_head_as_it_was(store):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [note()])
    head = store.head()
    with pytest.raises(StaleError):
        store.commit(lease, 0, [note()])
    with pytest.raises(StateError):
        store.commit(lease, 1, [note(), Note(address=EXTRACT, at=float("nan"), what="ended")])
    assert store.head() == head
    store.commit(lease, 1, [note()])
    assert follow(store.history(), store.read().lineage).broken is None


def test_every_kept_result_is_told_by_its_digest(store, opened):
    assert list(opened(read_only=True).results()) == []
    contents = ["", "näïve", "x" * (INLINE_LIMIT + 1)]
    store.commit(store.acquire(ALICE), 0, [put_result(content) for content in contents])
    told = list(opened(read_only=True).results())
    assert told == sorted((ref(content).digest, content) for content in contents)


def test_a_whole_state_takes_the_place_of_another(opened):
    old, new = opened(environment="old"), opened(environment="new")
    lease = old.acquire(ALICE)
    old.commit(lease, 0, [put(EXTRACT), put_result('{"total": 3}'), put_result("x" * (INLINE_LIMIT + 1)), note()])
    old.commit(lease, 1, [note(REPORT)])
    document = document_of(old)
    lease = new.acquire(BOB)
    new.commit(lease, 0, [put(REPORT), note(REPORT), put_result("gone")])
    assert new.replace(lease, 1, document) == 2
    reader = opened(environment="new", read_only=True)
    assert reader.read() == old.read() == new.read()
    assert list(reader.history()) == list(old.history())
    assert list(reader.history(REPORT)) == list(old.history(REPORT))
    assert list(reader.results()) == list(old.results())
    assert new.commit(lease, 2, [note()]) == 3
    chain = follow(new.history(), document.lineage)
    assert (chain.broken, chain.length, chain.head) == (None, 3, new.head())


def test_a_whole_state_without_its_results_leaves_those_that_are_there(store, opened):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(EXTRACT), put_result('{"total": 3}')])
    store.replace(lease, 1, replace(document_of(store), serial=9, results=None))
    assert opened(read_only=True).read().serial == 9
    assert store.result(ref('{"total": 3}')) == '{"total": 3}'


def test_a_state_is_not_replaced_without_the_lease_or_at_another_serial(store, opened):
    lease = store.acquire(ALICE)
    store.commit(lease, 0, [put(EXTRACT), note()])
    document = replace(document_of(store), serial=9)
    with pytest.raises(StaleError):
        store.replace(lease, 0, document)
    opened().force_release(lease.epoch, BOB)
    with pytest.raises(LostLeaseError):
        store.replace(lease, 1, document)
    assert (store.read().serial, list(store.read().records)) == (1, [EXTRACT])


def test_a_commit_may_come_from_another_thread_than_the_lease(store):
    lease = store.acquire(ALICE)
    serials = []
    thread = threading.Thread(target=lambda: serials.append(store.commit(lease, 0, [put()])))
    thread.start()
    thread.join()
    assert serials == [store.read().serial] == [1]


@pytest.mark.parametrize("environment", ["", ".", "..", "a/b", "../up", ".hidden", "a\x00b", "a\n"])
def test_an_environment_that_would_leave_its_folder_is_refused(opened, environment):
    with pytest.raises(StateError, match="cannot name an environment"):
        opened(environment=environment)


def test_a_name_that_is_too_long_for_some_store_is_refused_by_all(opened):
    with pytest.raises(StateError, match="201 characters cannot name an environment"):
        opened(environment="x" * 201)
