"""Counting: an apply's totals and exit code, derived from its events, so that they cannot disagree with them."""

from collections.abc import Iterable

from taskspec.address import Address
from taskspec.events import (
    ApplyStarted,
    ChangeFinished,
    DuplicatesFound,
    Effect,
    Event,
    Interrupted,
    ResultNotWritten,
    ResultUnreadable,
    RunCreated,
    RunEnded,
)
from taskspec.health import Health
from taskspec.plan.model import IDLE, Action
from taskspec.report.exiting import ExitCode, foremost, of_effect, of_health, of_verdict


class Tally:
    """A listener that counts: what an apply's last line and its exit code say.

    It fails closed: what was expected and not heard of is an error, and a verdict is never better than its word.
    """

    def __init__(self) -> None:
        self._codes: set[ExitCode] = set()
        self._awaited: set[Address] = set()
        self.began = False
        self.planned = 0
        self.started = 0
        self.ended = 0
        self.tokens: list[int] = []
        """Of each run that has ended and tells."""
        self.effects = dict.fromkeys(Effect, 0)
        self.accepted = 0
        self.unchanged = 0
        self.unhealthy: list[ChangeFinished] = []
        self.needing: list[ChangeFinished] = []
        self.unknown: list[ChangeFinished] = []

    def expect(self, addresses: Iterable[Address]) -> None:
        """Take down of which addresses the end is to be heard."""
        self._awaited.update(addresses)

    def on(self, event: Event) -> None:
        """Count an event."""
        match event:
            case ApplyStarted(changes=changes):
                self.began, self.planned = True, changes
            case RunCreated():
                self.started += 1
            case RunEnded(tokens=tokens):
                self.ended += 1
                self.tokens += [tokens] if tokens is not None else []
            case Interrupted(signum=1):
                self._codes.add(ExitCode.HANGUP)
            case Interrupted(signum=15):
                self._codes.add(ExitCode.TERMINATED)
            case Interrupted():
                self._codes.add(ExitCode.INTERRUPTED)
            case ResultUnreadable() | ResultNotWritten():
                self._codes.add(ExitCode.ERROR)
            case DuplicatesFound():
                self._codes.add(ExitCode.UNKNOWN)
            case ChangeFinished():
                self._finished(event)
            case _:
                pass

    def close(self) -> None:
        """End; a tally has drawn nothing."""

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code of everything heard so far."""
        return foremost({*self._codes, ExitCode.ERROR} if self._awaited else self._codes)

    def _finished(self, event: ChangeFinished) -> None:
        self._awaited.discard(event.address)
        self.effects[event.effect] += 1
        self._codes |= {of_health(event.health), of_verdict(event.verdict), of_effect(event.effect)}
        self.unchanged += event.action == Action.NONE and event.health is Health.HEALTHY
        if event.verdict == "accepted" and event.action not in {*IDLE, Action.MOVE}:
            self.accepted += 1
        if event.health is Health.UNHEALTHY:
            self.unhealthy.append(event)
        elif event.health is Health.NEEDS_INPUT:
            self.needing.append(event)
        elif event.health is Health.UNKNOWN:
            self.unknown.append(event)


def counted(events: Iterable[Event]) -> Tally:
    """Return the tally of all that was heard."""
    tally = Tally()
    for event in events:
        tally.on(event)
    return tally
