"""Counting: an apply's totals and exit code, derived from its events, so that they cannot disagree with them."""

from taskspec.events import (
    ApplyStarted,
    ChangeFinished,
    Effect,
    Event,
    Interrupted,
    ResultNotWritten,
    ResultUnreadable,
    RunCreated,
)
from taskspec.health import Health
from taskspec.plan.model import IDLE
from taskspec.report.exiting import ExitCode, foremost, of_health


class Tally:
    """A listener that counts: what an apply's last line and its exit code say."""

    def __init__(self) -> None:
        self._codes: set[ExitCode] = set()
        self.planned = 0
        self.started = 0
        self.effects = dict.fromkeys(Effect, 0)
        self.accepted = 0
        self.unhealthy: list[ChangeFinished] = []
        self.needing: list[ChangeFinished] = []
        self.unknown: list[ChangeFinished] = []

    def on(self, event: Event) -> None:
        """Count an event."""
        match event:
            case ApplyStarted(changes=changes):
                self.planned = changes
            case RunCreated():
                self.started += 1
            case Interrupted(signum=1):
                self._codes.add(ExitCode.HANGUP)
            case Interrupted(signum=15):
                self._codes.add(ExitCode.TERMINATED)
            case Interrupted():
                self._codes.add(ExitCode.INTERRUPTED)
            case ResultUnreadable() | ResultNotWritten():
                self._codes.add(ExitCode.ERROR)
            case ChangeFinished():
                self._finished(event)
            case _:
                pass

    def close(self) -> None:
        """End; a tally has drawn nothing."""

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code of everything heard so far."""
        return foremost(self._codes)

    def _finished(self, event: ChangeFinished) -> None:
        self.effects[event.effect] += 1
        self._codes.add(of_health(event.health))
        match event.effect:
            case Effect.FAILED:
                self._codes.add(ExitCode.ERROR)
            case Effect.UNKNOWN:
                self._codes.add(ExitCode.UNKNOWN)
            case Effect.CUT:
                self._codes.add(ExitCode.WAITED)
            case Effect.REFUSED:
                self._codes.add(ExitCode.REFUSED)
            case Effect.DONE | Effect.LEFT:
                pass
        if event.verdict == "accepted" and event.action not in IDLE:
            self.accepted += 1
        if event.health is Health.UNHEALTHY:
            self.unhealthy.append(event)
        elif event.health is Health.NEEDS_INPUT:
            self.needing.append(event)
        elif event.health is Health.UNKNOWN:
            self.unknown.append(event)
