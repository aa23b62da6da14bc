"""What `watch` puts together: the question, the engine that outlives the rounds, the loop, and who listens."""

import asyncio
import gc
import random
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from taskspec.apply.model import Options
from taskspec.cli import failing
from taskspec.cli.aiming import meant
from taskspec.cli.applying import asked, require_within
from taskspec.cli.hosting import EngineHost
from taskspec.cli.printing import note, paint_for, say, say_wrapped, silence_stdout
from taskspec.cli.showing import json_lines
from taskspec.cli.wiring import Wiring
from taskspec.errors import TaskspecError, UsageError
from taskspec.events import Event
from taskspec.report.exiting import ExitCode
from taskspec.report.view import View
from taskspec.runner.heeding import first_signal
from taskspec.runner.model import Invocation
from taskspec.runner.planning import plan
from taskspec.runner.preparing import Prepared, say_nothing
from taskspec.runner.reconciling import Audience, Reconciler, Timing
from taskspec.runner.rounds import ApplyingRounds, Manner
from taskspec.runner.scheduling import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

_WAY = "Select fewer tasks; `taskspec apply --override {}` goes beyond it once."


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """How much is shown, and for whom."""

    as_json: bool
    verbose: bool


def repeat(invocation: Invocation, options: Options, interval: float, showing: Showing, *, yes: bool) -> int:
    """Make rounds until a signal ends it; return the exit code."""
    wiring = Wiring(invocation.settings, parallelism=options.parallelism)
    if not yes and not _approved(invocation, wiring, as_json=showing.as_json):
        note("Nothing is watched.")
        return ExitCode.ERROR
    gc.freeze()  # what is loaded stays: the collection behind each round need not look at it
    return asyncio.run(_repeat(invocation, options, interval, showing, wiring))


async def _repeat(
    invocation: Invocation, options: Options, interval: float, showing: Showing, wiring: Wiring
) -> ExitCode:
    host = EngineHost(invocation.settings, options.parallelism)
    manner = Manner(
        options=options,
        require_within=partial(require_within, shown=False, way=_WAY),
        remark=say_nothing if showing.as_json else _remark,
    )
    speaker = _Speaker(showing)
    reconciler = Reconciler(
        ApplyingRounds(invocation, wiring, host, manner),
        Pace(interval=interval),
        Timing(now=time.monotonic, sleep=asyncio.sleep, worked=time.process_time, dice=random.random),
        Audience(emit=speaker.on, tell=speaker.tell, code=failing.exit_code),
    )
    speaker.when_alone = reconciler.stop
    try:
        with first_signal(reconciler.stop):
            await reconciler.run()
    finally:
        await host.close()
    return reconciler.exit_code


def _approved(invocation: Invocation, wiring: Wiring, *, as_json: bool) -> bool:
    """Show what the first round would do, and ask whether that, and all that follows from edits, is to be done."""
    if as_json:
        raise UsageError("--json needs --yes: nobody is asked.", hint="Look at `taskspec plan`, then add --yes.")
    if not sys.stdin.isatty():
        raise UsageError(
            "watch asks before it begins, and there is no terminal to ask on.",
            hint="Add --yes to carry out whatever the files ask for, within the limits of the project.",
        )
    from taskspec.report.plans import lines

    made = plan(invocation, wiring, _remark)
    say_wrapped(lines(made, paint_for(sys.stdout)))
    require_within(made, shown=True, way=_WAY)
    return asked("Carry this out, and whatever the files ask for from now on?")


def _remark(prepared: Prepared) -> None:
    from taskspec.cli import remarking

    remarking.remark(prepared)


class _Speaker:
    """The one view of a watch, and its voice for trouble; when nobody reads any more, it says so, and then nothing."""

    def __init__(self, showing: Showing) -> None:
        self._as_json = showing.as_json
        self._view: View | None = json_lines() if showing.as_json else _words(verbose=showing.verbose)
        self.when_alone: Callable[[], None] | None = None

    def on(self, event: Event) -> None:
        """Show an event."""
        if self._view is None:
            return
        try:
            self._view.on(event)
        except OSError:
            self._leave()

    def tell(self, error: TaskspecError) -> None:
        """Say what is in the way of a round."""
        try:
            failing.tell(error, as_json=self._as_json and self._view is not None)
            sys.stdout.flush()
        except OSError:
            self._leave()

    def _leave(self) -> None:
        self._view = None
        silence_stdout()
        if self.when_alone is not None:
            self.when_alone()


def _words(*, verbose: bool) -> View:
    from taskspec.report.rounds import RoundNarrator

    def now() -> str:
        return datetime.now().astimezone().strftime("%H:%M:%S")

    return RoundNarrator(lambda line: say([meant(line)]), paint_for(sys.stdout), now, whole=verbose)
