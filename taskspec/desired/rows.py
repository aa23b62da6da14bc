"""The text of a file of items → the line at which each item stands, and each of its fields. Opens no file.

It is parsed once more, as the places are asked for only where something has changed. What cannot be told has no line.
"""

import csv
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, Final, NamedTuple

from taskspec.desired.expanding import value_text
from taskspec.documents.model import Document, Source
from taskspec.documents.parsing import parse

ANY: Final = "…"
"""Stands in a row for the cells that may hold anything."""
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")


class Row(NamedTuple):
    """Where an item of a file begins, and each field of it."""

    line: int
    fields: Mapping[str, int]

    def of(self, name: str) -> int:
        """Return the line of the field that a dotted name leads into; that of the item where it is no field's."""
        named = [field for field in self.fields if name == field or name.startswith(f"{field}.")]
        return self.fields[max(named, key=len)] if named else self.line


def rows_of(text: str, file: str, named_by: str | None) -> Mapping[str, Row]:
    """Return the rows of a file by the name of each item; nothing for a file that cannot be read."""
    text = text.removeprefix("\ufeff")
    try:
        items = list(_items(text, file))
    except (ValueError, LookupError, RecursionError, csv.Error):
        return {}
    return {_name(key, value, named_by): row for key, value, row in items}


def table_row(text: str, named_by: str, name: str) -> str:
    """Return how a row of a CSV file begins, as far as its name tells it: `…,fr,…`; nothing without its column."""
    header = next(csv.reader([text.removeprefix("\ufeff").partition("\n")[0].rstrip("\r")]), [])
    if named_by not in header:
        return ""
    index, written = header.index(named_by), StringIO()
    rest = [ANY] if index + 1 < len(header) else []
    csv.writer(written, lineterminator="").writerow([*[ANY] * index, name, *rest])
    return written.getvalue() if len(header) > 1 else f"- {name}"


def _items(text: str, file: str) -> Iterator[tuple[str | None, Any, Row]]:
    """Yield key (in a map), value and row of each item."""
    if file.endswith(".csv"):
        yield from _of_csv(text)
    elif file.endswith(".json"):
        lines = _Lines(text)
        for key, value, begin, at in _members(text, _skip(text, 0)):
            inside = {str(name): lines.of(place) for name, _, place, _ in _members(text, begin)}
            yield key, value, Row(lines.of(at), inside if isinstance(value, Mapping) else {})
    else:
        document = parse(text.encode(), file, mappings_only=False).documents[0]
        held: Any = document.value
        named = held.items() if isinstance(held, Mapping) else enumerate(held)
        for step, value in named:
            fields = value if isinstance(value, Mapping) else ()
            inside = {str(name): line_at(document, (step, name)) for name in fields}
            line = document.position((step,), key=isinstance(step, str)).line
            yield step if isinstance(step, str) else None, value, Row(line, inside)


def line_at(written: Document | Source, path: tuple[str | int, ...]) -> int:
    """Return the line of a field: that of its name, but that of the anchor where another place gives its value."""
    return min(written.position(path).line, written.position(path, key=True).line)


def _of_csv(text: str) -> Iterator[tuple[None, Mapping[str, str], Row]]:
    if _LONE_RETURN.search(text):
        return
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    header, before = next(reader, []), reader.line_num
    for cells in reader:
        line, fields = before + 1, {}
        before = reader.line_num
        for name, cell in zip(header, cells, strict=False):
            fields[name] = line
            line += cell.count("\n")
        if cells:
            yield None, dict(zip(header, cells, strict=False)), Row(min(fields.values()), fields)


def _members(text: str, at: int) -> Iterator[tuple[str | None, Any, int, int]]:
    """Yield key, value, where that begins, and where the member begins, of what a JSON text holds at a place."""
    closing = {"[": "]", "{": "}"}.get(text[at : at + 1])
    if closing is None:
        return
    decoder = json.JSONDecoder()
    at = _skip(text, at + 1)
    while text[at] != closing:
        key, member = None, at
        if closing == "}":
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, end = decoder.raw_decode(text, at)
        yield key, value, at, member
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


class _Lines:
    """Tells the line of a character."""

    def __init__(self, text: str) -> None:
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def of(self, at: int) -> int:
        return bisect_right(self._ends, at - 1) + 1 if at else 1


def _name(key: str | None, value: Any, named_by: str | None) -> str:
    if key is not None:
        return key
    return value_text(value[named_by] if isinstance(value, Mapping) and named_by is not None else value)
