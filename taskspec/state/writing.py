"""A state → the text of its document, piece by piece: equal states give equal bytes. Reads no store, writes no file."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from taskspec.state.encoding import FORMAT, note_object, record_object
from taskspec.state.model import HistoryEntry, Record, Snapshot

DOCUMENT: Final = 1
"""The number of the document's own format; the records in it have theirs."""

_JSON: Final = json.JSONEncoder(allow_nan=False, separators=(", ", ": "), sort_keys=True)


def pieces(
    snapshot: Snapshot,
    project: str,
    environment: str,
    history: Iterable[HistoryEntry],
    results: Iterable[tuple[str, str]] | None,
) -> Iterator[str]:
    """Yield the text of a document, which fits schemas/state.v1.json: one record, entry or result a line.

    `history` newest first; `results` with their digests, in the order of these; None leaves them out.
    """
    head = {
        "format": DOCUMENT,
        "recordFormat": FORMAT,
        "project": project,
        "environment": environment,
        "lineage": snapshot.lineage,
        "serial": snapshot.serial,
        "head": snapshot.head,
    }
    yield "{\n" + "".join(f'  "{name}": {_JSON.encode(value)},\n' for name, value in head.items())
    yield from _lines("records", "[]", (_JSON.encode(record_object(one)) for one in _sorted(snapshot)))
    yield ",\n"
    yield from _lines("history", "[]", (_JSON.encode(entry_object(entry)) for entry in history))
    yield ",\n"
    if results is None:
        yield '  "results": null'
    else:
        named = (f"{_JSON.encode(digest)}: {_JSON.encode(content)}" for digest, content in results)
        yield from _lines("results", "{}", named)
    yield "\n}\n"


def entry_object(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry of the history as an object of JSON."""
    return {"serial": entry.serial, "hash": entry.hash, **note_object(entry.note)}


def _lines(name: str, brackets: str, items: Iterable[str]) -> Iterator[str]:
    yield f'  "{name}": {brackets[0]}'
    between, end = "\n    ", ""
    for item in items:
        yield between + item
        between, end = ",\n    ", "\n  "
    yield end + brackets[1]


def _sorted(snapshot: Snapshot) -> Iterator[Record]:
    return (snapshot.records[address] for address in sorted(snapshot.records))
