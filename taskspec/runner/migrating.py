"""state migrate: the whole state of a project goes from one place to another. Asks no remote, and starts nothing.

Both places are locked for the whole time. The new one is written in one commit and read back; then the old one says
that it was left, then the new one that the state has arrived. Cut anywhere, the same command finishes it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from taskspec.documents.model import Project
from taskspec.documents.places import Place
from taskspec.errors import LockHeldError, StateError, TaskspecError, UnchainedError, UnknownCommitError, UsageError
from taskspec.report.migrating import Migration
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.pulling import with_all_named
from taskspec.state.chaining import follow
from taskspec.state.document import StateDocument
from taskspec.state.migrating import Journey, Left, arrival, departed, departure, fault, journey, moved_words
from taskspec.state.model import Holding, Snapshot
from taskspec.state.replacing import is_empty
from taskspec.state.store import Lease, StateReader, StateStore

_FINISH: Final = "The same command finds out how far it came, and finishes it. One place has all of it."
Approve = Callable[[Migration], bool]
"""Shows what goes where, and tells whether it is to be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """From where to where a state is to go; `source` None: from where the project keeps it.

    `force`: though the new place holds another one. `dry_run`: only look, without a lock.
    """

    source: Place | None
    target: Place
    approve: Approve
    force: bool = False
    dry_run: bool = False


async def migrate(invocation: Invocation, ports: Ports, wish: Wish) -> Migration | None:
    """Carry the state; return what was done, or is to be done in a dry run, or None where it was not approved.

    Raises StaleError where the new place holds something that may not be replaced, UsageError where both are one place,
    and StateError where the new place does not hold what was written: the old one is then as it was.
    """
    project = project_of(invocation)
    looked = _looked_at(project, ports, wish)
    if looked is not None and looked.left is Left.STAY and not wish.dry_run:
        return await _stayed(project, ports, wish, looked, invocation.lock_timeout)
    if looked is not None:
        return looked
    async with _both(project, ports, wish, invocation.lock_timeout) as (source, target):
        travel, before = _planned(source.store, target.store, project, ports, wish)
        migration = _told(source.store, target.store, travel, before)
        if travel.left is Left.NOTHING:
            return migration
        if not wish.approve(migration):
            return None
        source.store.renew(source.lease)  # whoever thought about it may have lost a lock meanwhile
        target.store.renew(target.lease)
        try:
            _carried(project, ports, wish, travel, source, target, before.serial)
        except UnknownCommitError as error:
            raise UnknownCommitError(error.message, hint=_FINISH) from error
    return migration


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    """A place that is locked."""

    store: StateStore
    lease: Lease


def _carried(
    project: Project, ports: Ports, wish: Wish, travel: Journey, source: _End, target: _End, serial: int
) -> None:
    carried, left, where = travel.carried, travel.left, target.store.capabilities.place
    is_copied = left is not Left.COPY
    if is_copied and _fault(carried, project, ports, wish.target):
        is_copied, carried = False, replace(carried, serial=serial + 1)
    if not is_copied:
        target.store.replace(target.lease, serial, carried)
        if found := _fault(carried, project, ports, wish.target):
            raise StateError(
                f"{where} does not hold what was written to it: {found}.",
                hint="Nothing is lost: the old place has all of it. Run the command again, or choose another place.",
            )
    if left is not Left.ARRIVE and travel.entry is not None:
        source.store.commit(source.lease, travel.entry.serial - 1, [travel.entry.note])
        if source.store.head() != travel.entry.hash:
            raise StateError(
                f"The history of {source.store.capabilities.place} does not end as it was written.",
                hint="Run the command again; both places refuse to be used until it has finished.",
            )
    note = arrival(source.store.capabilities.place, ports.holder(), ports.chance.now())
    target.store.commit(target.lease, carried.serial, [note])


def _fault(carried: StateDocument, project: Project, ports: Ports, place: Place) -> str:
    """Read everything back, and not by the one who wrote it; return what is wrong."""
    reader = ports.open_state(project, read_only=True, at=place)
    try:
        return fault(carried, reader)
    except StateError as error:
        return error.message
    finally:
        reader.close()


def _looked_at(project: Project, ports: Ports, wish: Wish) -> Migration | None:
    """Look at both without a lock, so that no state is made by what comes to nothing; return what a dry run tells."""
    source = ports.open_state(project, read_only=True, at=wish.source)
    try:
        if is_empty(source.read(only=())):
            raise TaskspecError(
                f"Nothing is kept for environment `{project.environment}` at {source.capabilities.place}.",
                hint="`--from` names another place to carry the state from.",
            )
        target = ports.open_state(project, read_only=True, at=wish.target)
        try:
            if source.capabilities.place == target.capabilities.place:
                if wish.force and departed(next(source.history(limit=1), None)) is not None:
                    return _told(source, source, _staying(_whole(source, project)), source.read(only=()))
                raise _one_place(source.capabilities.place)
            if not wish.dry_run:
                return None
            travel, before = _planned(source, target, project, ports, wish)
            return _told(source, target, travel, before)
        finally:
            target.close()
    finally:
        source.close()


def _staying(document: StateDocument) -> Journey:
    """Return what is left to do where the new place is gone, and the old one is to be used again."""
    why = f"the state {moved_words(document.history[0].note)}, and what was done there since is not here"
    return Journey(left=Left.STAY, carried=document, forced_over=why)


async def _stayed(
    project: Project, ports: Ports, wish: Wish, migration: Migration, patience: float
) -> Migration | None:
    """Take back that a state was moved: from now on it is where it was."""
    async with locked(project, ports, patience, at=wish.source, though_moved=True) as (store, lease):
        if not wish.approve(migration):
            return None
        left_for = str(migration.carried.history[0].note.data.get("to"))
        note = arrival(left_for, ports.holder(), ports.chance.now())
        store.commit(lease, migration.carried.serial, [note])
    return migration


@asynccontextmanager
async def _both(project: Project, ports: Ports, wish: Wish, patience: float) -> AsyncIterator[tuple[_End, _End]]:
    """Hold the locks of both places, taken in an order that is the same for everybody who wants these two."""
    ends = {"source": wish.source, "target": wish.target}
    named = {name: _shown(project, ports, place) for name, place in ends.items()}
    held: dict[str, _End] = {}
    first, second = sorted(ends, key=lambda name: named[name])
    async with AsyncExitStack() as stack:
        store, lease = await stack.enter_async_context(
            locked(project, ports, patience, at=ends[first], though_moved=True)
        )
        held[first] = _End(store=store, lease=lease)
        _require_another(store.holding(), project, ports, ends[second])
        try:
            store, lease = await stack.enter_async_context(
                locked(project, ports, patience, at=ends[second], though_moved=True)
            )
        except LockHeldError as error:
            mine = ports.holder()
            if error.lock is not None and (error.lock.get("pid"), error.lock.get("host")) == (mine.pid, mine.host):
                raise _one_place(named[second]) from error
            raise
        held[second] = _End(store=store, lease=lease)
        yield held["source"], held["target"]


def _require_another(mine: Holding | None, project: Project, ports: Ports, place: Place | None) -> None:
    """Raise UsageError for a place whose lock is the one that was just taken: it is the same, spelled otherwise."""
    other = ports.open_state(project, read_only=True, at=place)
    try:
        theirs = other.holding()
        if mine is not None and theirs is not None and mine.holder == theirs.holder and mine.epoch == theirs.epoch:
            raise _one_place(other.capabilities.place)
    finally:
        other.close()


def _planned(
    source: StateReader, target: StateReader, project: Project, ports: Ports, wish: Wish
) -> tuple[Journey, Snapshot]:
    before = target.read()
    note = departure(target.capabilities.place, ports.holder(), ports.chance.now())
    return journey(_whole(source, project), before, tuple(target.history()), note, force=wish.force), before


def _whole(source: StateReader, project: Project) -> StateDocument:
    """Return all that a place holds; raise StateError for what is not whole: a copy of it would not be either."""
    snapshot = source.read()
    if not snapshot.head:
        raise UnchainedError(
            "The history was written by an older taskspec, and has no hashes yet.",
            hint="The next command that takes the lock, such as `taskspec apply`, chains it.",
        )
    history = tuple(source.history())
    chain = follow(history, snapshot.lineage)
    if chain.broken is not None or chain.head != snapshot.head:
        raise StateError(
            f"The history at {source.capabilities.place} was changed, and not by taskspec: nothing was migrated.",
            hint="`taskspec history verify` says where.",
        )
    results = dict(with_all_named(snapshot, source.results()))
    return StateDocument(
        lineage=snapshot.lineage,
        serial=snapshot.serial,
        head=snapshot.head,
        project=project.name,
        environment=project.environment,
        records=snapshot.records,
        history=history,
        results=results,
    )


def _told(source: StateReader, target: StateReader, travel: Journey, before: Snapshot) -> Migration:
    return Migration(
        source=source.capabilities.place,
        target=target.capabilities.place,
        before=before,
        carried=travel.carried,
        left=travel.left,
        forced_over=travel.forced_over,
    )


def _shown(project: Project, ports: Ports, place: Place | None) -> str:
    store = ports.open_state(project, read_only=True, at=place)
    try:
        return store.capabilities.place
    finally:
        store.close()


def _one_place(place: str) -> UsageError:
    return UsageError(
        f"The state is at {place} already: both are the same place.",
        hint="`--to` names where it is to go, `--from` where it is, if the project says otherwise by now.",
    )
