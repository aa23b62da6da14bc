"""A state that goes from one place to another: what is left to do of that, by what both hold. Writes nothing.

The history tells it, at both ends. `migrated` is the last entry of the place that was left, and the first that both
have in common; `arrived` follows it at the new place alone. Whose newest entry is `migrated` is not the truth: so is
neither, for a moment, and never both, wherever it is cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from taskspec.address import Address
from taskspec.errors import StaleError
from taskspec.moments import utc
from taskspec.state.chaining import follow, linked, root
from taskspec.state.document import StateDocument
from taskspec.state.model import HistoryEntry, Holder, Note, Snapshot
from taskspec.state.replacing import forced_serial, refusal
from taskspec.state.store import StateReader

MIGRATED: Final = "migrated"
ARRIVED: Final = "arrived"
_WHOLE: Final = Address("")


class Left(Enum):
    """What is left to do, each with all that comes after it."""

    COPY = "copy"  # the new place has nothing yet, or what an interrupted migration left there
    MARK = "mark"  # the new place has all of it: the old one is to say so
    ARRIVE = "arrive"  # the old one says so: the new one may be used
    STAY = "stay"  # the new place is gone: the old one is to be used again
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Journey:
    """What is left to do, and the state as the new place is to hold it before it arrives there."""

    left: Left
    carried: StateDocument
    entry: HistoryEntry | None = None
    """The entry that the old place is to get."""
    forced_over: str = ""
    """Why it is refused unless forced."""


def departure(to: str, by: Holder, at: float) -> Note:
    """Return what the history of the old place ends with."""
    return Note(address=_WHOLE, at=at, what=MIGRATED, data={"to": to, "by": "hand", **_who(by)})


def arrival(came_from: str, by: Holder, at: float) -> Note:
    """Return what the history of the new place goes on with."""
    return Note(address=_WHOLE, at=at, what=ARRIVED, data={"from": came_from, "by": "hand", **_who(by)})


def departed(newest: HistoryEntry | None) -> Note | None:
    """Return the note of the migration by which a state has left its place; None where it has not."""
    return newest.note if newest is not None and newest.note.what == MIGRATED else None


def require_here(store: StateReader) -> None:
    """Raise StaleError where the state was carried to another place: what is here is not the truth any more."""
    note = departed(next(store.history(limit=1), None))
    if note is not None:
        raise StaleError(f"Nothing is done with this state: it {moved_words(note)}.", hint=_elsewhere(note))


def moved_words(note: Note) -> str:
    """Return where a state was carried to, when and by whom."""
    to, user, host = (note.data.get(name, "?") for name in ("to", "user", "host"))
    return f"was moved to {to} on {utc(note.at)} by {user} on {host}"


def way_there(note: Note) -> str:
    """Return how a state is used where it was carried to."""
    if "://" in str(note.data.get("to")):
        return "Let `state` in taskspec.yaml, or TASKSPEC_STATE, name that place."
    return "It is a file of that machine: use it there, without `state` in taskspec.yaml and without TASKSPEC_STATE."


def _elsewhere(note: Note) -> str:
    return (
        f"{way_there(note)} An interrupted migration is finished by the same `taskspec state migrate`. "
        "`taskspec state pull` still reads what is here."
    )


def journey(
    source: StateDocument, target: Snapshot, there: tuple[HistoryEntry, ...], note: Note, *, force: bool
) -> Journey:
    """Return what is left to do to carry a state to a place that holds `target`, with the history `there`.

    `note` is what a departure of now is told by. Raises StaleError where the state may not be put there, unless forced.
    """
    to = note.data["to"]
    hashes = {entry.hash for entry in there}
    left = departed(source.history[0] if source.history else None)
    here = departed(there[0] if there else None)
    same = target.lineage == source.lineage
    ours = same and here is not None and here.data.get("to") == to
    if left is not None and left.data.get("to") == to and same:
        if ours and target.head == source.head:
            return Journey(left=Left.ARRIVE, carried=replace(source, serial=target.serial))
        if source.head in hashes:
            return Journey(left=Left.NOTHING, carried=source)
    if left is None and ours:
        copied = _with(source, there[0].note)
        if copied.head == target.head:
            return Journey(left=Left.MARK, carried=replace(copied, serial=target.serial), entry=copied.history[0])
    carried = _with(source, note)
    why = _refusal(source, target, carried, left)
    if why and left is None and ours and _before(there, source.lineage) in _heads(source):
        why = ""  # an interrupted migration, since which only the old place was written
        carried = replace(carried, serial=max(carried.serial, target.serial + 1))
    if why and not force:
        raise StaleError(
            f"Nothing was migrated: {why}.",
            hint="Look at both (`taskspec state pull`); `--force` carries the state there all the same.",
        )
    if why:
        carried = replace(carried, serial=forced_serial(target, carried))
    return Journey(left=Left.COPY, carried=carried, entry=carried.history[0], forced_over=why)


def fault(carried: StateDocument, reader: StateReader) -> str:
    """Return in what a place does not hold the state that was carried there; nothing where it holds all of it.

    Everything is read back: the records, the chain of the history entry by entry, each result by its digest.
    """
    found = reader.read()
    if (found.lineage, found.serial, found.head) != (carried.lineage, carried.serial, carried.head):
        return f"it is at serial {found.serial} of the lineage {found.lineage or '(none)'}"
    if found.records != carried.records:
        return "its records are others"
    chain = follow(reader.history(), carried.lineage)
    if chain.broken is not None or (chain.head, chain.length) != (carried.head, len(carried.history)):
        return "its history is another one"
    results = carried.results or {}
    kept = {digest for digest, content in reader.results() if results.get(digest) == content}
    missing = next((digest for digest in results if digest not in kept), None)
    return f"the result {missing} is missing or another one" if missing is not None else ""


def _refusal(source: StateDocument, target: Snapshot, carried: StateDocument, left: Note | None) -> str:
    if left is not None:
        return f"the state {moved_words(left)}, and what is here is not the truth any more"
    return refusal(target, carried, source.environment) or ""


def _with(source: StateDocument, note: Note) -> StateDocument:
    """Return a state that ends with one more entry."""
    serial = source.serial + 1
    head = linked(source.head, serial, note)
    entry = HistoryEntry(serial=serial, note=note, hash=head)
    return replace(source, serial=serial, head=head, history=(entry, *source.history))


def _before(history: tuple[HistoryEntry, ...], lineage: str) -> str:
    """Return what the newest entry follows from."""
    return history[1].hash if len(history) > 1 else root(lineage)


def _heads(document: StateDocument) -> frozenset[str]:
    return frozenset({root(document.lineage), *(entry.hash for entry in document.history)})


def _who(by: Holder) -> Mapping[str, Any]:
    return {"user": by.user, "host": by.host}
