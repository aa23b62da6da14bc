"""Counting: exit codes and totals, derived from the plan and from events, so that they cannot disagree with them."""

from collections.abc import Iterable
from enum import IntEnum

from taskspec.events import ApplyStarted, ChangeFinished, Effect, Event, Health, Interrupted, RunCreated
from taskspec.plan.model import Action, Plan


class ExitCode(IntEnum):
    """What a command's end means; docs/exit-codes.md says it in words."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    UNHEALTHY = 3
    WAITED = 4
    NEEDS_INPUT = 5
    REFUSED = 6
    STALE = 7
    LOCKED = 8
    UNKNOWN = 9
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.ERROR,
    ExitCode.UNKNOWN,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.REFUSED,
    ExitCode.UNHEALTHY,
    ExitCode.NEEDS_INPUT,
    ExitCode.WAITED,
    ExitCode.CHANGES,
)


def foremost(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the one code that stands for several that hold."""
    held = set(codes)
    return next((code for code in _PRECEDENCE if code in held), ExitCode.OK)


def of_health(health: Health) -> ExitCode:
    """Return the exit code that a health stands for."""
    match health:
        case Health.HEALTHY:
            return ExitCode.OK
        case Health.UNHEALTHY:
            return ExitCode.UNHEALTHY
        case Health.NEEDS_INPUT:
            return ExitCode.NEEDS_INPUT
        case Health.UNKNOWN:
            return ExitCode.UNKNOWN


def of_plan(plan: Plan, *, detailed: bool = False) -> ExitCode:
    """Return the exit code of a plan: what is recorded as unhealthy is never green."""
    codes = [of_health(change.health) for change in plan.changes]
    if any(change.in_error for change in plan.changes):
        codes.append(ExitCode.ERROR)
    if detailed and plan.pending:
        codes.append(ExitCode.CHANGES)
    return foremost(codes)


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
            case Interrupted(signum=15):
                self._codes.add(ExitCode.TERMINATED)
            case Interrupted():
                self._codes.add(ExitCode.INTERRUPTED)
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
            case Effect.DONE | Effect.LEFT:
                pass
        if event.verdict == "accepted" and event.action != Action.NONE:
            self.accepted += 1
        if event.health is Health.UNHEALTHY:
            self.unhealthy.append(event)
        elif event.health is Health.NEEDS_INPUT:
            self.needing.append(event)
        elif event.health is Health.UNKNOWN:
            self.unknown.append(event)
