"""adopt: takes a run that a person names as that of an address. Starts nothing, and changes nothing on the remote."""

from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote

from taskspec.address import Address
from taskspec.apply.adopting import adopted, note_of
from taskspec.apply.model import Emit
from taskspec.apply.superseding import superseded
from taskspec.errors import NotFoundError, UsageError
from taskspec.events import RunAdopted
from taskspec.observed.model import Observed
from taskspec.observed.refreshing import observe
from taskspec.plan.accounting import recorded_runs
from taskspec.plan.adopting import Candidate, refusal
from taskspec.plan.standing import stand
from taskspec.runner.declaring import declared_now, former_name, only_one
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.observing import is_open
from taskspec.runner.preparing import Prepared, prepare
from taskspec.runner.recalling import BoundRuns
from taskspec.state.model import PutRecord, Record, Snapshot, Verdict
from taskspec.state.store import StateReader
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.records import TaskRecord

Approve = Callable[[Candidate], bool]
"""Shows a run and what is doubtful about it, and tells whether it is to be adopted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be adopted, and who says yes; `foreign`: though it bears a marker of somebody else."""

    run: str
    foreign: bool
    approve: Approve
    emit: Emit


async def adopt(invocation: Invocation, ports: Ports, wish: Wish) -> bool:
    """Record the run as that of the one address that is selected; return False where it was not approved."""
    prepared = prepare(invocation, ports)
    project = prepared.desired.project
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        address = only_one(invocation, prepared, snapshot)
        _require_unmoved(address, prepared, snapshot, store)
        async with ports.connect(project, Need.LOOK) as link:
            connection = link.connection
            found = await _read(connection, wish.run)
            observed = await _seen(connection, snapshot.records.get(address))
            candidate = Candidate(
                address=address,
                task=declared_now(address, prepared, snapshot, store, observed, connection.identity),
                situation=stand(snapshot.records.get(address), observed, connection.identity),
                run=found,
                lineage=snapshot.lineage,
                spent=BoundRuns(store).last_generation(address),
                taken=recorded_runs(snapshot.records).get(found.id),
            )
            remote = connection.identity
        if why := refusal(candidate, foreign=wish.foreign):
            raise UsageError(f"Nothing is adopted: {why[0]}.", hint=why[1])
        if not wish.approve(candidate):
            return False
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        at = ports.chance.now()
        record = adopted(candidate, remote, at, ports.chance.nonce())
        older = superseded(candidate.record, record, at, plan=None)
        store.commit(lease, snapshot.serial, (PutRecord(record=record), *older, note_of(candidate, record, at)))
        wish.emit(RunAdopted(address=address, run=found.id))
    return True


def _require_unmoved(address: Address, prepared: Prepared, snapshot: Snapshot, store: StateReader) -> None:
    """Raise UsageError for a task that is recorded under its former name: with another run it would lose its result."""
    before = former_name(address, prepared, snapshot, store)
    if before is not None:
        raise UsageError(
            f"Nothing is adopted: `{address}` is recorded as `{before}`, its former name.",
            hint=f"`taskspec apply` moves it; `taskspec adopt {quote(before)} RUN` settles what is unknown of it.",
        )


async def _read(connection: Connection, run: str) -> TaskRecord:
    try:
        return await connection.run(endpoints.get_task(run))
    except NotFoundError as error:
        hint = "`taskspec orphans` lists the runs of this project that are not recorded."
        raise NotFoundError(f"The remote does not know the run {run}.", hint=hint, status=error.status) from error


async def _seen(connection: Connection, record: Record | None) -> Observed:
    """Look at the run that is recorded, where it is on this remote and may still be active."""
    last = record.generation.last if record else None
    if record is None or last is None or last.run is None or last.remote != connection.identity:
        return Observed()
    if not is_open(last) and last.verdict is not Verdict.LOST:
        return Observed()
    return Observed(runs=await observe(connection, {last.run: record.agent}))
