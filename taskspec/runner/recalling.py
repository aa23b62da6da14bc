"""Recalling: kept results, and what the history says of runs, read when they are asked for. Decides nothing."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol

from taskspec.address import Address
from taskspec.desired.model import Desired
from taskspec.errors import StateError
from taskspec.plan.accounting import Bound
from taskspec.plan.estimates import Measured
from taskspec.plan.estimating import NOTES, measured
from taskspec.plan.keeping import PRUNED, Kept, kept_results
from taskspec.plan.regrading import concerned
from taskspec.state.model import HistoryEntry, Note, Record, ResultRef, Snapshot
from taskspec.state.replacing import is_empty
from taskspec.state.store import StateReader

SINGLY: Final = 32
"""For so many addresses a store on another machine is asked one by one."""


class KeptResults(Mapping[str, str]):
    """The contents of the results whose assertions changed, by digest; one that cannot be read is not there.

    One at a time is in memory. Works as long as its store is open.
    """

    def __init__(self, desired: Desired, snapshot: Snapshot, store: StateReader) -> None:
        self._refs: Mapping[str, ResultRef] = {ref.digest: ref for ref in concerned(desired, snapshot)}
        self._store = store

    def __getitem__(self, digest: str) -> str:
        try:
            return self._store.result(self._refs[digest])
        except StateError as error:
            raise KeyError(digest) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)


class Answers:
    """Kept results, each read when it is asked for. Works as long as its store is open."""

    def __init__(self, store: StateReader) -> None:
        self._store = store

    def __call__(self, ref: ResultRef) -> str | None:
        """Return a kept result; None where it cannot be read."""
        try:
            return self._store.result(ref)
        except StateError:
            return None


class FormerResults:
    """Which results of a task are kept, as its record and its history tell. Works as long as its store is open.

    The newest entries of its history are looked at, since it came into the state: what left that was given up. A store
    on another machine is asked for a few addresses one by one, and then for all at once: each is a request.
    What they were asked is left out then.
    """

    def __init__(self, store: StateReader) -> None:
        self._store = store
        self._known: dict[Address, Sequence[Kept]] = {}
        self._all: Mapping[Address, Sequence[HistoryEntry]] | None = None

    def __call__(self, address: Address, record: Record) -> Sequence[Kept]:
        """Return the kept results of an address, those under its former names too."""
        if address not in self._known:
            self._known[address] = kept_results(record, life_of(address, self._entries))
        return self._known[address]

    def _entries(self, address: Address) -> Iterable[HistoryEntry]:
        if self._all is None and len(self._known) == SINGLY and self._store.capabilities.shared:
            self._all = self._newest_of_all()
        if self._all is not None:
            return self._all.get(address, ())
        return self._store.history(address, limit=NOTES)

    def _newest_of_all(self) -> Mapping[Address, Sequence[HistoryEntry]]:
        looked: Counter[Address] = Counter()
        found: defaultdict[Address, list[HistoryEntry]] = defaultdict(list)
        for entry in self._store.history():
            address = entry.note.address
            looked[address] += 1
            if looked[address] <= NOTES and entry.note.what in _OF_RESULTS:
                found[address].append(entry)
        return found


class Measurements:
    """What the last runs of an address took, as the history tells; each address is looked up once."""

    def __init__(self, store: StateReader) -> None:
        self._store = store
        self._known: dict[Address, Sequence[Measured]] = {}

    def __call__(self, address: Address) -> Sequence[Measured]:
        """Return what the last runs of an address took, those under its former names too."""
        if address not in self._known:
            self._known[address] = tuple(measured(notes_of(address, self._store, limit=NOTES)))
        return self._known[address]


class Historian(Protocol):
    """Whatever tells what happened to an address."""

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, newest first."""


class Histories:
    """What happened to each of many addresses. Works as long as its store is open.

    A store on another machine is asked for a few addresses one by one, and then for all at once: each is a request.
    """

    def __init__(self, store: StateReader, *, bare: bool = False) -> None:
        """With `bare`, what is kept of all at once is without the texts that were asked, which may be large."""
        self._store = store
        self._bare = bare
        self._asked: set[Address] = set()
        self._all: Mapping[Address, Sequence[HistoryEntry]] | None = None

    def history(self, address: Address | None = None, *, limit: int | None = None) -> Iterator[HistoryEntry]:
        """Yield what happened, newest first, as `StateReader.history` does."""
        if address is None:
            return self._store.history(limit=limit)
        if self._all is None and len(self._asked) == SINGLY and self._store.capabilities.shared:
            self._all = self._of_all()
        if self._all is not None:
            return islice(self._all.get(address, ()), limit)
        if len(self._asked) < SINGLY:
            self._asked.add(address)
        return self._store.history(address, limit=limit)

    def _of_all(self) -> Mapping[Address, Sequence[HistoryEntry]]:
        found: defaultdict[Address, list[HistoryEntry]] = defaultdict(list)
        for entry in self._store.history():
            found[entry.note.address].append(_bare(entry) if self._bare else entry)
        return found


def _bare(entry: HistoryEntry) -> HistoryEntry:
    if "spec" not in entry.note.data:
        return entry
    data = {name: value for name, value in entry.note.data.items() if name != "spec"}
    return replace(entry, note=replace(entry.note, data=data))


def notes_of(address: Address, store: Historian, *, limit: int | None = None) -> Iterator[Note]:
    """Yield what happened to an address, newest first, and before that to the names that it had.

    At most `limit` entries are read of each name. What another task went through under such a name, before or after, is
    none of it.
    """
    for entry in _own(address, lambda place: store.history(place, limit=limit)):
        yield entry.note


def life_of(address: Address, entries: Callable[[Address], Iterable[HistoryEntry]]) -> Iterator[Note]:
    """Yield what happened to a task, as `notes_of` does, since it came into the state: what left it was given up.

    `entries` gives those of one name.
    """
    for entry in _own(address, entries):
        if entry.note.what == "forgotten":
            return
        yield entry.note


def _own(address: Address, entries: Callable[[Address], Iterable[HistoryEntry]]) -> Iterator[HistoryEntry]:
    """Yield the entries of a task under each name that it had; what stands below a move to or from it is another's."""
    until: int | None = None
    place: Address | None = address
    while place is not None:
        before: Address | None = None
        for entry in entries(place):
            note, told = entry.note, entry.note.data.get("from")
            is_move = note.what == "moved"
            came = is_move and isinstance(told, str)
            if until is not None and (entry.serial > until or (came and entry.serial == until)):
                continue
            if came:
                before, until = Address(str(told)), entry.serial
                break
            if is_move and entry.serial != until:  # with another task
                return
            yield entry
        place = before


class BoundRuns:
    """Which runs and generations an address ever had, as the history tells. Works as long as its store is open.

    A store on another machine is asked for a few addresses one by one, and then for all at once: each is a request.
    Where a `snapshot` of it tells that nothing was ever kept, it is not asked.
    """

    def __init__(self, store: StateReader, snapshot: Snapshot | None = None) -> None:
        self._store = store
        self._known: dict[Address, Bound] = {}
        self._asked = 0
        self._all_spent: Mapping[Address, int] | None = {} if snapshot is not None and is_empty(snapshot) else None

    def __call__(self, address: Address) -> Bound:
        """Return what was bound under an address."""
        if address not in self._known:
            self._known[address] = _bound(entry.note for entry in self._store.history(address))
        return self._known[address]

    def last_generation(self, address: Address) -> int:
        """Return the number of the last generation that was recorded of an address; 0 where none was."""
        if self._all_spent is None and self._asked == SINGLY and self._store.capabilities.shared:
            self._all_spent = self._spent_by_all()
        if self._all_spent is not None:
            return self._all_spent.get(address, 0)
        self._asked = min(self._asked + 1, SINGLY)
        numbers = (_spent(entry.note) for entry in self._store.history(address))
        return next((number for number in numbers if isinstance(number, int)), 0)

    def _spent_by_all(self) -> Mapping[Address, int]:
        found: dict[Address, int] = {}
        for entry in self._store.history():
            number = _spent(entry.note)
            if isinstance(number, int):
                found.setdefault(entry.note.address, number)
        return found

    def everything(self) -> Mapping[Address, Bound]:
        """Return what was bound under each address that was ever recorded."""
        notes: defaultdict[Address, list[Note]] = defaultdict(list)
        for entry in self._store.history():
            if entry.note.what in _TELLING:
                notes[entry.note.address].append(entry.note)
        return {address: _bound(those) for address, those in notes.items()}


_TELLING = frozenset({"intended", "bound", "adopted"})
_OF_RESULTS = frozenset({"intended", "adopted", "ended", "accepted", "rejudged", "moved", "forgotten", PRUNED})


def _spent(note: Note) -> object:
    """Return the last number of a generation that an address had, where a note tells it.

    What is forgotten names the generation of its result beside it, which may be an older one.
    """
    return note.data.get("spent", note.data.get("generation") if note.what != "forgotten" else None)


def _bound(notes: Iterable[Note]) -> Bound:
    """Return the runs that some notes name, and the nonces of the attempts that became them."""
    runs: dict[tuple[object, object], str] = {}
    nonces: dict[tuple[object, object], str] = {}
    named: set[str] = set()
    for note in notes:
        which = (note.data.get("generation"), note.data.get("attempt"))
        if note.what in {"bound", "adopted"}:
            runs[which] = str(note.data.get("run"))
            named.add(runs[which])
        elif note.what == "intended":
            nonces[which] = str(note.data.get("nonce"))
    by_nonce = {nonce: runs[which] for which, nonce in nonces.items() if which in runs}
    return Bound(runs=frozenset(named), by_nonce=by_nonce)
