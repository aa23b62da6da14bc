"""Reconciling: round after round, on an interval and when a file changes, until told to stop. Knows no apply.

What hinders a round is told once and tried again; only a mistake in the command line, seen in the first round, ends it.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from taskspec.apply.model import Emit
from taskspec.diagnostics import ManifestError
from taskspec.documents.locating import shown
from taskspec.errors import MissingSecretError, RunInterruptedError, TaskspecError, UsageError
from taskspec.events import Effect, Event, FilesChanged, Interrupted, RoundFinished
from taskspec.events import RoundOutcome as Outcome
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode
from taskspec.runner.scheduling import Pace, after, after_edit, asked_to_wait, outcome_of

LOOK: Final = 1.0
"""Seconds between two looks at the files, at least."""
SHARE: Final = 100
"""The pause behind a look is so many times the processor time that it took: a hundredth of a processor at most."""
QUIET: Final = 0.2
"""Files that were still changed in the last so many seconds are looked at again before a round reads them."""
MOST_QUIETS: Final = 25
"""A file that never rests, such as a log, is read after so many looks."""


class Rounds(Protocol):
    """What is done in a round."""

    async def make(self, emit: Emit) -> bool:
        """Make one round; False where it was not carried out, as it was cut before. Raises what is in its way."""

    def cut(self) -> None:
        """End the round that is being made in order: begin nothing more, and leave what runs as it is."""

    async def changes(self) -> Mapping[str, object]:
        """Return the files that are no longer as the last round has read them."""

    def stopping(self) -> None:
        """Hear that no round follows the one that is being made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The time in seconds that only goes on, how to let it pass, what was worked in it, and dice: from 0 to 1."""

    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    worked: Callable[[], float]
    dice: Callable[[], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who hears what happens, who is told what is in the way, and which exit code that stands for."""

    emit: Emit
    tell: Callable[[TaskspecError], None]
    code: Callable[[TaskspecError], ExitCode]


class Reconciler:
    """The loop."""

    def __init__(self, rounds: Rounds, pace: Pace, timing: Timing, audience: Audience) -> None:
        self._rounds = rounds
        self._pace = pace
        self._timing = timing
        self._audience = audience
        self._number = 0
        self._stopped = asyncio.Event()
        self._edited: tuple[str, ...] = ()
        """What changed while the round is being made."""
        self._told: object = None
        self._look_pause = LOOK
        self._code: ExitCode | None = None
        self._signal = Tally()

    @property
    def exit_code(self) -> ExitCode:
        """Return how the last round has left the tasks; where none came to its end, what has ended it."""
        return self._signal.exit_code if self._code is None else self._code

    def stop(self, signum: int | None = None) -> None:
        """End the round that is being made in order, and begin no other."""
        if signum is not None:
            self._signal.on(Interrupted(signum=signum))
            self._audience.emit(Interrupted(signum=signum))
        self._stopped.set()
        self._rounds.stopping()
        self._rounds.cut()

    async def run(self) -> None:
        """Make rounds until stopped; raises UsageError and MissingSecretError of the first one, and bugs."""
        pace, edited = self._pace, False
        while not self._stopped.is_set():
            finished, error = await self._round()
            paid = edited and finished.started > 0
            rest = after(pace, finished.outcome, self._timing.dice(), asked_to_wait(error))
            if self._edited:
                rest = after_edit(rest.pace, 0.0, paid=paid)
            self._audience.emit(replace(finished, pause=rest.seconds))
            gc.collect()  # what a round leaves behind in circles; the collector itself seldom comes by
            begun, edited = self._timing.now(), bool(self._edited)
            if edited:
                await self._sleep(rest.seconds)
            elif await self._changed_within(rest.seconds):
                edited = True
                rest = after_edit(rest.pace, self._timing.now() - begun, paid=paid)
                await self._sleep(rest.seconds)
            pace = rest.pace if edited else replace(rest.pace, paid=0)

    async def _round(self) -> tuple[RoundFinished, TaskspecError | None]:
        self._number += 1
        self._edited = ()
        tally, begun = Tally(), self._timing.now()

        def heard(event: Event) -> None:
            tally.on(event)
            self._audience.emit(event)

        made = asyncio.ensure_future(self._rounds.make(heard))
        looking = asyncio.ensure_future(self._look_on())
        try:
            await asyncio.wait([made])
        finally:
            looking.cancel()
            made.cancel()
            await asyncio.gather(made, looking, return_exceptions=True)
        outcome, error = self._outcome(made, tally)
        if error is not None or made.cancelled() or not made.result():
            self._code = self._audience.code(error) if error is not None else self._code
        else:
            self._code = tally.exit_code
        return self._finished(outcome, error, tally, self._timing.now() - begun), error

    def _outcome(self, made: "asyncio.Future[bool]", tally: Tally) -> tuple[Outcome, TaskspecError | None]:
        stopped = Outcome.STOPPED if self._stopped.is_set() else Outcome.CUT
        if made.cancelled():
            return stopped, None
        if (raised := made.exception()) is not None:
            error = self._hindrance(raised)
            return outcome_of(error), error
        self._told = None
        if not made.result() or self._stopped.is_set():
            return stopped, None
        if self._edited and tally.effects[Effect.CUT]:
            return Outcome.CUT, None
        faltered = tally.effects[Effect.FAILED] or tally.effects[Effect.UNKNOWN]
        return (Outcome.FALTERED if faltered else Outcome.SETTLED), None

    def _hindrance(self, raised: BaseException) -> TaskspecError:
        """Return what was in the way of a round, told where it was not told before; raise what no round can mend."""
        if isinstance(raised, OSError):
            place = f"`{raised.filename}`: " if raised.filename else ""
            raised = TaskspecError(f"{place}{raised.strerror or raised}")
        if not isinstance(raised, TaskspecError) or isinstance(raised, RunInterruptedError):
            raise raised
        if self._number == 1 and isinstance(raised, UsageError | MissingSecretError):
            raise raised
        said = raised.diagnostics if isinstance(raised, ManifestError) else (raised.message, raised.hint)
        if said != self._told:
            self._told = said
            self._audience.tell(raised)
        return raised

    def _finished(self, outcome: Outcome, error: TaskspecError | None, tally: Tally, seconds: float) -> RoundFinished:
        return RoundFinished(
            round=self._number,
            outcome=outcome,
            started=tally.started,
            accepted=tally.accepted,
            unchanged=tally.unchanged,
            unhealthy=len(tally.unhealthy),
            needing=len(tally.needing),
            unknown=len(tally.unknown),
            seconds=seconds,
            pause=0.0,
            detail="" if error is None else error.message,
        )

    async def _look_on(self) -> None:
        """Look at the files while a round is being made; a change cuts it."""
        while not self._edited:
            await self._timing.sleep(self._look_pause)
            if await self._look():
                self._rounds.cut()

    async def _changed_within(self, seconds: float) -> bool:
        """Let a time pass, unless a file changes or the watch is stopped meanwhile; tell whether a file has changed."""
        until = self._timing.now() + seconds
        while not self._stopped.is_set() and (left := until - self._timing.now()) > 0:
            await self._sleep(min(left, self._look_pause))
            if not self._stopped.is_set() and await self._look():
                return True
        return False

    async def _look(self) -> bool:
        """Tell whether files have changed, and have come to rest."""
        before_looking = self._timing.worked()
        found = await self._rounds.changes()
        self._look_pause = max(LOOK, SHARE * (self._timing.worked() - before_looking))
        for _ in range(MOST_QUIETS):
            if not found:
                return False
            await self._timing.sleep(QUIET)
            before, found = found, await self._rounds.changes()
            if found == before:
                break
        if not found:
            return False
        self._edited = tuple(sorted(map(shown, found)))
        self._audience.emit(FilesChanged(files=self._edited))
        return True

    async def _sleep(self, seconds: float) -> None:
        """Let a time pass that ends when the watch is stopped."""
        sleeping = asyncio.ensure_future(self._timing.sleep(seconds))
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([sleeping, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeping, stopped):
                task.cancel()
            await asyncio.gather(sleeping, stopped, return_exceptions=True)
