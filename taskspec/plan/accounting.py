"""Accounting: which runs on the remote bear our markers, and no record knows them. Judges none, and asks nobody.

A run is accounted for where a record names it, or where the history says that it was bound before and it has ended.
Runs that bear one marker are one create that the remote has more than once: they are duplicates, whoever is recorded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from taskspec.address import Address, address_hash
from taskspec.observed.model import Duplicate, Sighting
from taskspec.state.model import Attempt, Record, Sending
from taskspec.taskapi.records import ENDED, TaskRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """What the history of an address says of its runs: their ids, and by which nonces they were asked for."""

    runs: frozenset[str] = frozenset()
    by_nonce: Mapping[str, str] = field(default_factory=dict)


Past = Callable[[Address], Bound]
"""Tells which runs of an address were ever bound."""


def owners(addresses: Iterable[Address]) -> Mapping[str, Address]:
    """Return addresses by the hash that stands for them in a marker."""
    return {address_hash(address): address for address in addresses}


def recorded_runs(records: Mapping[Address, Record]) -> Mapping[str, Address]:
    """Return the address under which each run is recorded."""
    return {a.run: address for address, record in records.items() for a in _attempts(record) if a.run is not None}


def strays(
    found: Iterable[Sighting], records: Mapping[Address, Record], known: Mapping[str, Address], past: Past
) -> dict[Address, tuple[TaskRecord, ...]]:
    """Return, by address, the runs that stand in the way of a new one, as nobody accounts for them.

    `known` are the addresses that are meant, by their hashes. Of an address without a record it is every run.
    """
    recorded = recorded_runs(records)
    astray: dict[Address, list[TaskRecord]] = {}
    for one in found:
        address = known.get(one.marker.address)
        if address is None or one.run.id in recorded:
            continue
        record = records.get(address)
        if record is not None and (twin_of(one, record) is not None or is_past(one, past(address))):
            continue
        astray.setdefault(address, []).append(one.run)
    return {address: tuple(runs) for address, runs in astray.items()}


def duplicates(
    groups: Iterable[tuple[Sighting, ...]], known: Mapping[str, Address], records: Mapping[Address, Record]
) -> tuple[Duplicate, ...]:
    """Return the runs that bear one marker, with the address whose hash stands in it.

    A task that had another name when it asked for them is found by the attempt that is recorded with their nonce.
    """
    asked = {attempt.nonce: address for address, record in records.items() for attempt in _attempts(record)}
    found: list[Duplicate] = []
    for group in groups:
        marker = group[0].marker
        address = asked.get(marker.nonce) or known.get(marker.address)
        found.append(Duplicate(address=address, runs=tuple(one.run for one in group)))
    return tuple(found)


def twin_of(one: Sighting, record: Record) -> Attempt | None:
    """Return the recorded attempt whose marker a run bears, where that attempt has, or may have, a run."""
    counting = {Sending.INTENDED, Sending.BOUND}
    return next((a for a in _attempts(record) if a.nonce == one.marker.nonce and a.sending in counting), None)


def is_past(one: Sighting, bound: Bound) -> bool:
    """Tell whether a run was recorded once and has ended, or is the duplicate of one that was."""
    if one.run.id in bound.runs:
        return one.run.status in ENDED
    return one.marker.nonce in bound.by_nonce


def _attempts(record: Record) -> Iterator[Attempt]:
    yield from record.generation.attempts
    if record.accepted is not None:
        yield record.accepted.attempt
