"""A file of the project → the items of a `forEach`: rows of a CSV file, or what a JSON or YAML file holds.

All values of a CSV file are texts. Names no item.
"""

import csv
import re
from collections.abc import Callable
from io import StringIO
from typing import Any, Final

from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.confining import Remembered, WrongFileError
from taskspec.documents.parsing import parse
from taskspec.jsontext import NotJsonError
from taskspec.jsontext import parse as parse_json

MAX_BYTES: Final = 20_000_000
MAX_ROWS: Final = 100_000
_MAX_VALUES: Final = 1_000_000
_JSON_PARTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{,]', re.DOTALL)
_JSON_HINT: Final = "It must be one JSON value: a list or a map."


class Tables:
    """The items of a project's files, each file read once; raises WrongFileError."""

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._left = MAX_BYTES
        self._known = Remembered(self._read)

    def items(self, entry: str) -> Any:
        """Return what a file holds."""
        return self._known.get(entry)

    def _read(self, entry: str) -> Any:
        reader = next((reader for suffix, reader in _READERS.items() if entry.endswith(suffix)), None)
        if reader is None:
            raise WrongFileError(f"`{entry}` is no file of items.", "Its name must end in .csv, .json, .yaml or .yml.")
        content = self._files.content(entry, MAX_BYTES)
        self._left -= len(content)
        if self._left < 0:
            detail = f"With `{entry}`, the files of items in the project are larger than {MAX_BYTES // 10**6} MB."
            raise WrongFileError(detail, "Split the project.")
        return reader(content, entry)


def _csv(content: bytes, entry: str) -> list[dict[str, str]]:
    reader = csv.reader(StringIO(_text(content, entry), newline=""), strict=True)
    rows: list[dict[str, str]] = []
    try:
        header = next(reader, [])
        if not header or len(set(header)) < len(header) or "" in header:
            raise WrongFileError(
                f"The first line of `{entry}` must name each column once.", "Write, for example, id,name.", (1, 1)
            )
        for row in reader:
            if row and len(row) != len(header):
                raise WrongFileError(
                    f"Line {reader.line_num} of `{entry}` has {len(row)} fields, and the first names {len(header)}.",
                    "Put texts that hold commas in double quotes.",
                    (reader.line_num, 1),
                )
            if len(rows) >= MAX_ROWS:
                raise WrongFileError(f"`{entry}` has more than {MAX_ROWS:,} rows.", "Split it.")
            if row:
                rows.append(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        detail = f"`{entry}` is no CSV file: line {reader.line_num}: {error}."
        raise WrongFileError(detail, "A text with a quote in it stands in quotes.", (reader.line_num, 1)) from error
    return rows


def _json(content: bytes, entry: str) -> Any:
    if not _has_few_values(content):
        raise WrongFileError(f"`{entry}` holds more than {_MAX_VALUES:,} values.", "Split it.")
    try:
        return parse_json(_text(content, entry))
    except NotJsonError as error:
        raise WrongFileError(f"`{entry}` is no JSON file: {error}.", _JSON_HINT, error.place) from error


def _has_few_values(content: bytes) -> bool:
    """Tell whether so many values stand in a JSON text as fit into memory: each behind a comma or a bracket."""
    if sum(map(content.count, (b",", b"[", b"{"))) < _MAX_VALUES:
        return True
    return sum(found[0] in b",[{" for found in _JSON_PARTS.findall(content) if len(found) == 1) < _MAX_VALUES


def _yaml(content: bytes, entry: str) -> Any:
    parsed = parse(content, entry, mappings_only=False)
    if parsed.diagnostics:
        wrong = parsed.diagnostics[0]
        raise WrongFileError(wrong.detail, wrong.hint, (wrong.position.line, wrong.position.column))
    if len(parsed.documents) != 1:
        raise WrongFileError(f"`{entry}` must hold one YAML document, and holds {len(parsed.documents)}.")
    return parsed.documents[0].value


def _text(content: bytes, entry: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongFileError(f"`{entry}` is not in UTF-8.", "Save it as UTF-8.") from error


_READERS: Final[dict[str, Callable[[bytes, str], Any]]] = {".csv": _csv, ".json": _json, ".yaml": _yaml, ".yml": _yaml}
