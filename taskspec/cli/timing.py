"""Timing: how long a hosted remote is given, as the environment says. Asks no remote."""

from typing import Any, Final

from taskspec.errors import UsageError
from taskspec.settings import Settings
from taskspec.taskapi.remotes import Traits

_TRAITS: Final = {
    "TASKSPEC_QUIET_PERIOD": "quiet_period",
    "TASKSPEC_CREATE_TIMEOUT": "create_timeout",
    "TASKSPEC_POLL_INTERVAL": "poll_interval",
}


def hosted_traits(settings: Settings) -> Traits:
    """Return the traits of a hosted remote; raise UsageError for a variable without a duration above zero."""
    from taskspec.documents.durations import seconds

    given: dict[str, Any] = {}
    for name, text in settings.times.items():
        try:
            given[_TRAITS[name]] = seconds(text)
        except ValueError as error:
            raise _unusable(name, text, "no duration") from error
        if not given[_TRAITS[name]]:
            raise _unusable(name, text, "no time at all")
    return Traits(**given)


def _unusable(name: str, text: str, why: str) -> UsageError:
    hint = "Write it like 500ms, 30s or 5m, or unset it."
    return UsageError(f"The environment variable {name} holds `{text}`, which is {why}.", hint=hint)
