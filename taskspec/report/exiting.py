"""Exit codes: what they mean, and which one stands for several. Derived from plan and health, never from words."""

from collections.abc import Iterable
from enum import IntEnum

from taskspec.events import Effect
from taskspec.health import Health
from taskspec.plan.model import Plan
from taskspec.plan.overlooking import overlooked


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
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.HANGUP,
    ExitCode.ERROR,
    ExitCode.UNKNOWN,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.REFUSED,
    ExitCode.UNHEALTHY,
    ExitCode.NEEDS_INPUT,
    ExitCode.WAITED,
    ExitCode.CHANGES,
    ExitCode.USAGE,  # alone, whenever it holds: nothing was looked at
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


def of_verdict(verdict: str | None) -> ExitCode:
    """Return the exit code that the verdict on an attempt stands for; a word that is not known is no good news."""
    match verdict:
        case None | "accepted" | "active":
            return ExitCode.OK
        case "waiting":
            return ExitCode.NEEDS_INPUT
        case "rejected" | "failed" | "error" | "stopped":
            return ExitCode.UNHEALTHY
        case _:
            return ExitCode.UNKNOWN


def of_effect(effect: Effect) -> ExitCode:
    """Return the exit code that the end of a change stands for."""
    match effect:
        case Effect.FAILED:
            return ExitCode.ERROR
        case Effect.UNKNOWN:
            return ExitCode.UNKNOWN
        case Effect.CUT:
            return ExitCode.WAITED
        case Effect.REFUSED:
            return ExitCode.REFUSED
        case Effect.DONE | Effect.LEFT:
            return ExitCode.OK


def of_plan(plan: Plan, *, detailed: bool = False) -> ExitCode:
    """Return the exit code of a plan: what is recorded as unhealthy is never green."""
    codes = [of_health(change.health) for change in plan.changes]
    if overlooked(plan) or any(change.in_error for change in plan.changes):
        codes.append(ExitCode.ERROR)
    if plan.duplicates:
        codes.append(ExitCode.UNKNOWN)
    if plan.refusals or any(change.refused for change in plan.changes):
        codes.append(ExitCode.REFUSED)
    if detailed and plan.pending:
        codes.append(ExitCode.CHANGES)
    return foremost(codes)
