"""What the remote shows of the runs that we know: one closed union. Asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taskspec.address import Address
from taskspec.markers import Marker
from taskspec.taskapi.records import TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """The run is there."""

    record: TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """Two single reads answered 404; a list without the run never proves this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """The run could not be read: no connection, no permission, another remote."""

    reason: str


Observation = Present | Absent | Unreadable


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """What a whole list of an agent's runs shows of one marker."""

    runs: tuple[TaskRecord, ...]
    keeps_markers: bool
    """A run of the list bears a marker of the same lineage: on this remote titles keep them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A run on the remote whose title bears a marker."""

    marker: Marker
    run: TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """One create that the remote has more than once; `address` is None where the marker's hash is of none known."""

    address: Address | None
    runs: tuple[TaskRecord, ...]
    """Those that bear one marker, the earliest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """The refresh: observations by run id. A run that was not looked at is not in it."""

    runs: Mapping[str, Observation] = field(default_factory=dict)
    marked: Mapping[str, tuple[TaskRecord, ...]] = field(default_factory=dict)
    """Runs that bear the marker of an intent whose outcome is unknown, by nonce."""
    strays: Mapping[Address, tuple[TaskRecord, ...]] = field(default_factory=dict)
    """Runs that bear a marker of this project and of the address, and that no record accounts for."""
    duplicates: tuple[Duplicate, ...] = ()
    unlisted: Mapping[str, str] = field(default_factory=dict)
    """The agents whose runs were to be listed in full and could not be, and why."""
    agents: frozenset[str] | None = None
    """The ids of the remote's agents; None where nobody asked."""
