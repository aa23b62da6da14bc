"""What the markers of a remote tell of a state that was lost, as values. Makes none of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from taskspec.address import Address
from taskspec.observed.model import Sighting
from taskspec.state.model import Note, Record


class Known(StrEnum):
    """By what the runs of a task were known for its own."""

    NAME = "name"
    FORMER = "former name"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """The runs of one task, the earliest first; of several that bear one marker, the earliest alone."""

    address: Address
    known: Known
    runs: tuple[Sighting, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """The runs of a lineage: those of declared tasks, those of none, and those that are one create once more."""

    traces: Mapping[Address, Traces]
    others: tuple[Sighting, ...] = ()
    again: tuple[tuple[Sighting, ...], ...] = ()
    """Runs that bear one marker, the earliest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lineage:
    """A lineage of which the remote has runs, as far as markers tell: its first characters."""

    name: str
    runs: int
    addresses: tuple[Address, ...]
    """The declared tasks that have runs of it."""
    by_text: bool = False
    """None of these was known by a name."""
    newest: float | None = None
    """When its newest run was made, in seconds since the epoch."""
    used_by: str | None = None
    """The environment of this project whose state it is."""


class Text(StrEnum):
    """Which text the newest generation of a task was asked."""

    DECLARED = "declared"
    PASSING = "passing"  # another one, and `rerun` lets it pass for the declared
    OTHER = "other"
    UNKNOWN = "unknown"  # it uses results that are not there


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """A record that was made of runs, with the results that it names and what is told of it."""

    record: Record
    text: Text
    notes: tuple[Note, ...]
    results: Mapping[str, str] = field(repr=False)
    answers: tuple[str, ...] = field(repr=False)
    doubts: tuple[str, ...] = ()
