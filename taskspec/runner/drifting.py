"""plan --refresh-only: what the remote shows against what is recorded. Plans nothing, and changes nothing anywhere."""

from taskspec.observed.model import Observed
from taskspec.plan.drifting import drift
from taskspec.plan.vanishing import vanished
from taskspec.report.drifts import Drifts
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.observing import asks, see
from taskspec.runner.picking import pick_recorded
from taskspec.runner.recalling import BoundRuns
from taskspec.state.migrating import require_here


async def drifts(invocation: Invocation, ports: Ports) -> Drifts:
    """Look at the runs that the invocation's refresh names, and compare each selected record with what is seen."""
    project = project_of(invocation)
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        snapshot = store.read()
        chosen = pick_recorded(invocation, ports, snapshot)
        observed, here = Observed(), ports.offline(project).identity
        if asks({}, snapshot, invocation.refresh, here):
            async with ports.connect(project, Need.LOOK) as link:
                here = link.connection.identity
                observed = await see(link.connection, {}, snapshot, invocation.refresh, BoundRuns(store))
    finally:
        store.close()
    found = tuple(drift(record, observed, here) for record in sorted(chosen, key=lambda record: record.address))
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
