"""stop: ends active runs by hand. Starts nothing; what is not stopped goes on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from taskspec.address import Address
from taskspec.apply import advancing
from taskspec.apply.model import Emit
from taskspec.documents.model import Project
from taskspec.errors import LockHeldError, NotFoundError
from taskspec.events import ChangeFinished, Effect, RunStopped
from taskspec.health import Health
from taskspec.runner.applying import locked
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.planning import is_open, require_recorded
from taskspec.state.model import Attempt, Note, PutRecord, Record, Snapshot, StopCause, Verdict
from taskspec.state.store import Lease, StateStore
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers import Connection
from taskspec.taskapi.records import ACTIVE, ENDED, Status

Approve = Callable[[tuple[Address, ...]], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    record: Record
    attempt: Attempt
    run: str


async def stop(invocation: Invocation, ports: Ports, approve: Approve, emit: Emit) -> bool:
    """End the active runs of the given addresses, or of all; return False where it was not approved.

    While another command holds the lock the runs are ended all the same, and that command records it.
    """
    project = project_of(invocation)
    reader = ports.open_state(project, read_only=True)
    try:
        snapshot = reader.read()
    finally:
        reader.close()
    require_recorded(invocation.addresses, snapshot.records)
    running = _running(snapshot, invocation.addresses)
    if running and not approve(tuple(item.record.address for item in running)):
        return False
    if running:
        await _end(project, ports, running, emit)
    return True


def _running(snapshot: Snapshot, addresses: tuple[Address, ...]) -> list[_Running]:
    found = []
    for record in snapshot.records.values():
        last = record.generation.last
        if last is None or last.run is None or not is_open(last):
            continue
        if not addresses or record.address in addresses:
            found.append(_Running(record=record, attempt=last, run=last.run))
    return found


async def _end(project: Project, ports: Ports, running: list[_Running], emit: Emit) -> None:
    async with ports.connect(project, Need.HOLD) as link:
        try:
            with locked(project, ports) as (store, lease):
                for item in running:
                    await _end_recorded(link.connection, store, lease, item, ports, emit)
        except LockHeldError:
            for item in running:
                await _end_one(link.connection, item, emit)


async def _end_recorded(
    connection: Connection, store: StateStore, lease: Lease, item: _Running, ports: Ports, emit: Emit
) -> None:
    snapshot = store.read()
    record = snapshot.records.get(item.record.address)
    if record is None or record.generation.last != item.attempt:
        await _end_one(connection, item, emit)
        return
    marked = advancing.with_attempt(record, replace(item.attempt, stop=StopCause.USER))
    note = Note(address=record.address, at=ports.chance.now(), what="stopping", data={"run": item.run, "cause": "user"})
    serial = store.commit(lease, snapshot.serial, [PutRecord(record=marked), note])
    status = await _end_one(connection, item, emit)
    if status is None or status in ACTIVE:
        return
    stopped = replace(item.attempt, stop=StopCause.USER, status=status)
    if status == "stopped":
        stopped = replace(stopped, verdict=Verdict.STOPPED, detail="stopped by hand")
    store.commit(lease, serial, [PutRecord(record=advancing.with_attempt(record, stopped))])


async def _end_one(connection: Connection, item: _Running, emit: Emit) -> str | None:
    """Stop a run and return its status then; None where the remote does not know it."""
    try:
        found = await connection.run(endpoints.stop_task(item.run))
    except NotFoundError:
        emit(
            ChangeFinished(
                address=item.record.address,
                action="stop",
                effect=Effect.UNKNOWN,
                health=Health.UNKNOWN,
                detail=f"the remote does not know the run {item.run}",
            )
        )
        return None
    if found.status not in ENDED - {Status.STOPPED}:
        emit(RunStopped(address=item.record.address, run=item.run, cause="user"))
    return found.status
