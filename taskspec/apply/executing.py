"""Executing: carries out the changes of a plan, in parallel, and leaves nothing unrecorded when it is cut short."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import assert_never

from taskspec.apply import following, performing
from taskspec.apply.model import Outcome
from taskspec.apply.sending import UnsettledError
from taskspec.apply.world import World
from taskspec.errors import AuthenticationError, StateError, TaskspecError
from taskspec.events import ChangeFinished, Effect
from taskspec.health import Health
from taskspec.observed.model import Absent, Observation, Present, Unreadable
from taskspec.observed.refreshing import observe
from taskspec.plan.model import IDLE, Action, Change, Plan
from taskspec.state.model import Attempt, Sending, Verdict
from taskspec.taskapi.records import ENDED, TaskRecord

FAREWELL = 15.0
"""How long, in seconds, the last look at active runs may take when an apply is cut short."""

EndRuns = Callable[[], Awaitable[None]]
"""Ends the runs that cannot outlive this command (those of an engine that the command itself has started)."""


class Execution:
    """One pass over the changes of a plan; each ends in exactly one ChangeFinished."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = {change.address: change for change in world.plan.changes}

    @property
    def open(self) -> tuple[Change, ...]:
        """Return the changes that are not finished."""
        return tuple(self._open.values())

    async def run(self) -> None:
        """Carry out what is certain, then settle what is not.

        Cancelled, it ends at once, but never between an effect and its record. Raises the errors that concern
        everything: the state cannot be written, the key is not accepted.
        """
        for event in as_planned(self._world.plan):
            del self._open[event.address]
            self._world.emit(event)
        certain = [change for change in self.open if change.action is not Action.SETTLE]
        await _together(self._carry_out(change) for change in certain)
        await _together(self._settle(change) for change in self.open)

    async def wind_up(self, end_runs: EndRuns | None) -> None:
        """Record the runs of unfinished changes as they are, after ending those that cannot go on."""
        if end_runs is not None:
            await end_runs()
        active: dict[str, str] = {}
        for change in self.open:
            attempt = self._attempt(change)
            if attempt is not None and attempt.sending is Sending.BOUND and attempt.verdict is None and attempt.run:
                active[attempt.run] = change.agent
        observations = await self._last_look(active)
        for change in self.open:
            self._finish(change, await self._as_left(change, observations))

    async def _last_look(self, active: dict[str, str]) -> dict[str, Observation]:
        if not active:
            return {}
        try:
            async with asyncio.timeout(FAREWELL):
                return await observe(self._world.connection, active)
        except (TaskspecError, TimeoutError) as error:
            return {run: Unreadable(reason=str(error)) for run in active}

    async def _as_left(self, change: Change, observations: dict[str, Observation]) -> Outcome:
        attempt = self._attempt(change)
        if attempt is not None and attempt.verdict is not None and self._is_ours(change, attempt):
            return _cut_after(attempt)
        if attempt is None or attempt.verdict is not None or not attempt.counts:
            return Outcome(effect=Effect.CUT, health=change.health, detail="not started")
        if attempt.sending is Sending.INTENDED or attempt.run is None:
            return _unknown("it was asked for, and whether the remote has it is not known yet")
        match observations.get(attempt.run):
            case Present(record=found) if found.status in ENDED:
                return await self._concluded(change, found)
            case Present(record=found):
                return Outcome(
                    effect=Effect.CUT,
                    health=Health.HEALTHY,
                    verdict=Verdict.ACTIVE,
                    detail=f"the run is {found.status}",
                )
            case Absent():
                return _unknown("the remote does not know the run any more")
            case Unreadable(reason=reason):
                return Outcome(effect=Effect.CUT, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN, detail=reason)
            case None:
                return Outcome(effect=Effect.CUT, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN)
            case _ as never:
                assert_never(never)

    async def _concluded(self, change: Change, found: TaskRecord) -> Outcome:
        try:
            return await following.conclude(self._world, change, found)
        except StateError as error:
            return _unknown(f"the run is {found.status}, and that cannot be recorded: {error.message}")

    async def _carry_out(self, change: Change) -> None:
        async with AsyncExitStack() as stack:
            if change.paid:
                await stack.enter_async_context(self._world.places)
            settles = not self._world.options.hold_unknown
            await self._attempted(change, performing.perform(self._world, change), settles_later=settles)

    async def _settle(self, change: Change) -> None:
        await self._attempted(change, performing.settle(self._world, change))

    async def _attempted(self, change: Change, work: Awaitable[Outcome], *, settles_later: bool = False) -> None:
        try:
            outcome = await work
        except (StateError, AuthenticationError):
            raise
        except UnsettledError as error:
            if settles_later:
                return
            outcome = _unknown(error.message)
        except TaskspecError as error:
            said = f"{error.message} {error.hint}".strip()
            outcome = Outcome(effect=Effect.FAILED, health=Health.UNHEALTHY, detail=said)
        self._finish(change, outcome)

    def _attempt(self, change: Change) -> Attempt | None:
        record = self._world.recorder.record_of(change.address)
        return record.generation.last if record else None

    def _is_ours(self, change: Change, attempt: Attempt) -> bool:
        """Tell whether this apply has judged an attempt of what is declared."""
        record, task = self._world.recorder.record_of(change.address), change.task
        if record is None or task is None or not attempt.counts or record.generation.fingerprint != task.fingerprint:
            return False
        before = change.record.generation.last if change.record else None
        return before is None or before.nonce != attempt.nonce or before.verdict is not attempt.verdict

    def _finish(self, change: Change, outcome: Outcome) -> None:
        del self._open[change.address]
        self._world.emit(_finished(change, outcome))


def as_planned(plan: Plan) -> Iterator[ChangeFinished]:
    """Yield the end of every change for which nothing is left to do: it is what the plan says of it."""
    for change in plan.changes:
        if change.action in IDLE or change.rejudges:
            yield _finished(change, _as_it_is(change))


def _finished(change: Change, outcome: Outcome) -> ChangeFinished:
    return ChangeFinished(
        address=change.address,
        action=change.action,
        effect=outcome.effect,
        health=outcome.health,
        verdict=outcome.verdict,
        detail=outcome.detail,
    )


def _as_it_is(change: Change) -> Outcome:
    detail = change.reasons[0].text
    if change.rejudges and (judged := change.judgement) is not None:
        return Outcome(effect=Effect.DONE, health=change.health, verdict=judged.verdict, detail=judged.detail)
    if change.in_error:
        return Outcome(effect=Effect.FAILED, health=change.health, detail=detail)
    verdict = Verdict(change.verdict) if change.verdict else None
    return Outcome(effect=Effect.LEFT, health=change.health, verdict=verdict, detail=detail)


def _cut_after(attempt: Attempt) -> Outcome:
    """Return what became of a change that was cut when its run was judged already."""
    match attempt.verdict:
        case Verdict.ACCEPTED:
            return Outcome(effect=Effect.DONE, health=Health.HEALTHY, verdict=attempt.verdict)
        case Verdict.LOST:
            return _unknown(attempt.detail)
        case _:
            return Outcome(effect=Effect.CUT, health=Health.UNHEALTHY, verdict=attempt.verdict, detail=attempt.detail)


def _unknown(detail: str) -> Outcome:
    return Outcome(effect=Effect.UNKNOWN, health=Health.UNKNOWN, verdict=Verdict.UNKNOWN, detail=detail)


async def _together(works: Iterable[Awaitable[None]]) -> None:
    """Run all to their end; the first error of one ends the others and is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
