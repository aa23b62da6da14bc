"""Winding up: how the changes stand that an apply leaves unfinished when it is cut short. Starts nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import assert_never

from taskspec.apply import following
from taskspec.apply.model import Outcome
from taskspec.apply.outcomes import Ended, unknown
from taskspec.apply.world import World
from taskspec.errors import RunInterruptedError, StateError, TaskspecError
from taskspec.events import Effect
from taskspec.health import Health
from taskspec.observed.model import Absent, Observation, Present, Unreadable
from taskspec.observed.refreshing import observe
from taskspec.plan.model import Change
from taskspec.state.model import Attempt, Sending, Verdict
from taskspec.taskapi.records import ENDED, TaskRecord

_LEFT = Outcome(effect=Effect.CUT, health=Health.HEALTHY, detail="not finished: whoever holds the lock now goes on")
FAREWELL = 15.0
"""How long, in seconds, the last look at active runs may take when an apply is cut short."""


async def as_left(world: World, changes: Sequence[Change]) -> AsyncIterator[Ended]:
    """Yield the unfinished changes as they are, after a last look at their runs; what has ended is recorded."""
    if world.recorder.has_lost_its_lease:
        for change in changes:
            yield Ended(change=change, outcome=_LEFT)
        return
    active: dict[str, str] = {}
    for change in changes:
        attempt = None if change.conditional else _attempt(world, change)
        if attempt is not None and attempt.sending is Sending.BOUND and attempt.verdict is None and attempt.run:
            active[attempt.run] = change.agent
    observations = await _last_look(world, active)
    for change in changes:
        yield Ended(change=change, outcome=await _as_left(world, change, observations))


async def _last_look(world: World, active: dict[str, str]) -> dict[str, Observation]:
    if not active:
        return {}
    try:
        async with asyncio.timeout(FAREWELL):
            return await observe(world.connection, active)
    except RunInterruptedError:  # it says nothing of the runs: whoever is asked to end while looking ends
        raise
    except (TaskspecError, TimeoutError) as error:
        return {run: Unreadable(reason=str(error)) for run in active}


async def _as_left(world: World, change: Change, observations: dict[str, Observation]) -> Outcome:
    if change.conditional:
        return Outcome(effect=Effect.CUT, health=change.health, detail="not started")
    attempt = _attempt(world, change)
    if attempt is not None and attempt.verdict is not None and _is_ours(world, change, attempt):
        return _cut_after(attempt)
    if attempt is None or attempt.verdict is not None or not attempt.counts:
        return Outcome(effect=Effect.CUT, health=change.health, detail="not started")
    if attempt.sending is Sending.INTENDED or attempt.run is None:
        return unknown("it was asked for, and whether the remote has it is not known yet")
    match observations.get(attempt.run):
        case Present(record=found) if found.status in ENDED:
            return _of_change(world, change, await _concluded(world, change, found))
        case Present(record=found):
            active = f"the run is {found.status}"
            goes_on = Outcome(effect=Effect.CUT, health=Health.HEALTHY, verdict=Verdict.ACTIVE, detail=active)
            return following.held_up(found) or goes_on
        case Absent():
            return unknown("the remote does not know the run any more")
        case Unreadable(reason=reason):
            return Outcome(effect=Effect.CUT, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN, detail=reason)
        case None:
            return Outcome(effect=Effect.CUT, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN)
        case _ as never:
            assert_never(never)


async def _concluded(world: World, change: Change, found: TaskRecord) -> Outcome:
    try:
        return await following.conclude(world, change, found)
    except StateError as error:
        return unknown(f"the run is {found.status}, and that cannot be recorded: {error.message}")


def _of_change(world: World, change: Change, outcome: Outcome) -> Outcome:
    """Return what the end of a run makes of its change: where it was in the way, what was planned is not begun."""
    record = world.recorder.record_of(change.address)
    if outcome.effect is not Effect.DONE or (record is not None and change.declares(record.generation.fingerprint)):
        return outcome
    kept = record.accepted if record is not None else None
    if kept is not None and change.declares(kept.fingerprint):
        return outcome
    left = "forgotten" if change.task is None else "started"
    return Outcome(effect=Effect.CUT, health=change.health, detail=f"not {left}: the run before has only just ended")


def _attempt(world: World, change: Change) -> Attempt | None:
    record = world.recorder.record_of(change.address)
    return record.generation.last if record else None


def _is_ours(world: World, change: Change, attempt: Attempt) -> bool:
    """Tell whether this apply has judged an attempt of what is declared."""
    record = world.recorder.record_of(change.address)
    if record is None or not attempt.counts or not change.declares(record.generation.fingerprint):
        return False
    before = change.record.generation.last if change.record else None
    return before is None or before.nonce != attempt.nonce or before.verdict is not attempt.verdict


def _cut_after(attempt: Attempt) -> Outcome:
    """Return what became of a change that was cut when its run was judged already."""
    match attempt.verdict:
        case Verdict.ACCEPTED:
            return Outcome(effect=Effect.DONE, health=Health.HEALTHY, verdict=attempt.verdict)
        case Verdict.LOST:
            return unknown(attempt.detail)
        case _:
            return Outcome(effect=Effect.CUT, health=Health.UNHEALTHY, verdict=attempt.verdict, detail=attempt.detail)
