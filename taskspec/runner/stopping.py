"""stop: ends active runs by hand. Starts nothing; what is not stopped goes on, and is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from taskspec.address import Address
from taskspec.apply import advancing
from taskspec.apply.model import Emit
from taskspec.apply.noting import ending_facts
from taskspec.documents.model import Project
from taskspec.errors import LockHeldError, NotFoundError, OutcomeUnknownError, RemoteError, UnreachableError
from taskspec.events import ChangeFinished, Effect, RunStopped
from taskspec.health import Health
from taskspec.runner.choosing import require_some
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.observing import is_open
from taskspec.runner.picking import pick_recorded
from taskspec.runner.placing import elsewhere
from taskspec.runner.planning import read_state
from taskspec.state.model import Attempt, Note, PutRecord, Record, Sending, StateChange, StopCause, Verdict
from taskspec.state.store import Lease, StateStore
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.records import ENDED, TaskRecord
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.remotes import RemoteIdentity

CONFIRMATION = 60.0
"""How long, in seconds, a run may take to end after it was asked to."""
AT_ONCE = 8
"""How many runs are asked at the same time."""

_UNSETTLED: Final = (
    "whether the remote has its run is not known, so that nothing was stopped: the next apply finds out, "
    "and `taskspec orphans` shows what may be at work"
)

Approve = Callable[[tuple[Address, ...]], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    record: Record
    attempt: Attempt
    run: str


async def stop(invocation: Invocation, ports: Ports, approve: Approve, emit: Emit) -> bool:
    """End the active runs that are selected; return False where it was not approved.

    While another command holds the lock the runs are ended all the same, and that command records it.
    """
    project = project_of(invocation)
    records = pick_recorded(invocation, ports, read_state(project, ports))
    if not invocation.selection.everything:
        require_some(invocation.selection, [record.address for record in records])
    running = _running(records)
    if running and not approve(tuple(item.record.address for item in running)):
        return False
    if running:
        await _end(project, ports, running, invocation.lock_timeout, emit)
    for record in records:
        last = record.generation.last
        if last is not None and last.sending is Sending.INTENDED:
            _tell(record.address, Effect.UNKNOWN, _UNSETTLED, emit)
    return True


def _running(records: list[Record]) -> list[_Running]:
    found = []
    for record in records:
        last = record.generation.last
        if last is None or last.run is None or not is_open(last):
            continue
        found.append(_Running(record=record, attempt=last, run=last.run))
    return found


async def _end(project: Project, ports: Ports, running: list[_Running], patience: float, emit: Emit) -> None:
    running = _here(running, ports.offline(project).identity, emit)
    if not running:
        return
    async with ports.connect(project, Need.HOLD) as link:
        running = _here(running, link.connection.identity, emit)
        try:
            async with locked(project, ports, patience) as (store, lease):
                ledger = _Ledger(store, lease, ports.chance.now())
                ledger.mark(running)
                await _end_all(link.connection, running, ledger, emit)
        except LockHeldError:
            await _end_all(link.connection, running, None, emit)


def _here(running: list[_Running], identity: RemoteIdentity, emit: Emit) -> list[_Running]:
    """Return what runs on this remote; refuse what runs elsewhere, where the same id may be another's run."""
    found = []
    for item in running:
        if why := elsewhere(item.record.address, item.attempt, identity):
            _tell(item.record.address, Effect.FAILED, why, emit)
        else:
            found.append(item)
    return found


async def _end_all(connection: Connection, running: list[_Running], ledger: "_Ledger | None", emit: Emit) -> None:
    """End every run, whatever becomes of the others; raise at the end what is no matter of one run."""
    places = asyncio.Semaphore(AT_ONCE)

    async def end(item: _Running) -> None:
        async with places:
            found = await _end_one(connection, item, emit)
        if ledger is not None and found is not None:
            ledger.ended(item, found)

    for trouble in await asyncio.gather(*(end(item) for item in running), return_exceptions=True):
        if trouble is not None:
            raise trouble


async def _end_one(connection: Connection, item: _Running, emit: Emit) -> TaskRecord | None:
    """Stop a run and return it as it has ended; None where that is not known, which is told."""
    try:
        found = await _ended(connection, item, emit)
    except NotFoundError:
        _tell(item.record.address, Effect.UNKNOWN, f"the remote does not know the run {item.run}", emit)
    except (OutcomeUnknownError, TimeoutError) as error:
        why = (
            error.message if isinstance(error, OutcomeUnknownError) else "it was asked to stop, and is still executing"
        )
        _tell(item.record.address, Effect.UNKNOWN, why, emit)
    except RemoteError as error:
        _tell(item.record.address, Effect.FAILED, error.message, emit)
    else:
        return found
    return None


async def _ended(connection: Connection, item: _Running, emit: Emit) -> TaskRecord:
    """Ask a run to stop, and look at it until it has ended; TimeoutError where it has not in CONFIRMATION seconds."""
    found = await connection.run(endpoints.stop_task(item.run))
    async with asyncio.timeout(CONFIRMATION):
        while found.status not in ENDED:
            await asyncio.sleep(connection.traits.poll_interval)
            try:
                found = await connection.run(endpoints.get_task(item.run))
            except UnreachableError as error:
                raise OutcomeUnknownError(f"whether it has stopped cannot be read: {error.message}") from error
    if found.status == Status.Stopped:
        emit(RunStopped(address=item.record.address, run=item.run, cause="user"))
    return found


def _tell(address: Address, effect: Effect, detail: str, emit: Emit) -> None:
    emit(ChangeFinished(address=address, action="stop", effect=effect, health=Health.UNKNOWN, detail=detail))


class _Ledger:
    """The state while runs are ended: what is asked for is durable before it is asked, and what came of it after."""

    def __init__(self, store: StateStore, lease: Lease, now: float) -> None:
        self._store = store
        self._lease = lease
        self._now = now
        self._serial = 0
        self._records: dict[str, Record] = {}

    def mark(self, running: list[_Running]) -> None:
        """Record why the runs are going to end; those that the state has moved on from are left alone."""
        snapshot = self._store.read()
        self._serial = snapshot.serial
        changes: list[StateChange] = []
        for item in running:
            record = snapshot.records.get(item.record.address)
            last = record.generation.last if record is not None else None
            if record is None or last is None or last.run != item.run or not is_open(last):
                continue
            self._records[item.run] = record
            which = {"generation": record.generation.number, "attempt": last.number}
            data = {**which, "run": item.run, "cause": "user", "by": "hand"}
            note = Note(address=record.address, at=self._now, what="stopping", data=data)
            marked = advancing.with_attempt(record, replace(last, stop=StopCause.USER))
            changes += [PutRecord(record=marked), note]
        if changes:
            self._serial = self._store.commit(self._lease, self._serial, changes)

    def ended(self, item: _Running, found: TaskRecord) -> None:
        """Record how a run has ended; the answer of one that has completed all the same is for an apply to judge."""
        record = self._records.get(item.run)
        last = record.generation.last if record is not None else None
        if record is None or last is None:
            return
        stopped = replace(last, stop=StopCause.USER, status=found.status)
        if found.status == Status.Stopped:
            stopped = replace(
                stopped,
                verdict=Verdict.STOPPED,
                detail="stopped by hand",
                started_at=found.started_at,
                finished_at=found.finished_at,
                tokens=found.tokens,
            )
        numbers = {"generation": record.generation.number, "attempt": last.number, "run": item.run}
        data = {**numbers, **ending_facts(stopped)}
        note = Note(address=record.address, at=self._now, what="stopped", data=data)
        changes = (PutRecord(record=advancing.with_attempt(record, stopped)), note)
        self._serial = self._store.commit(self._lease, self._serial, changes)
