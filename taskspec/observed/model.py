"""What the remote shows of the runs that we know: one closed union. Asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class Observed:
    """The refresh: observations by run id. A run that was not looked at is not in it."""

    runs: Mapping[str, Observation] = field(default_factory=dict)
    marked: Mapping[str, tuple[TaskRecord, ...]] = field(default_factory=dict)
    """Runs that bear the marker of an intent whose outcome is unknown, by nonce."""
    agents: frozenset[str] | None = None
    """The ids of the remote's agents; None where nobody asked."""
