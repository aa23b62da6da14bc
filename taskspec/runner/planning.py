"""validate and plan: documents, desired, observed and recorded → the plan. Changes nothing anywhere."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import Desired
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, ManifestError, Severity, nearest
from taskspec.documents.loading import load
from taskspec.errors import UsageError
from taskspec.observed.model import Observation, Observed
from taskspec.observed.refreshing import observe, observe_all
from taskspec.plan.deciding import decide
from taskspec.plan.model import Circumstances, Plan
from taskspec.runner.model import Invocation, Need, Ports, Refresh
from taskspec.state.model import Attempt, Record, Sending, Snapshot
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers import Connection
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What the documents ask for, checked; `selected` is None where everything is meant."""

    desired: Desired
    selected: frozenset[Address] | None
    warnings: tuple[Diagnostic, ...] = ()
    skipped: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A plan and the state that it was made from."""

    plan: Plan
    snapshot: Snapshot


def prepare(invocation: Invocation, ports: Ports) -> Prepared:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    loaded = load(invocation.target)
    project = loaded.manifests.project
    desired, found = resolve(
        loaded.manifests,
        GivenVariables(cli=invocation.variables, environ=invocation.settings.variables),
        Surroundings(
            takes_local_files=ports.offline(project).traits.takes_local_files,
            cache_folder=invocation.settings.cache_folder,
        ),
    )
    diagnostics = (*loaded.diagnostics, *found)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise ManifestError(diagnostics)
    selected = frozenset(invocation.addresses) or loaded.selection
    return Prepared(desired=desired, selected=selected, warnings=diagnostics, skipped=loaded.manifests.skipped)


async def plan(invocation: Invocation, ports: Ports) -> Plan:
    """Return what would be done, and why."""
    prepared = prepare(invocation, ports)
    store = ports.open_state(prepared.desired.project, read_only=True)
    try:
        snapshot = store.read()
    finally:
        store.close()
    return await decide_on(prepared, snapshot, invocation, ports)


async def decide_on(
    prepared: Prepared,
    snapshot: Snapshot,
    invocation: Invocation,
    ports: Ports,
    *,
    need: Need = Need.LOOK,
    requested: frozenset[Address] = frozenset(),
) -> Plan:
    """Refresh what has to be looked at, and decide."""
    require_known(invocation.addresses, prepared.desired.tasks, snapshot.records)
    project = prepared.desired.project
    offline = ports.offline(project)
    circumstances = Circumstances(
        now=ports.chance.now(),
        plan=secrets.token_hex(8),
        remote=offline.identity,
        requested=requested,
        selected=prepared.selected,
    )
    wanted = _wanted(snapshot.records.values(), invocation.refresh)
    observed = Observed()
    if wanted:
        async with ports.connect(project, need) as link:
            circumstances = replace(circumstances, remote=link.connection.identity)
            observed = Observed(runs=await _look(link.connection, wanted, invocation.refresh))
    decided = decide(prepared.desired, snapshot, observed, circumstances)
    if not decided.paid_runs or offline.declares_agents:
        return decided
    async with ports.connect(project, need) as link:
        agents = await link.connection.run(endpoints.list_agents())
    known = replace(observed, agents=frozenset(agent.id for agent in agents))
    return decide(prepared.desired, snapshot, known, circumstances)


def require_known(
    addresses: Iterable[Address], declared: Mapping[Address, object], recorded: Mapping[Address, object]
) -> None:
    for address in addresses:
        if address not in declared and address not in recorded:
            raise UsageError(
                f"`{address}` is neither declared nor recorded in this project.",
                hint=nearest(address, [*declared, *recorded]) or "`taskspec status` lists what there is.",
            )


def _wanted(records: Iterable[Record], refresh: Refresh) -> dict[str, tuple[str, RemoteIdentity]]:
    """Return the runs to look at: run id → agent id and the remote that it is on."""
    if refresh is Refresh.NONE:
        return {}
    wanted: dict[str, tuple[str, RemoteIdentity]] = {}
    for record in records:
        last = record.generation.last
        if last is not None and last.run is not None and (refresh is Refresh.FULL or is_open(last)):
            wanted[last.run] = (record.agent, last.remote)
    return wanted


def is_open(attempt: Attempt) -> bool:
    """Tell whether an attempt has a run that was not seen to its end and judged."""
    return attempt.sending is Sending.BOUND and attempt.verdict is None


async def _look(
    connection: Connection, wanted: Mapping[str, tuple[str, RemoteIdentity]], refresh: Refresh
) -> dict[str, Observation]:
    """Observe the runs of this very remote; those of another one are not its to tell about."""
    runs = {run: agent for run, (agent, remote) in wanted.items() if remote == connection.identity}
    return await (observe_all if refresh is Refresh.FULL else observe)(connection, runs)
