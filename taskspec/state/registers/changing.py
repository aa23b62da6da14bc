"""What becomes of a page when a lease is taken, renewed, used, given back or taken away. Reads and writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from taskspec.state.chaining import linked, root
from taskspec.state.document import StateDocument
from taskspec.state.encoding import FORMAT, encode_note, encode_record
from taskspec.state.model import DropRecord, DropResult, Holder, Note, PutRecord, PutResult, StateChange
from taskspec.state.registers.pages import HeldLease, Line, Page, without
from taskspec.state.registers.spilling import Added, Grown, new_log, nonce
from taskspec.state.registers.swapping import MovedError, UnansweredError
from taskspec.state.results import dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class Taker:
    """Who takes a lease, and how."""

    holder: Holder
    project: str
    ttl: float
    lock: str | None


def empty(lineage: str, project: str, environment: str) -> Page:
    """Return the page of a state in which nothing was ever kept."""
    return Page(
        number=0,
        write="",
        project=project,
        environment=environment,
        form=FORMAT,
        lineage=lineage,
        serial=0,
        epoch=0,
        head=root(lineage),
        commit=nonce(),
        lease=None,
        taken=None,
        records=new_log(),
        history=new_log(),
        results=new_log(),
    )


def taken(page: Page, taker: Taker, now: float) -> Page:
    """Return a page whose lease is a new one."""
    lease = HeldLease(holder=taker.holder, ttl=taker.ttl, beat=now, lock=taker.lock)
    return _written(
        page,
        project=taker.project,
        epoch=page.epoch + 1,
        lease=lease,
        taken=taker.holder,
        littered=page.littered or page.lease is not None,
    )


def renewed(page: Page, now: float) -> Page:
    """Return a page whose holder has given a sign of life."""
    return _written(page, lease=_beating(page, now))


def released(page: Page, *, clean: bool) -> Page:
    """Return a page whose lease was given back; `clean` where it names all pieces that there are."""
    return _written(page, lease=None, littered=page.littered and not clean)


def displaced(page: Page, by: Holder) -> Page:
    """Return a page whose lease was taken away: its epoch is not the newest any more."""
    return _written(page, epoch=page.epoch + 1, lease=None, taken=by, littered=page.littered or page.lease is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What a commit changes of a page."""

    nonce: str
    serial: int
    head: str
    logs: Grown
    lineage: str
    littered: bool = False

    def on(self, page: Page, waste: Sequence[tuple[str, float]], now: float) -> Page:
        """Return the page after the commit."""
        return _written(
            page,
            lineage=self.lineage,
            serial=self.serial,
            head=self.head,
            commit=self.nonce,
            lease=_beating(page, now),
            records=self.logs.records,
            history=self.logs.history,
            results=self.logs.results,
            waste=tuple(waste),
            littered=page.littered or self.littered,
        )

    def is_in(self, moved: MovedError) -> bool:
        """Tell whether it is in the page that was found; raise UnansweredError where nobody can tell."""
        page = None if moved.found is None else moved.found.page
        if page is None or page.lineage != self.lineage:
            return False
        if page.commit != self.nonce and moved.uncertain and page.serial > self.serial:
            raise UnansweredError("others have written meanwhile")
        return page.commit == self.nonce


def added(changes: Sequence[StateChange], serial: int, head: str) -> tuple[Added, list[PutResult], str]:
    """Return the lines of changes, the results whose texts are to be kept first, and the hash of the last note.

    Of a result that is kept no longer there is a line; of each result, the last change counts.

    Raises ValueError and TypeError for a change that cannot be kept.
    """
    records: list[Line] = []
    history: list[Line] = []
    results: dict[str, PutResult] = {}
    gone = dropped(changes)
    for change in changes:
        match change:
            case PutRecord(record=record):
                records.append((record.address, encode_record(record)))
            case DropRecord(address=address):
                records.append((address, None))
            case PutResult():
                results[change.ref.digest] = change
            case DropResult():
                pass
            case Note():
                head = linked(head, serial, change)
                history.append((serial, change.address, encode_note(change), head))
    lines = Added(records=records, history=history, results=[without(digest) for digest in gone])
    return lines, [one for digest, one in results.items() if digest not in gone], head


def entries_of(document: StateDocument) -> list[Line]:
    """Return the lines of a document's history."""
    return [(one.serial, one.note.address, encode_note(one.note), one.hash) for one in reversed(document.history)]


def _beating(page: Page, now: float) -> HeldLease | None:
    return None if page.lease is None else replace(page.lease, beat=now)


def _written(page: Page, **changed: object) -> Page:
    return replace(page, number=page.number + 1, write=nonce(), **changed)  # type: ignore[arg-type]  # names of its own
