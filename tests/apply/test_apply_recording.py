"""The one writer: many wait, few commits; after a failed one nothing is accepted any more."""

import asyncio
import threading

import pytest
from apply_stages import HOLDER, A
from patience import PATIENCE
from test_apply_staging import record

from taskspec.apply.recording import Recorder
from taskspec.errors import LostLeaseError, StateError, UnknownCommitError
from taskspec.state.model import DropRecord, Note, PutRecord
from taskspec.state.sqlite import SqliteState


class Disk:
    """A store that counts commits, can be held up, and fails as it is told."""

    def __init__(self, store):
        self.store = store
        self.commits = []
        self.free = threading.Event()
        self.free.set()
        self.failures = []
        self.is_gone = False

    def commit(self, lease, serial, changes):
        self.free.wait(PATIENCE)
        self.commits.append(len(changes))
        failure, happens = self.failures.pop(0) if self.failures else (None, True)
        new = self.store.commit(lease, serial, changes) if happens else serial
        if failure is not None:
            raise failure
        return new

    def read(self, only=None):
        if self.is_gone:
            raise StateError("the disk is gone")
        return self.store.read(only)

    def renew(self, lease):
        self.store.renew(lease)


@pytest.fixture
def disk(tmp_path):
    store = SqliteState(tmp_path, "sales", "default", read_only=False)
    disk = Disk(store)
    disk.lease = store.acquire(HOLDER)
    yield disk
    store.close()


def recording(disk, work):
    async def run():
        recorder = Recorder(disk, disk.lease, disk.read())
        try:
            return await asyncio.wait_for(work(recorder), PATIENCE)
        finally:
            disk.free.set()
            recorder.close()

    return asyncio.run(run())


def note(number):
    return Note(address=A, at=float(number), what=f"n{number}")


def test_what_many_wait_for_becomes_durable_in_few_commits(disk):
    async def work(recorder):
        await asyncio.gather(*(recorder.record(note(number)) for number in range(100)))

    recording(disk, work)
    assert sum(disk.commits) == 100
    assert len(disk.commits) <= 2
    assert [entry.note.at for entry in disk.store.history(A)] == [float(n) for n in reversed(range(100))]


def test_nobody_goes_on_before_the_commit(disk):
    disk.free.clear()

    async def work(recorder):
        recorded = asyncio.ensure_future(recorder.record(PutRecord(record=record())))
        await asyncio.sleep(0.02)
        assert not recorded.done()
        assert recorder.record_of(A) is None
        disk.free.set()
        await recorded
        assert recorder.record_of(A) == record()

    recording(disk, work)


def test_a_dropped_record_is_gone(disk):
    async def work(recorder):
        await recorder.record(PutRecord(record=record()))
        await recorder.record(DropRecord(address=A), note(1))
        assert recorder.record_of(A) is None

    recording(disk, work)
    assert A not in disk.read().records


@pytest.mark.parametrize("failure", [StateError("disk full"), LostLeaseError("taken over"), RuntimeError("a bug")])
def test_a_failed_commit_refuses_everything_after_it(disk, failure):
    disk.failures = [(failure, False)]

    async def work(recorder):
        with pytest.raises(type(failure)):
            await recorder.record(note(1))
        with pytest.raises(type(failure)):
            await recorder.record(PutRecord(record=record()))
        assert recorder.record_of(A) is None

    recording(disk, work)
    assert len(disk.commits) == 1


def test_whoever_waits_behind_a_failed_commit_hears_of_it_too(disk):
    disk.free.clear()
    disk.failures = [(StateError("disk full"), False)]

    async def work(recorder):
        first = asyncio.ensure_future(recorder.record(note(1)))
        await asyncio.sleep(0.02)
        second = asyncio.ensure_future(recorder.record(note(2)))
        await asyncio.sleep(0)
        disk.free.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    assert [type(error) for error in recording(disk, work)] == [StateError, StateError]
    assert disk.read().serial == 0


def test_an_unknown_commit_that_happened_is_taken_as_done(disk):
    disk.failures = [(UnknownCommitError("no answer"), True)]

    async def work(recorder):
        await recorder.record(PutRecord(record=record()))
        await recorder.record(note(1))

    recording(disk, work)
    assert disk.read().serial == 2
    assert disk.read().records[A] == record()


def test_an_unknown_commit_that_did_not_happen_is_an_error(disk):
    disk.failures = [(UnknownCommitError("no answer"), False)]

    async def work(recorder):
        with pytest.raises(UnknownCommitError):
            await recorder.record(note(1))

    recording(disk, work)
    assert disk.read().serial == 0


def test_an_unknown_commit_that_cannot_be_read_back_stays_unknown(disk):
    disk.failures = [(UnknownCommitError("no answer"), True)]

    async def work(recorder):
        disk.is_gone = True
        with pytest.raises(UnknownCommitError):
            await recorder.record(note(1))

    recording(disk, work)


def test_the_commit_of_somebody_else_is_not_taken_for_an_unknown_one_of_the_same_serial(disk, tmp_path):
    disk.failures = [(UnknownCommitError("no answer"), False)]

    async def work(recorder):
        other = SqliteState(tmp_path, "sales", "default", read_only=False)
        other.force_release(disk.lease.epoch, HOLDER)
        other.commit(other.acquire(HOLDER), 0, [note(2)])
        other.close()
        with pytest.raises(LostLeaseError):
            await recorder.record(note(1))
        assert recorder.has_lost_its_lease

    recording(disk, work)


def test_whoever_stops_waiting_takes_nobody_else_along(disk):
    disk.free.clear()

    async def work(recorder):
        left = asyncio.ensure_future(recorder.record(note(1)))
        await asyncio.sleep(0.02)
        stays = asyncio.ensure_future(recorder.record(note(2)))
        left.cancel()
        await asyncio.sleep(0)
        disk.free.set()
        await stays

    recording(disk, work)
    assert disk.read().serial == 2
