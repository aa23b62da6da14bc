"""Where the remote is and how it is asked, as one value. Connects to nothing."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from taskspec.errors import MissingSecretError, UsageError
from taskspec.settings import from_environ
from taskspec.taskapi.remotes import Endpoint
from taskspec.taskapi.roots import roots

_MOST_CONNECTIONS = 10_000


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
    """The total seconds that a request may take, from asking for a connection to the last byte of the answer."""
    create_timeout: float = 60.0
    """The same for a request that creates a task."""
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
        self._settle("api_key", self.api_key or settings.xpander_api_key)
        self._settle("base_url", self.base_url or settings.xpander_base_url)
        self._settle("organization_id", self.organization_id or settings.xpander_organization)
        self._settle("agent_id", self.agent_id or settings.xpander_agent)
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

    def _settle(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def _is_key(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.isascii() and value.isprintable())


def _is_segment(value: object) -> bool:
    """Tell whether text can be one segment of a URL's path as it is."""
    return value is None or (
        isinstance(value, str) and value.isprintable() and value not in {".", ".."} and not set(value) & set(" /?#%\\")
    )


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1)


def _is_connections(value: object) -> bool:
    return value is not None and _is_limit(value) and isinstance(value, int) and value <= _MOST_CONNECTIONS


_RULES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("api_key", _is_key, "text of printable ASCII characters"),
    ("base_url", _is_text, "a URL"),
    ("organization_id", _is_segment, "an id that can stand in a URL"),
    ("agent_id", _is_text, "text"),
    ("timeout", _is_seconds, "a number of seconds, more than 0"),
    ("create_timeout", _is_seconds, "a number of seconds, more than 0"),
    ("max_connections", _is_connections, f"a whole number from 1 to {_MOST_CONNECTIONS}"),
    ("requests_per_minute", _is_limit, "a whole number, 1 or more, or None"),
    ("requests_per_hour", _is_limit, "a whole number, 1 or more, or None"),
    ("ca_file", _is_text, "the path of a file, as text"),
)
