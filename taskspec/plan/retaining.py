"""Retaining: which older results of an address are kept, by the retention that its task declares. Removes nothing.

A result that a record names is never among those that are not: the accepted one, and those of the last generation. Nor
is one that another address has answered too, as far as the history tells, as long as that one keeps it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from taskspec.address import Address
from taskspec.documents.model import Retention
from taskspec.plan.keeping import PRUNED
from taskspec.plan.recollecting import Recollection, recollected
from taskspec.state.model import Note, Record

_Life = tuple[Address, str | None]
"""A task under a name, and the name that it was moved to from there; None where it was not moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expendable:
    """The results of an address that its retention keeps no longer."""

    address: Address
    generations: tuple[int, ...]
    """Those whose results they are, the newest first."""
    digests: frozenset[str]
    names: frozenset[Address]
    """The address, and the names that it had before."""


def expendable(retention: Retention, record: Record, notes: Sequence[Note], now: float) -> Expendable | None:
    """Return what the retention of a recorded address keeps no longer; None where that is nothing.

    `notes` are those of its history, the newest first, with those under its former names.
    """
    held = named_by(record)
    older = [one for one in recollected(record, notes) if _is_older(one, record) and one.results - one.gone]
    kept: set[str] = set(held)
    removed: list[Recollection] = []
    for count, one in enumerate(older, 1):
        if _stays(one, count, retention, now):
            kept |= one.results
        else:
            removed.append(one)
    leaving = [(one.number, one.results - one.gone - kept) for one in removed]
    digests = frozenset[str]().union(*(those for _, those in leaving))
    if not digests:
        return None
    names = {record.address, *(note.address for note in notes)}
    numbers = tuple(number for number, those in leaving if those)
    return Expendable(address=record.address, generations=numbers, digests=digests, names=frozenset(names))


def unneeded(
    found: Sequence[Expendable], records: Mapping[Address, Record], notes: Iterable[Note]
) -> Mapping[Address, frozenset[str]]:
    """Return of which address which results nobody needs any more.

    `records` are all that there are, `notes` the whole history, newest first: another address may have given the very
    same answer. Where it is among those that let it go, it needs it no more.
    """
    wanted = {digest for one in found for digest in one.digests}
    for record in records.values():
        wanted -= named_by(record)
    if not wanted:
        return {}
    naming = _naming(notes, wanted)
    letting_go: dict[str, list[Expendable]] = {digest: [] for digest in wanted}
    for one in found:
        for digest in one.digests & wanted:
            letting_go[digest].append(one)
    free = {
        digest
        for digest in wanted
        if all(any(_is_own(life, one, records) for one in letting_go[digest]) for life in naming.get(digest, ()))
    }
    return {one.address: one.digests & free for one in found if one.digests & free}


def _is_own(life: _Life, one: Expendable, records: Mapping[Address, Record]) -> bool:
    """Tell whether what was under a name is the task that lets results go."""
    name, to = life
    if to is not None:
        return name in one.names and to in one.names
    return name == one.address or (name in one.names and name not in records)


def named_by(record: Record) -> frozenset[str]:
    """Return the digests of the results that a record names."""
    attempts = [*record.generation.attempts, *([record.accepted.attempt] if record.accepted is not None else [])]
    digests = {one.result.digest for one in attempts if one.result is not None}
    return frozenset(digests | ({record.accepted.result.digest} if record.accepted is not None else set()))


def _is_older(one: Recollection, record: Record) -> bool:
    accepted = record.accepted
    return one.number != record.generation.number and (accepted is None or one.number != accepted.generation)


def _stays(one: Recollection, count: int, retention: Retention, now: float) -> bool:
    if retention.generations is not None and count > retention.generations:
        return False
    made = one.kept.at if one.kept is not None else now
    return retention.age is None or made >= now - retention.age


def _naming(notes: Iterable[Note], wanted: set[str]) -> Mapping[str, set[_Life]]:
    """Return under which names each result is told of, but for those that let it go already."""
    departed: dict[Address, str] = {}
    gone: dict[_Life, set[str]] = {}
    found: dict[str, set[_Life]] = {}
    for note in notes:
        if note.what == "moved" and isinstance(to := note.data.get("to"), str):
            departed[note.address] = to
        life = (note.address, departed.get(note.address))
        if note.what == PRUNED:
            gone.setdefault(life, set()).update(_texts(note.data.get("results")))
            continue
        for digest in _results(note):
            if digest in wanted and digest not in gone.get(life, ()):
                found.setdefault(digest, set()).add(life)
    return found


def _results(note: Note) -> Iterator[str]:
    accepted = note.data.get("accepted")
    named = [note.data.get("result"), accepted.get("result") if isinstance(accepted, Mapping) else None]
    yield from (one for one in named if isinstance(one, str))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, str))
