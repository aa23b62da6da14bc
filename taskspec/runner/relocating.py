"""state mv: what is recorded under one address stands under another, by hand. Asks no remote, and starts nothing.

What was sent stays what it was: an attempt keeps its marker and its title, by which an open outcome is settled. So a
record may be moved whatever its run is doing, as the moves of an apply are.
"""

from collections.abc import Callable, Mapping

from taskspec.address import Address, is_address, task_name
from taskspec.apply.adjusting import moved
from taskspec.apply.model import Emit
from taskspec.apply.restoring import restore
from taskspec.errors import UsageError
from taskspec.events import AddressMoved
from taskspec.plan.moving import Moves
from taskspec.report.relocating import Relocation
from taskspec.runner.applying import results_folder
from taskspec.runner.choosing import require_recorded
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.recalling import BoundRuns
from taskspec.state.model import Snapshot

Approve = Callable[[list[Relocation]], bool]
"""Shows what is to be moved, and tells whether it is to be."""


async def relocate(invocation: Invocation, ports: Ports, names: tuple[str, str], approve: Approve, emit: Emit) -> bool:
    """Move a recorded address, or a task with all of its cells; return False where it was not approved."""
    project = project_of(invocation)
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        former = _former(snapshot, *names)
        after = Moves(former=former).rekeyed(snapshot, BoundRuns(store).last_generation)
        relocations = [Relocation(before=old, record=after.records[new]) for new, old in former.items()]
        if not approve(relocations):
            return False
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        at = ports.chance.now()
        changes = [change for one in relocations for change in moved(one.record, one.before, at, {"by": "hand"})]
        store.commit(lease, snapshot.serial, changes)
        for one in relocations:
            emit(AddressMoved(address=one.record.address, before=one.before))
        results = results_folder(project)
        if results.folder.is_dir():  # else the next apply makes it, and writes every result
            here = {one.record.address: one.record for one in relocations}
            restore(Snapshot(lineage=snapshot.lineage, serial=snapshot.serial + 1, records=here), store, results, emit)
    return True


def _former(snapshot: Snapshot, before: str, now: str) -> Mapping[Address, Address]:
    """Return the new addresses and those that are recorded; raise UsageError for what cannot be moved."""
    for address in (before, now):
        if not is_address(address):
            raise UsageError(
                f"`{address}` is not an address.", hint="Give a whole one, such as report or 'report[q1]'; no pattern."
            )
    records = snapshot.records
    if before == now:
        raise UsageError(f"`{before}` has that name already.")
    if Address(before) in records and (is_cell(before) or is_cell(now)):
        former = {Address(now): Address(before)}
    else:
        require_recorded([Address(before)], records)
        meant = [address for address in records if address == before or task_name(address) == before]
        if not meant:
            raise UsageError(f"Nothing is recorded of `{before}`.", hint="`taskspec state list` lists what is.")
        if is_cell(now):
            raise UsageError(
                f"`{before}` has {len(meant)} cells, and `{now}` is the address of one.",
                hint="Name one cell, or a task that all of them are to belong to.",
            )
        former = {Address(now + address[len(before) :]): address for address in meant}
    for new in former:
        if new in records:
            raise UsageError(
                f"`{new}` is recorded already: nothing was moved.",
                hint="`taskspec state show` shows what is there; `taskspec forget` takes it out of the state.",
            )
    return former


def is_cell(address: str) -> bool:
    """Tell whether an address is that of one cell of a task."""
    return "[" in address
