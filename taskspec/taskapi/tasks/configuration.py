"""Where the remote is and how it is asked, as one value. Connects to nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from taskspec.errors import MissingSecretError, UsageError
from taskspec.settings import from_environ
from taskspec.taskapi.decoding import finite
from taskspec.taskapi.messages import is_sendable
from taskspec.taskapi.remotes import Endpoint
from taskspec.taskapi.roots import roots
from taskspec.taskapi.tasks.checking import SENDABLE

_MOST_CONNECTIONS = 10_000
_MOST_SECONDS = 1_000_000
_MOST_REQUESTS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Which remote is asked, with which key, and within which limits; what is not given is read from the environment.

    Raises UsageError for a value that cannot be used. A key is asked for when a client is made.
    """

    api_key: str | None = field(default=None, repr=False)
    """Default: `XPANDER_API_KEY`."""
    base_url: str | None = None
    """Default: `XPANDER_BASE_URL`, else the vendor's cloud; without a scheme, https."""
    organization_id: str | None = None
    """Default: `XPANDER_ORGANIZATION_ID`."""
    agent_id: str | None = None
    """The agent where a call names none. Default: `XPANDER_AGENT_ID`."""
    timeout: float = 30.0
    """The total seconds of one request, from its sending to the last byte of the answer.

    What may be repeated is sent up to four times, each time with all of it; no wait for a place or a turn is counted.
    What may not (a report without an id, metrics) spends it by waiting for a place too, unless requests are limited.
    """
    create_timeout: float = 60.0
    """The total seconds of each sending of a create; it too waits for a place within them, unless requests are limited.
    """
    max_connections: int = 32
    """How many requests may be in flight at once, counted for each colour; more of them wait."""
    requests_per_minute: int | None = None
    """A limit of one's own; None: only what the remote says."""
    requests_per_hour: int | None = None
    """A limit of one's own; None: only what the remote says."""
    ca_file: str | None = None
    """A PEM file of the authorities that sign the remote's certificate. Default: the usual ones."""

    def __post_init__(self) -> None:
        settings = from_environ()
        self._default("api_key", settings.xpander_api_key)
        self._default("base_url", settings.xpander_base_url)
        self._default("organization_id", settings.xpander_organization)
        self._default("agent_id", settings.xpander_agent)
        for name, accepts, wanted in _RULES:
            if not accepts(getattr(self, name)):
                raise UsageError(f"`{name}` of the configuration must be {wanted}.")
        roots(self.base_url or "", self.organization_id)

    def endpoint(self) -> Endpoint:
        """Return where the remote listens, and the key; raise MissingSecretError without one."""
        if not self.api_key:
            raise MissingSecretError(
                "The API key is missing.", hint="Set XPANDER_API_KEY, or give it: Configuration(api_key=…)."
            )
        rest_root, events_root = roots(self.base_url or "", self.organization_id)
        return Endpoint(rest_root=rest_root, events_root=events_root, api_key=self.api_key)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: connections are not copied."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def _default(self, name: str, value: str | None) -> None:
        """Set a field that is not given; empty text is given, and is never replaced by what somebody else meant."""
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def _is_key(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_sendable(value))


def _is_segment(value: object) -> bool:
    """Tell whether text can be one segment of a URL's path as it is."""
    return value is None or (
        isinstance(value, str)
        and value.isprintable()
        and value not in {"", ".", ".."}
        and not set(value) & set(" /?#%\\")
    )


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() != "")


def _is_seconds(value: object) -> bool:
    seconds = finite(value)
    return seconds is not None and 0 < seconds <= _MOST_SECONDS


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_REQUESTS)


def _is_connections(value: object) -> bool:
    return value is not None and _is_limit(value) and isinstance(value, int) and value <= _MOST_CONNECTIONS


_RULES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("api_key", _is_key, SENDABLE),
    ("base_url", _is_text, "a URL, not empty"),
    ("organization_id", _is_segment, "an id that can stand in a URL"),
    ("agent_id", _is_text, "an id, which is text that is not empty"),
    ("timeout", _is_seconds, f"a number of seconds, more than 0 and at most {_MOST_SECONDS}"),
    ("create_timeout", _is_seconds, f"a number of seconds, more than 0 and at most {_MOST_SECONDS}"),
    ("max_connections", _is_connections, f"a whole number from 1 to {_MOST_CONNECTIONS}"),
    ("requests_per_minute", _is_limit, f"a whole number from 1 to {_MOST_REQUESTS}, or None"),
    ("requests_per_hour", _is_limit, f"a whole number from 1 to {_MOST_REQUESTS}, or None"),
    ("ca_file", _is_text, "the path of a file, as text that is not empty"),
)
