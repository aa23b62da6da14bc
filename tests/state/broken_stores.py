"""Stores of which each breaks one promise: whoever tries stores has to catch every one of them."""

from taskspec.errors import StateError
from taskspec.state.database import transaction
from taskspec.state.model import DropResult, Note
from taskspec.state.sqlite import SqliteState
from taskspec.state.store import Lease


class TakesWritesOfTheDead(SqliteState):
    """The epoch of a write is not looked at."""

    def _check(self, connection, lease, serial):
        epoch, lineage = connection.execute("SELECT epoch, lineage FROM meta").fetchone()
        newest = Lease(epoch=epoch)
        self._lease = newest, lineage
        return super()._check(connection, newest, serial)


class TakesStaleWrites(SqliteState):
    """The serial of a write is not looked at."""

    def _check(self, connection, lease, serial):
        (recorded,) = connection.execute("SELECT serial FROM meta").fetchone()
        return super()._check(connection, lease, recorded)


class FreesTheLockOfTheNext(SqliteState):
    """Whoever releases a lease frees the lock, whoever has it."""

    def release(self, lease):
        super().release(lease)
        self._lock.remove()


class GivesOneEpochTwice(SqliteState):
    """Epochs do not grow."""

    def _begin(self, holder):
        _, lineage = super()._begin(holder)
        connection = self._database.opened()
        with transaction(connection, "IMMEDIATE"):
            connection.execute("UPDATE meta SET epoch = 1")
        return Lease(epoch=1), lineage


class TakesLocksByAnyEpoch(SqliteState):
    """A lock is taken away, whatever its epoch."""

    def force_release(self, epoch, by):
        holding = self.holding()
        super().force_release(holding.epoch if holding else epoch, by)


class KeepsItsLock(SqliteState):
    """The lock of a closed store is not free."""

    def close(self):
        self._database.close()


class TellsOldFirst(SqliteState):
    """A history that is limited is told from its beginning."""

    def history(self, address=None, *, limit=None):
        entries = list(super().history(address))
        return iter(entries if limit is None else entries[len(entries) - min(limit, len(entries)) :])


class ForgetsHalfAnAddress(SqliteState):
    """Every task of a matrix has the record of the last one that was written."""

    def read(self, only=None):
        whole = super().read()
        if only is None:
            return whole
        for address in [one for one in whole.records if str(one).partition("[")[0] not in map(str, only)]:
            del whole.records[address]
        return whole


class DigestsTheSerialAlone(SqliteState):
    """The digest says nothing of what the records hold, nor of which lineage they are."""

    def digest(self):
        return super().digest()[0], "same"


class KeepsHalfOfACommit(SqliteState):
    """What precedes a change that cannot be kept is kept."""

    def commit(self, lease, serial, changes):
        try:
            return super().commit(lease, serial, changes)
        except StateError:
            notes = [change for change in changes if isinstance(change, Note)]
            if notes:
                super().commit(lease, serial, notes)
            raise


class ForgetsTheResults(SqliteState):
    """A state that takes another's place, without results, takes those that were there with it."""

    def replace(self, lease, serial, document):
        told = super().replace(lease, serial, document)
        if document.results is None:
            connection = self._database.opened()
            with transaction(connection, "IMMEDIATE"):
                connection.execute("DELETE FROM results")
        return told


class KeepsWhatWasDropped(SqliteState):
    """A result that is dropped stays."""

    def commit(self, lease, serial, changes):
        return super().commit(lease, serial, [change for change in changes if not isinstance(change, DropResult)])


BROKEN = (
    TakesWritesOfTheDead,
    TakesStaleWrites,
    FreesTheLockOfTheNext,
    GivesOneEpochTwice,
    TakesLocksByAnyEpoch,
    KeepsItsLock,
    TellsOldFirst,
    ForgetsHalfAnAddress,
    DigestsTheSerialAlone,
    KeepsHalfOfACommit,
    ForgetsTheResults,
    KeepsWhatWasDropped,
)
