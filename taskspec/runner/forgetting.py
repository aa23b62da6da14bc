"""forget: takes addresses out of the state by hand. Asks no remote, so that it works where that is gone."""

from collections.abc import Callable, Sequence

from taskspec.address import Address
from taskspec.apply.forgetting import forgotten
from taskspec.apply.model import Emit
from taskspec.diagnostics import ManifestError, Severity
from taskspec.documents.loading import load
from taskspec.events import AddressForgotten
from taskspec.report.forgetting import Farewell
from taskspec.runner.choosing import require_some
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.picking import declared_by, pick_recorded

Approve = Callable[[Sequence[Farewell]], bool]
"""Shows what is to be forgotten, and what may still be at work, and tells whether it is to be."""


async def forget(invocation: Invocation, ports: Ports, approve: Approve, emit: Emit) -> bool:
    """Take the selected addresses out of the state; return False where it was not approved.

    All of them leave it together, or none.
    """
    project = project_of(invocation)
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        records = pick_recorded(invocation, ports, snapshot)
        require_some(invocation.selection, [record.address for record in records])
        declared = _declared(invocation, ports)
        farewells = [Farewell(record=record, declared=declared(record.address)) for record in records]
        if not approve(farewells):
            return False
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        at = ports.chance.now()
        changes = [change for record in records for change in forgotten(record.address, record, at, plan=None)]
        store.commit(lease, snapshot.serial, changes)
    for record in records:
        emit(AddressForgotten(address=record.address))
    return True


def _declared(invocation: Invocation, ports: Ports) -> Callable[[Address], bool | None]:
    """Return what tells whether an address is declared; None where wrong manifests leave that open."""
    try:
        known = declared_by(invocation, ports)
        found = load(invocation.target, invocation.environment).diagnostics
    except ManifestError:
        return lambda _: None
    unsure = None if any(one.severity is Severity.ERROR for one in found) else False
    return lambda address: True if address in known else unsure
