"""The text of a document → a state that may be kept; whatever is wrong with it is told before anything is written.

Believes nothing: each shape, each digest and the whole chain of the history are checked. Opens no store.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, TypeVar

from taskspec.address import Address, is_address
from taskspec.errors import StateError
from taskspec.jsontext import NotJsonError, is_text, loaded
from taskspec.state.chaining import follow
from taskspec.state.document import StateDocument
from taskspec.state.encoding import FORMAT, note_of, record_of
from taskspec.state.model import Attempt, HistoryEntry, Record, ResultRef
from taskspec.state.shapes import Shape, checked
from taskspec.state.writing import DOCUMENT

LARGEST: Final = 2**52
"""The largest serial: every reader of JSON takes it, and those after it, for the same numbers."""

_DOCUMENT: Final[Shape] = {
    "format": int,
    "recordFormat": int,
    "project": str,
    "environment": str,
    "lineage": str,
    "serial": int,
    "head": str,
    "records": list,
    "history": list,
    "results": (dict, type(None)),
}
_ENTRY: Final[Shape] = {"serial": int, "hash": str, "address": str, "at": (float, int), "what": str, "data": dict}
_LINEAGE: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HINT: Final = "`taskspec state pull` writes such a document; nothing was changed."

_T = TypeVar("_T")


def is_lineage(text: str) -> bool:
    """Tell whether a text has the form of a lineage."""
    return _LINEAGE.fullmatch(text) is not None


def parse(text: str) -> StateDocument:
    """Return the state that a document holds; raise StateError for one that is wrong in any way."""
    try:
        return _document(_loaded(text))
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise StateError(f"This is no state that can be pushed: {told}.", hint=_HINT) from error


def results_of(record: Record) -> Iterator[ResultRef]:
    """Yield the results that a record names."""
    if record.accepted is not None:
        yield record.accepted.result
    yield from (attempt.result for attempt in _attempts_of(record) if attempt.result is not None)


def _attempts_of(record: Record) -> Iterator[Attempt]:
    yield from record.generation.attempts
    if record.accepted is not None:
        yield record.accepted.attempt


def _loaded(text: str) -> Any:
    try:
        return loaded(text)
    except NotJsonError as error:
        raise ValueError(f"it is not JSON ({error})" if error.place else str(error)) from error


def _document(value: Any) -> StateDocument:
    _require_known(value)
    value = checked(value, _DOCUMENT)
    lineage, serial = value["lineage"], value["serial"]
    if not is_lineage(lineage):
        raise ValueError("`lineage` is none")
    _require_serial(serial, LARGEST)
    history = tuple(_each(value["history"], "history", lambda one: _entry(one, serial)))
    _require_chained(history, lineage, value["head"])
    records = _records(value["records"], value["recordFormat"])
    results = None if value["results"] is None else _results(value["results"])
    if results is not None:
        _require_all(records, results)
    return StateDocument(
        lineage=lineage,
        serial=serial,
        head=value["head"],
        project=value["project"],
        environment=value["environment"],
        records=records,
        history=history,
        results=results,
    )


def _require_known(value: Any) -> None:
    """Raise ValueError for what a newer taskspec wrote, before anything else is said of it."""
    if not isinstance(value, dict) or not {"format", "recordFormat", "lineage"} <= value.keys():
        raise ValueError("it is not the document of a state")
    for name, known in (("format", DOCUMENT), ("recordFormat", FORMAT)):
        number = value[name]
        if type(number) is not int or number < 1:
            raise ValueError(f"`{name}` is no number of a format")
        if number > known:
            raise ValueError(
                f"a newer taskspec wrote it (`{name}` is {number}, and this one knows up to {known}): upgrade taskspec"
            )


def _records(values: list[Any], form: int) -> dict[Address, Record]:
    records: dict[Address, Record] = {}
    for record in _each(values, "records", lambda one: record_of(one, form)):
        _require_address(record.address)
        if record.address in records:
            raise ValueError(f"`{record.address}` is recorded twice")
        wrong = next((ref for ref in results_of(record) if not _DIGEST.fullmatch(ref.digest) or ref.size < 0), None)
        if wrong is not None:
            raise ValueError(f"`{record.address}` names a result by what is no digest")
        if not all(is_text(attempt.run or "") for attempt in _attempts_of(record)):
            raise ValueError(f"`{record.address}` names a run by half of a character")
        records[record.address] = record
    return dict(sorted(records.items()))


def _entry(value: Any, serial: int) -> HistoryEntry:
    value = checked(value, _ENTRY)
    _require_serial(value["serial"], serial)
    note = note_of({name: value[name] for name in ("address", "at", "what", "data")})
    if note.address:  # what concerns no single address has none
        _require_address(note.address)
    return HistoryEntry(serial=value["serial"], note=note, hash=value["hash"])


def _require_address(address: str) -> None:
    if not is_address(address) or not is_text(address):
        raise ValueError(f"{json.dumps(address)} is not an address")


def _require_serial(serial: int, most: int) -> None:
    if type(serial) is not int or not 0 <= serial <= most:
        raise ValueError(f"`serial` is not a number from 0 to {most}")


def _require_chained(history: tuple[HistoryEntry, ...], lineage: str, head: str) -> None:
    chain = follow(history, lineage)
    if chain.broken is not None:
        told = f"number {chain.broken.position} from the oldest, of serial {chain.broken.entry.serial}"
        raise ValueError(f"its history was changed: the entry {told} does not follow from those before it")
    if chain.head != head:
        raise ValueError("`head` is not the hash of the newest entry of its history: newer ones were removed")
    if any(later.serial < earlier.serial for later, earlier in pairwise(history)):
        raise ValueError("the serials of its history go down")


def _results(values: dict[str, Any]) -> dict[str, str]:
    for digest, content in values.items():
        if not isinstance(content, str) or not _DIGEST.fullmatch(digest):
            raise ValueError("`results` has to hold texts by their digests")
        try:
            fits = hashlib.sha256(content.encode()).hexdigest() == digest
        except UnicodeEncodeError:
            fits = False
        if not fits:
            raise ValueError(f"the result {digest} does not match its digest")
    return dict(sorted(values.items()))


def _require_all(records: dict[Address, Record], results: dict[str, str]) -> None:
    for record in records.values():
        for ref in results_of(record):
            if ref.digest not in results:
                raise ValueError(f"the result {ref.digest}, which `{record.address}` names, is not in it")
            if len(results[ref.digest].encode()) != ref.size:
                raise ValueError(f"the result {ref.digest} is not as long as `{record.address}` says")


def _each(values: list[Any], name: str, read: Callable[[Any], _T]) -> Iterator[_T]:
    for number, value in enumerate(values):
        try:
            yield read(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{name}[{number}]: {error}") from error
