"""A `--var-file` → the values that it gives to variables, each with its place. Checks none of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.locating import shown
from taskspec.documents.model import NOT_A_DOCUMENT, GivenValue
from taskspec.documents.parsing import parse
from taskspec.documents.reading import read

_DOTENV_NAMES: Final = re.compile(r"(?:\.env|.*\.env|\.env\..*)")
_DOTENV_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_UNQUOTED: Final = re.compile(r"\s+#.*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppliedFile:
    """The values of one `--var-file`; those of a `.env` file are texts, to be read by the declared type."""

    name: str
    values: Mapping[str, GivenValue] = field(default_factory=dict, repr=False)
    as_texts: bool = False


def read_values(path: Path) -> tuple[SuppliedFile, tuple[Diagnostic, ...]]:
    """Read a `--var-file`: YAML, JSON, or lines `NAME=value` of a `.env` file; and everything that is wrong with it."""
    name = shown(path)
    content = read(path)
    if isinstance(content, Diagnostic):
        hint = "Check the path that is given with --var-file."
        place = Position(file="--var-file", line=0, column=0)
        return SuppliedFile(name=name), (replace(content, summary="Variable file", hint=hint, position=place),)
    if _DOTENV_NAMES.fullmatch(path.name):
        return _dotenv(content, name)
    if path.suffix not in {".yaml", ".yml", ".json"}:
        return SuppliedFile(name=name), (
            _wrong(name, "A file of variables ends in .yaml, .yml, .json or .env.", "Rename the file."),
        )
    parsed = parse(content, name)
    if parsed.diagnostics or not parsed.documents:
        return SuppliedFile(name=name), tuple(_of_values(wrong) for wrong in parsed.diagnostics)
    if len(parsed.documents) > 1:
        position = parsed.documents[1].position()
        return SuppliedFile(name=name), (
            Diagnostic(
                summary="Variable file",
                detail="A file of variables is one single mapping.",
                hint="Remove the line `---`, and what stands behind it.",
                position=position,
            ),
        )
    (document,) = parsed.documents
    values = {
        key: GivenValue(value, document.position((key,), key=True), document.position((key,)))
        for key, value in document.value.items()
    }
    return SuppliedFile(name=name, values=values), ()


def _of_values(wrong: Diagnostic) -> Diagnostic:
    """Return a finding of the reader of documents with the way out for a file of variables."""
    if wrong.summary != NOT_A_DOCUMENT:
        return wrong
    detail = "A file of variables is one mapping of names to values."
    return replace(wrong, summary="Variable file", detail=detail, hint="Write `NAME: value`, without a `-`.")


def _wrong(file: str, detail: str, hint: str, line: int = 1, column: int = 1) -> Diagnostic:
    position = Position(file=file, line=line, column=column)
    return Diagnostic(summary="Variable file", detail=detail, hint=hint, position=position)


def _dotenv(content: bytes, name: str) -> tuple[SuppliedFile, tuple[Diagnostic, ...]]:
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return SuppliedFile(name=name), (_wrong(name, "The file is not in UTF-8.", "Save it as UTF-8."),)
    values: dict[str, GivenValue] = {}
    found: list[Diagnostic] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = _DOTENV_LINE.fullmatch(line)
        text = None if matched is None else _unquoted(matched[2])
        if matched is None or text is None:
            detail = "The line is not of the form NAME=value."
            wrong = _wrong(name, detail, "Write, for example, region=emea.", number)
            if matched is not None:
                said = "A text in quotes is not closed, or goes on behind its end."
                wrong = _wrong(name, said, "Write NAME='value'.", number, matched.start(2) + 1)
            found.append(wrong)
            continue
        position = Position(file=name, line=number, column=matched.start(1) + 1)
        if matched[1] in values:
            first = values[matched[1]].position.line
            detail = f"`{matched[1]}` is given twice; the first is at line {first}."
            found.append(_wrong(name, detail, "Remove one of the two.", number, position.column))
        values[matched[1]] = GivenValue(text, position, replace(position, column=matched.start(2) + 1))
    return SuppliedFile(name=name, values=values, as_texts=True), tuple(found)


def _unquoted(text: str) -> str | None:
    """Return a value as it is meant: what quotes hold, else up to a comment; None where a quote is not closed."""
    if text[:1] == "'":
        closed = re.fullmatch(r"'([^']*)'(?:\s+#.*)?", text)
        return closed[1] if closed else None
    if text[:1] == '"':
        closed = re.fullmatch(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?', text)
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), closed[1]) if closed else None
    return _UNQUOTED.sub("", text)
