"""orphans: the runs on the remote that bear a marker of the project's state and are not recorded. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import ManifestError
from taskspec.markers import Marker, digest_of
from taskspec.observed.finding import foreign, sightings
from taskspec.observed.listing import Unlisted, survey
from taskspec.observed.model import Sighting
from taskspec.plan.accounting import Bound, owners, recorded_runs, twin_of
from taskspec.report.orphans import Orphan, Orphans
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.picking import declared_by
from taskspec.runner.preparing import prepare
from taskspec.runner.recalling import BoundRuns
from taskspec.state.migrating import require_here
from taskspec.state.model import Record, Snapshot
from taskspec.taskapi.records import ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Declared:
    """What is declared: addresses with their agents, and the fingerprints that are known."""

    agents: Mapping[Address, str]
    fingerprints: Mapping[Address, str] = field(default_factory=dict)


async def orphans(invocation: Invocation, ports: Ports) -> Orphans:
    """Return what the agents of all declared and recorded tasks have, beyond what is recorded."""
    project = project_of(invocation)
    declared = _declared(invocation, ports)
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        snapshot = store.read()
        agents = [*declared.agents.values(), *(record.agent for record in snapshot.records.values())]
        async with ports.connect(project, Need.LOOK) as link:
            lists = await survey(link.connection, agents)
        recorded = recorded_runs(snapshot.records)
        unrecorded = [one for one in sightings(lists, snapshot.lineage) if one.run.id not in recorded]
        past = BoundRuns(store).everything() if unrecorded else {}
    finally:
        store.close()
    known = owners([*past, *snapshot.records, *declared.agents])
    missing = declared.agents.keys() - snapshot.records.keys()
    ended = {one.run.id for one in unrecorded if known.get(one.marker.address) not in missing and _is_past(one, past)}
    return Orphans(
        found=tuple(
            _orphan(one, known.get(one.marker.address), declared, snapshot, past)
            for one in unrecorded
            if one.run.id not in ended
        ),
        foreign=foreign(lists, snapshot.lineage),
        past=len(ended),
        unlisted={agent: rows.reason for agent, rows in lists.items() if isinstance(rows, Unlisted)},
    )


def _declared(invocation: Invocation, ports: Ports) -> _Declared:
    """Return what is declared; where manifests are wrong, what can be told without them being right."""
    try:
        tasks = prepare(invocation, ports).desired.tasks
    except ManifestError:
        return _Declared(agents=declared_by(invocation, ports))
    known = {address: task.fingerprint for address, task in tasks.items() if isinstance(task, DesiredTask)}
    return _Declared(agents={address: task.agent for address, task in tasks.items()}, fingerprints=known)


def _is_past(one: Sighting, past: Mapping[Address, Bound]) -> bool:
    """Tell whether a run was recorded once, whatever its address, and has ended."""
    return one.run.status in ENDED and any(one.run.id in bound.runs for bound in past.values())


def _orphan(
    one: Sighting, address: Address | None, declared: _Declared, snapshot: Snapshot, past: Mapping[Address, Bound]
) -> Orphan:
    record = snapshot.records.get(address) if address else None
    twin = twin_of(one, record) if record else None
    bound = past.get(address) if address else None
    return Orphan(
        run=one.run,
        marker=one.marker,
        address=address,
        text=_text(one.marker, declared.fingerprints.get(address) if address else None, record),
        duplicate_of=twin.run if twin else _duplicate(one, bound) if bound else None,
    )


def _duplicate(one: Sighting, bound: Bound) -> str | None:
    """Return the run that was recorded once for the create that this one is once more."""
    first = bound.by_nonce.get(one.marker.nonce)
    return None if first == one.run.id else first


def _text(marker: Marker, fingerprint: str | None, record: Record | None) -> str:
    """Return which text a marker says."""
    if fingerprint is not None and marker.digest == digest_of(fingerprint):
        return "declared"
    if record is not None and marker.digest == digest_of(record.generation.fingerprint):
        return "recorded"
    return "other" if fingerprint is not None or record is not None else ""
