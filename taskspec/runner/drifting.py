"""--refresh-only: what the remote shows against what is recorded. Plans nothing, and changes nothing on the remote."""

from collections.abc import Callable, Iterable

from taskspec.apply.acknowledging import acknowledged
from taskspec.apply.model import Emit
from taskspec.documents.model import Project
from taskspec.events import DriftAcknowledged
from taskspec.observed.model import Observed
from taskspec.plan.drifting import Drift, drift
from taskspec.plan.model import Plan
from taskspec.plan.refusals import RefusalKind
from taskspec.plan.vanishing import vanished
from taskspec.report.drifts import Drifts
from taskspec.runner.guarding import require_overridable
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.observing import asks, see
from taskspec.runner.picking import pick_recorded
from taskspec.runner.recalling import BoundRuns
from taskspec.state.migrating import require_here
from taskspec.state.model import Record, Snapshot
from taskspec.state.store import StateStore
from taskspec.taskapi.remotes import RemoteIdentity

Approve = Callable[[Drifts], bool]
"""Shows what has drifted, and tells whether that is to be taken notice of."""


async def drifts(invocation: Invocation, ports: Ports) -> Drifts:
    """Look at the runs that the invocation's refresh names, and compare each selected record with what is seen."""
    project = project_of(invocation)
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        return await _looked(invocation, ports, project, store, store.read())
    finally:
        store.close()


async def acknowledge(invocation: Invocation, ports: Ports, approve: Approve, emit: Emit) -> Drifts | None:
    """Record what the runs of accepted results show now; return None where it was not approved.

    All of them are recorded together, or none; none also where so many are gone that this is not to be believed.
    """
    project = project_of(invocation)
    require_overridable(invocation.overridden, project)
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        found = await _looked(invocation, ports, project, store, snapshot)
        if not approve(found):
            return None
        noted = found.acknowledgeable
        if noted:
            store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
            at, records = ports.chance.now(), snapshot.records
            changes = [change for one in noted for change in acknowledged(records[one.address], one, at)]
            store.commit(lease, snapshot.serial, changes)
    for one in noted:
        emit(DriftAcknowledged(address=one.address, run=one.run or "", status=one.shown))
    return found


async def _looked(
    invocation: Invocation, ports: Ports, project: Project, store: StateStore, snapshot: Snapshot
) -> Drifts:
    chosen = pick_recorded(invocation, ports, snapshot)
    observed, here = Observed(), ports.offline(project).identity
    if asks({}, snapshot, invocation.refresh, here):
        async with ports.connect(project, Need.LOOK) as link:
            here = link.connection.identity
            observed = await see(link.connection, {}, snapshot, invocation.refresh, BoundRuns(store))
    found = _compared(chosen, observed, here)
    selected = {one.address for one in found}
    return Drifts(
        project=project.name,
        environment=project.environment,
        lineage=snapshot.lineage,
        serial=snapshot.serial,
        looked=len(observed.runs),
        found=found,
        duplicates=observed.duplicates,
        astray=sum(len(runs) for address, runs in observed.strays.items() if address in selected),
        refusals=vanished(snapshot.records, observed.runs, invocation.overridden),
    )


def drifts_in(plan: Plan) -> Drifts:
    """Compare each record that a plan is about with what was seen of the remote when it was decided.

    Duplicates and runs that nobody has recorded are left to the plan, which tells them itself.
    """
    if plan.basis is None:
        raise LookupError("the plan does not say what it was decided on")
    observed = plan.basis.observed
    records = [change.record for change in plan.changes if change.record is not None]
    return Drifts(
        project=plan.project,
        environment=plan.environment,
        lineage=plan.lineage,
        serial=plan.serial,
        looked=len(observed.runs),
        found=_compared(records, observed, plan.basis.circumstances.remote),
        refusals=tuple(refusal for refusal in plan.refusals if refusal.kind is RefusalKind.MISSING),
    )


def _compared(records: Iterable[Record], observed: Observed, remote: RemoteIdentity) -> tuple[Drift, ...]:
    return tuple(drift(record, observed, remote) for record in sorted(records, key=lambda record: record.address))
