"""What is said of a commit whose answer is lost: it is read back by lineage, epoch and serial, never guessed."""

import sqlite3

import pytest
from state_values import ALICE, EXTRACT, put

from taskspec.errors import StateError, UnknownCommitError
from taskspec.state.sqlite import SqliteState


class Disk:
    """A connection over a disk that fails at the next COMMIT: before it, after it, or before it and for good."""

    def __init__(self, connection, fault):
        self._connection = connection
        self._fault = fault
        self._dead = False

    @property
    def in_transaction(self):
        return self._connection.in_transaction

    def execute(self, sql, values=()):
        if self._dead:
            raise sqlite3.OperationalError("disk I/O error")
        if sql != "COMMIT":
            return self._connection.execute(sql, values)
        if self._fault == "after":
            self._connection.execute(sql)
        self._dead = self._fault == "for good"
        raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def store(tmp_path):
    store = SqliteState(tmp_path, "sales", "default", read_only=False)
    yield store
    store.close()


def commit(store, fault, monkeypatch):
    lease = store.acquire(ALICE)
    disk = Disk(store._database.opened(), fault)
    with monkeypatch.context() as patch:
        patch.setattr(store._database, "opened", lambda: disk)
        return store.commit(lease, 0, [put()])


def test_a_commit_that_happened_all_the_same_is_acknowledged(store, monkeypatch):
    assert commit(store, "after", monkeypatch) == 1
    assert store.read().records.keys() == {EXTRACT}


def test_a_commit_that_did_not_happen_is_an_error_and_leaves_nothing(store, monkeypatch):
    with pytest.raises(StateError) as caught:
        commit(store, "before", monkeypatch)
    assert type(caught.value) is StateError
    assert store.read().serial == 0


def test_a_commit_that_cannot_be_read_back_is_unknown(store, monkeypatch):
    with pytest.raises(UnknownCommitError, match="Nobody can tell"):
        commit(store, "for good", monkeypatch)
