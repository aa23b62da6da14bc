"""A state in a register against a plain model: whatever is committed, spilled and merged, every reader finds it."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_double import LockingRegister, Memory, MemoryRegister
from state_values import ALICE, document_of, note, put, put_result, ref

from taskspec.address import Address
from taskspec.errors import LockHeldError
from taskspec.state.chaining import follow
from taskspec.state.model import DropRecord, Note, PutRecord, PutResult
from taskspec.state.registered import RegisteredState
from taskspec.state.segments import Limits

ADDRESSES = [Address(f"task-{number}") for number in range(5)]
FAULTS = ["lost", "unsent", "conflict", "away", None]

changes = st.one_of(
    st.builds(lambda address, number: put(address, number=number), st.sampled_from(ADDRESSES), st.integers(1, 9)),
    st.builds(lambda address: DropRecord(address=address), st.sampled_from(ADDRESSES)),
    st.builds(note, st.sampled_from(ADDRESSES)),
    st.builds(put_result, st.sampled_from(["", "a", "b" * 2000, "ö"])),
)
steps = st.one_of(
    st.tuples(st.just("commit"), st.lists(changes, min_size=1, max_size=6)),
    st.tuples(st.just("commit"), st.lists(changes, max_size=2)),
    st.tuples(st.just("commit"), st.lists(changes, max_size=3)),
    st.tuples(st.sampled_from(["look", "follow", "reopen", "replace", "beat", "expire"]), st.none()),
)
limits = st.builds(
    Limits,
    tail=st.sampled_from([0, 1200, 4000]),
    fan=st.integers(2, 3),
    largest=st.sampled_from([500, 20_000]),
    grace=st.sampled_from([0.0, 1e9]),
    waste=st.sampled_from([2, 256]),
)


class Model:
    """What a state holds, kept in the plainest way."""

    def __init__(self):
        self.serial, self.records, self.results, self.history = 0, {}, {}, []

    def commit(self, changes):
        self.serial += 1
        for change in changes:
            match change:
                case PutRecord():
                    self.records[change.record.address] = change.record
                case DropRecord():
                    self.records.pop(change.address, None)
                case PutResult():
                    self.results[change.ref.digest] = change.content
                case Note():
                    self.history.insert(0, (self.serial, change))

    def require_equal(self, store):
        snapshot = store.read()
        assert (snapshot.serial, snapshot.records) == (self.serial, self.records)
        assert list(snapshot.records) == sorted(self.records)
        for address in ADDRESSES:
            assert store.read(only=[address]).records.get(address) == self.records.get(address)
        told = list(store.history())
        assert [(entry.serial, entry.note) for entry in told] == self.history
        for limit in {0, 1, len(told) // 2, len(told) + 1}:
            assert list(store.history(limit=limit)) == told[:limit]
        chain = follow(told, snapshot.lineage)
        assert (chain.broken, chain.head) == (None, store.head())
        assert dict(store.results()) == self.results
        assert all(store.result(ref(content)) == content for content in self.results.values())


@given(
    steps=st.lists(steps, min_size=5, max_size=25),
    faults=st.lists(st.sampled_from(FAULTS), max_size=10),
    limits=limits,
    kind=st.sampled_from([MemoryRegister, LockingRegister]),
)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_whatever_is_committed_every_reader_finds_it(steps, faults, limits, kind):
    memory, model = Memory(), Model()

    def opened():
        return RegisteredState(kind(memory), "sales", "default", read_only=False, limits=limits)

    store, reader = opened(), opened()
    lease = store.acquire(ALICE)
    memory.faults.extend(faults)
    for step, values in steps:
        match step:
            case "commit":
                store.commit(lease, model.serial, values)
                model.commit(values)
            case "look":
                model.require_equal(opened())
            case "follow":
                model.require_equal(reader)
            case "beat":
                store.renew(lease)
            case "reopen":
                store.close()
                store = opened()
                lease = store.acquire(ALICE)
            case "expire":
                memory.ahead += 60
                store = opened()
                lease = store.acquire(ALICE)
            case "replace":
                document = document_of(store)
                model.serial += 2
                store.replace(lease, document.serial, replace(document, serial=model.serial))
    model.require_equal(store)
    model.require_equal(reader)
    model.require_equal(opened())
    try:
        opened().acquire(ALICE)
    except LockHeldError:
        pass
    else:
        raise AssertionError("two have the lock")
    named = {segment.piece for log in store._base.known().page.logs for segment in log.segments}
    assert named <= set(memory.pieces)
