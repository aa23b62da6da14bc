"""results prune, and the end of an apply: older results that their tasks' retention keeps no longer are removed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from taskspec.address import Address
from taskspec.apply.model import Emit
from taskspec.apply.pruning import pruned
from taskspec.documents.model import Retention
from taskspec.events import ResultsRemoved
from taskspec.plan.model import Plan
from taskspec.plan.retaining import Expendable, expendable, unneeded
from taskspec.runner.choosing import choose, require_some
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import prepare
from taskspec.runner.recalling import Historian, Histories, notes_of
from taskspec.state.migrating import require_here
from taskspec.state.model import Record
from taskspec.state.store import Lease, StateReader, StateStore

Approve = Callable[[Sequence[Expendable]], bool]
"""Shows which results are to be removed, and tells whether they are to be."""
Declared = Mapping[Address, Retention]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruning:
    """What became of a removal by hand."""

    declared: int
    """How many of the selected tasks declare a retention."""
    found: Sequence[Expendable] = ()
    is_done: bool = False


async def prune(invocation: Invocation, ports: Ports, approve: Approve, emit: Emit, *, dry_run: bool) -> Pruning:
    """Remove the older results of what is selected that are kept no longer; with `dry_run`, find them only."""
    if dry_run:
        store = ports.open_state(project_of(invocation), read_only=True)
        try:
            require_here(store)
            declared = _declared(invocation, ports, store)
            return Pruning(declared=len(declared), found=removable(declared, store, ports.chance.now()))
        finally:
            store.close()
    async with locked(project_of(invocation), ports, invocation.lock_timeout) as (store, lease):
        declared = _declared(invocation, ports, store)
        found = removable(declared, store, ports.chance.now())
        asked = Pruning(declared=len(declared), found=found)
        if not found or not approve(found):
            return asked
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        _remove(found, store, lease, ports.chance.now(), emit, plan=None)
        return replace(asked, is_done=True)


def retain(plan: Plan, store: StateStore, lease: Lease, at: float, emit: Emit) -> None:
    """Remove what the tasks of a plan that was carried out keep no longer, in one commit, if that is anything."""
    declared = {
        change.address: change.task.policies.retention
        for change in plan.changes
        if change.task is not None and change.task.policies.retention.is_declared
    }
    if declared and (found := removable(declared, store, at)):
        _remove(found, store, lease, at, emit, plan=plan.id)


def removable(declared: Declared, store: StateReader, now: float) -> Sequence[Expendable]:
    """Return what is kept no longer of the recorded addresses that declare a retention.

    Each address that never had another generation costs nothing, and the whole history is looked through only where
    something is to go: a result that another address needs stays.
    """
    if not declared:
        return ()
    records = store.read().records
    asked = [records[one] for one in sorted(declared) if one in records and records[one].next_generation > 2]
    told = Histories(store, bare=True)
    found = [one for record in asked if (one := _of(record, declared[record.address], told, now)) is not None]
    if not found:
        return ()
    free = unneeded(found, records, (entry.note for entry in store.history()))
    return [replace(one, digests=free[one.address]) for one in found if one.address in free]


def _of(record: Record, retention: Retention, told: Historian, now: float) -> Expendable | None:
    return expendable(retention, record, list(notes_of(record.address, told)), now)


def _remove(
    found: Sequence[Expendable], store: StateStore, lease: Lease, at: float, emit: Emit, *, plan: str | None
) -> None:
    store.commit(lease, store.digest()[0], list(pruned(found, at, plan=plan)))
    for one in found:
        emit(ResultsRemoved(address=one.address, generations=one.generations, results=len(one.digests)))


def _declared(invocation: Invocation, ports: Ports, store: StateReader) -> Declared:
    """Return what the selected tasks declare; raise UsageError where nothing is selected."""
    prepared = prepare(invocation, ports)
    chosen = choose(invocation.selection, prepared.desired, store.read().records, prepared.scope)
    require_some(invocation.selection, chosen)
    return {
        address: task.policies.retention
        for address, task in prepared.desired.tasks.items()
        if task.policies.retention.is_declared and (chosen is None or address in chosen)
    }
