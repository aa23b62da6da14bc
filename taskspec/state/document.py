"""A whole state as one value, as it is pulled from a store and pushed into one. Opens nothing and keeps nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taskspec.address import Address
from taskspec.state.model import HistoryEntry, Record


@dataclass(frozen=True, kw_only=True, slots=True)
class StateDocument:
    """Everything that a state holds at one serial, but for its lock."""

    lineage: str
    serial: int
    head: str
    """The hash of the newest entry of the history."""
    project: str
    environment: str
    records: Mapping[Address, Record]
    history: tuple[HistoryEntry, ...]
    """Newest first, chained from the lineage on."""
    results: Mapping[str, str] | None = field(default=None, repr=False)
    """The kept results, by digest; None where they were left out, so that those which a store has stay."""
