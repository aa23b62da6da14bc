"""Remotes as values: who a remote is, and in what remotes differ. Connects to nothing."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteIdentity:
    """Whose run it is: a run is read only on the remote that has this identity."""

    type: str
    url: str | None = None
    """None for the embedded engine, whose port changes with each start."""
    organization: str | None = None
    instance: str | None = None
    """The engine's own id, made with its data folder; None for a hosted remote."""

    def same_remote(self, other: "RemoteIdentity") -> bool:
        """Tell whether both are one remote, whatever the engine's instance."""
        return (self.type, self.url, self.organization) == (other.type, other.url, other.organization)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """In what remotes differ. Times in seconds."""

    honours_idempotency_keys: bool = False
    """A repeated create with the same key answers with the first run (announced by the remote itself)."""
    takes_local_files: bool = False
    """Files are uploaded by content; elsewhere only URLs can be given."""
    pages_lists: bool = False
    """Lists come in pages with a `Link: <…>; rel="next"` header when `per_page` is asked for."""
    quiet_period: float = 120.0
    """How long after the send deadline a list without the marker proves absence."""
    create_timeout: float = 60.0
    """The total time for one create."""
    keeps_titles: bool = False
    """Titles are known to come back as they were sent; elsewhere that is believed when it was seen."""
    poll_interval: float = 5.0
    """The shortest pause between two looks at the same runs, for each request that a look takes. The default keeps
    within the vendor's 100 requests a minute and 1,000 an hour."""

    def announced(self, capabilities: frozenset[str]) -> "Traits":
        """Return these traits with what the remote says of itself; what it does not say, it does not have."""
        return replace(
            self,
            honours_idempotency_keys="idempotency-key" in capabilities,
            takes_local_files="uploads" in capabilities,
            pages_lists="pages" in capabilities,
        )


def capabilities_of(said: str) -> frozenset[str]:
    """Return the words of a `Taskspec-Capabilities` header."""
    return frozenset(word.strip() for word in said.split(",") if word.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a remote listens: the REST root, the events root, and the key."""

    rest_root: str
    events_root: str
    api_key: str = field(repr=False)
