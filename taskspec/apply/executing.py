"""Executing: carries out the changes of a plan, in parallel, and leaves nothing unrecorded when it is cut short.

A change begins when its upstream has ended. What is without doubt goes first. An intent of unknown outcome is settled
when everything else has ended, but for what depends on it; that follows in the next round.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from taskspec.apply import performing
from taskspec.apply.model import Outcome
from taskspec.apply.outcomes import Ended, as_planned, finished, of_declared, unknown
from taskspec.apply.releasing import release
from taskspec.apply.sending import UnsettledError
from taskspec.apply.sweeping import sweep
from taskspec.apply.winding_up import as_left
from taskspec.apply.world import World
from taskspec.errors import AuthenticationError, LimitError, StateError, TaskspecError
from taskspec.events import ChangeDecided, Effect
from taskspec.health import Health
from taskspec.plan.model import Action, Change

if TYPE_CHECKING:
    from taskspec.address import Address

EndRuns = Callable[[], Awaitable[None]]
"""Ends the runs that cannot outlive this command (those of an engine that the command itself has started)."""


class Execution:
    """One pass over the changes of a plan; each ends in exactly one ChangeFinished."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open = {change.address: change for change in world.plan.changes}
        """What is not finished; a conditional change is replaced by what was decided when it could begin."""
        self._doubtful = {change.address for change in world.plan.changes if change.action is Action.SETTLE}
        self._ended: dict[Address, Ended] = {}
        self._over: dict[Address, asyncio.Event] = {}
        """For each change of this round: set when it has ended, or is left for the next round."""

    @property
    def open(self) -> tuple[Change, ...]:
        """Return the changes that are not finished."""
        return tuple(self._open.values())

    async def run(self) -> None:
        """Carry out what is certain, then settle what is not, and go on with what depends on it; look for duplicates.

        Cancelled, it ends at once, but never between an effect and its record. Raises the errors that concern
        everything: the state cannot be written, the key is not accepted.
        """
        for ended in as_planned(self._world.plan):
            del self._open[ended.change.address]
            self._ended[ended.change.address] = ended
            self._world.emit(finished(ended))
        await self._round([change for change in self.open if change.address not in self._doubtful])
        while self._open:
            await self._round(self.open)
        await sweep(self._world)

    async def wind_up(self, end_runs: EndRuns | None) -> None:
        """Record the runs of unfinished changes as they are, after ending those that cannot go on."""
        if end_runs is not None:
            await end_runs()
        async for ended in as_left(self._world, self.open):
            self._finish(ended)

    async def _round(self, changes: Iterable[Change]) -> None:
        """Take all the changes on, each behind its upstream; each round ends at least one, or finds it doubtful."""
        listed = list(changes)
        self._over = {change.address: asyncio.Event() for change in listed}
        await _together(self._go(change) for change in listed)

    async def _go(self, change: Change) -> None:
        try:
            if change.conditional:
                for address in change.after:
                    if address in self._over:
                        await self._over[address].wait()
                if any(address in self._open for address in change.after):
                    return
                released = await release(self._world, change, [self._ended[address] for address in change.after])
                if isinstance(released, Ended):
                    self._decided(released.change, released.outcome.detail)
                    self._finish(released)
                    return
                self._decided(released, released.reasons[0].text)
                self._open[change.address] = change = released
            await self._carry_out(change)
        finally:
            self._over[change.address].set()

    async def _carry_out(self, change: Change) -> None:
        if change.address in self._doubtful:
            await self._attempted(change, performing.settle(self._world, change))
            return
        async with AsyncExitStack() as stack:
            if change.paid:
                await stack.enter_async_context(self._world.places)
            settles = not self._world.options.hold_unknown
            await self._attempted(change, performing.perform(self._world, change), settles_later=settles)

    async def _attempted(self, change: Change, work: Awaitable[Outcome], *, settles_later: bool = False) -> None:
        try:
            outcome = await work
        except (StateError, AuthenticationError):
            raise
        except UnsettledError as error:
            if settles_later:
                self._doubtful.add(change.address)
                return
            outcome = unknown(error.message)
        except LimitError as error:
            outcome = Outcome(effect=Effect.REFUSED, health=Health.UNHEALTHY, detail=error.message)
        except TaskspecError as error:
            said = f"{error.message} {error.hint}".strip()
            outcome = Outcome(effect=Effect.FAILED, health=Health.UNHEALTHY, detail=said)
        self._finish(Ended(change=change, outcome=outcome))

    def _decided(self, change: Change, detail: str) -> None:
        """Tell what a conditional change has become; one that failed, or was put off, tells so at its end."""
        if not change.conditional:
            self._world.emit(ChangeDecided(address=change.address, action=change.action, detail=detail))

    def _finish(self, ended: Ended) -> None:
        change, record = ended.change, self._world.recorder.record_of(ended.change.address)
        ended = Ended(change=change, outcome=of_declared(change, record, ended.outcome))
        self._world.allowance.leave(change.address)
        del self._open[change.address]
        self._ended[change.address] = ended
        self._world.emit(finished(ended))


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
