"""Timing: how long a hosted remote is given, and how long a lease lasts, as the environment says. Asks nobody."""

from typing import Any, Final

from taskspec.errors import UsageError
from taskspec.settings import Settings
from taskspec.state.model import TTL
from taskspec.taskapi.remotes import Traits

_TRAITS: Final = {
    "TASKSPEC_QUIET_PERIOD": "quiet_period",
    "TASKSPEC_CREATE_TIMEOUT": "create_timeout",
    "TASKSPEC_POLL_INTERVAL": "poll_interval",
}


def hosted_traits(settings: Settings) -> Traits:
    """Return the traits of a hosted remote; raise UsageError for a variable without a duration above zero."""
    given: dict[str, Any] = {_TRAITS[name]: _seconds(name, text) for name, text in settings.times.items()}
    return Traits(**given)


def lease_seconds(settings: Settings) -> float:
    """Return how long a lease lasts without a sign of life; raise UsageError as `hosted_traits` does."""
    return TTL if settings.lease is None else _seconds("TASKSPEC_LEASE_TTL", settings.lease)


def _seconds(name: str, text: str) -> float:
    from taskspec.documents.durations import seconds

    try:
        found = seconds(text)
    except ValueError as error:
        raise _unusable(name, text, "no duration") from error
    if not found:
        raise _unusable(name, text, "no time at all")
    return found


def _unusable(name: str, text: str, why: str) -> UsageError:
    hint = "Write it like 500ms, 30s or 5m, or unset it."
    return UsageError(f"The environment variable {name} holds `{text}`, which is {why}.", hint=hint)
