"""What an apply works with, handed from step to step. Does nothing itself but the two sentences every step needs."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from taskspec.address import Address
from taskspec.apply.allowing import Allowance
from taskspec.apply.listening import Listener
from taskspec.apply.model import Emit, Options
from taskspec.apply.owning import Owners
from taskspec.apply.publishing import ResultsFolder
from taskspec.apply.recording import Recorder
from taskspec.apply.searching import Search
from taskspec.apply.superseding import superseded
from taskspec.apply.uploading import Uploads
from taskspec.apply.watching import Watcher
from taskspec.chance import Chance
from taskspec.ci import Revision
from taskspec.plan.model import Plan
from taskspec.state.model import Attempt, Note, PutRecord, Record, StateChange
from taskspec.taskapi.drivers.asynchronous import Connection

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The plan, the remote and what was learned of it, the state, the results folder, the clock, the listener."""

    plan: Plan
    folder: Path
    """The project folder."""
    connection: Connection
    recorder: Recorder
    watcher: Watcher
    results: ResultsFolder
    chance: Chance
    options: Options
    places: asyncio.Semaphore
    """A place for each run that may be active at once."""
    emit: Emit
    search: Search = field(default_factory=Search)
    uploads: Uploads = field(default_factory=Uploads)
    owners: Owners = field(default_factory=Owners)
    allowance: Allowance = field(default_factory=Allowance)
    listener: Listener | None = None
    """Hears what runs say; None where nobody has asked for it."""
    revision: Revision | None = None
    """What is checked out, and which job asks; None where nobody can tell."""

    async def record(self, record: Record, what: str, *changes: StateChange, **data: Any) -> None:
        """Make a record durable together with a line of its history, and with one of a generation that it replaces."""
        attempt = record.generation.last
        which = {"generation": record.generation.number, "attempt": attempt.number if attempt else 0}
        facts = {**which, **data, "plan": self.plan.id}
        at = self.chance.now()
        older = superseded(self.recorder.record_of(record.address), record, at, plan=self.plan.id)
        note = Note(address=record.address, at=at, what=what, data=facts)
        await self.recorder.record(*changes, PutRecord(record=record), *older, note)

    def current(self, address: Address) -> tuple[Record, Attempt]:
        """Return the record of an address and its newest attempt, which a step before has made."""
        record = self.recorder.record_of(address)
        attempt = record.generation.last if record else None
        if record is None or attempt is None:
            raise LookupError(f"no attempt is recorded for {address}")
        return record, attempt

    def current_run(self, address: Address) -> tuple[Record, Attempt, str]:
        """Return the record of an address, its newest attempt that has a run, and that run's id."""
        record = self.recorder.record_of(address)
        for attempt in reversed(record.generation.attempts if record else ()):
            if record is not None and attempt.run is not None:
                return record, attempt, attempt.run
        raise LookupError(f"no run is recorded for {address}")


async def unbroken(work: Awaitable[T]) -> T:
    """Carry `work` to its end even if the caller is cancelled meanwhile, and cancel the caller then.

    An effect and the record of it belong together: Ctrl-C must not come between them, not even twice.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise
