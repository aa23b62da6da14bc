"""Where a fault of a template stands in its file, whatever the style of the YAML around it. Tells no mistake itself.

A document knows where each text begins. For what is within a text, the lines of the file are read once more: a folded
or quoted text has other lines than its value. Where they cannot be read, the place is that of a literal block.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from taskspec.desired.scope import WrongTemplateError
from taskspec.diagnostics import Position
from taskspec.documents.model import Source

_TAG: Final = re.compile(r"\{#.*?(?:#\}|\Z)|\{([{%]).*?(?:[}%]\}|\Z)", re.DOTALL)
_BEFORE: Final = re.compile(r"(?:[&!][^\s]*\s+)*")
_BLOCK: Final = re.compile(r"[|>][^\n]*\n")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|(?s:.))")
_BLANK_ESCAPES: Final = frozenset({r"\n", r"\t", r"\r", r"\ ", "\\\n", r"\N", r"\_", r"\L", r"\P", r"\v", r"\f"})


def place(text: str, fault: WrongTemplateError) -> tuple[int, int]:
    """Return line and column, within the text of a file, of what a fault in it is about."""
    offset = _offset(text, fault.line, fault.name) if fault.offset is None else fault.offset
    return _line_and_column(text, offset)


class Pinpointer:
    """Tells the places of faults; reads each file once."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}

    def position(self, source: Source, path: Sequence[str | int], text: str, fault: WrongTemplateError) -> Position:
        """Return where the fault stands, in the text at a path; for one in an included file, where that is included."""
        offset = fault.entry_offset
        if offset is None:
            offset = _offset(text, fault.entry_line) if fault.file else _offset(text, fault.line, fault.name)
        return self.at(source, path, text, offset)

    def at(self, source: Source, path: Sequence[str | int], text: str, offset: int) -> Position:
        """Return where a character of the text at a path stands."""
        line, column = _line_and_column(text, offset)
        start = source.position(path)
        written = self._written(start.file)
        begin = _index(written, start.line, start.column)
        found = _in_file(written, begin, text, offset)
        if found is None:
            return source.text_position(path, line, column)
        line, column = _line_and_column(written, found)
        return Position(file=start.file, line=line, column=column)

    def _written(self, file: str) -> str:
        found = self._files.get(file)
        if found is None:
            try:
                found = Path(file).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            except (OSError, UnicodeDecodeError, ValueError):
                found = ""
            self._files[file] = found
        return found


def _offset(text: str, line: int, name: str = "") -> int:
    """Return where in a text the tag is, or the name in it, of which the engine told the line."""
    start = _index(text, line, 1)
    tags = [tag.span() for tag in _TAG.finditer(text) if tag[1] and tag.end() > start]
    if not tags:
        return start
    for words in dict.fromkeys((name, name.rpartition(".")[2])) if name else ():
        word = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
        for begin, end in tags:
            found = word.search(text, max(begin, start), end)
            if found:
                return _with_holders(text, found.start(), begin)
    begin = tags[0][0]
    return begin if begin >= start else start + len(text[start:]) - len(text[start:].lstrip())


def _with_holders(text: str, offset: int, least: int) -> int:
    """Return where the dotted name begins whose last part is at an offset."""
    begin = offset
    while begin > least and (text[begin - 1] == "." or text[begin - 1] == "_" or text[begin - 1].isalnum()):
        begin -= 1
    return begin if text[begin] != "." else offset


def _index(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return len(text)
    return start + column - 1


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _in_file(written: str, begin: int, text: str, offset: int) -> int | None:
    """Return where in a file a character of a text is written; None where the file does not have that text there.

    White space may be written in many ways, and says nothing; everything else is followed character by character.
    """
    start = _BEFORE.match(written, begin)
    index = start.end() if start else begin
    quote = written[index : index + 1]
    block = _BLOCK.match(written, index)
    if block:
        index, quote = block.end(), ""
    elif quote in {'"', "'"}:
        index += 1
    else:
        quote = ""
    for character in text[:offset]:
        if not character.isspace():
            found = _next(written, index, quote, character)
            if found is None:
                return None
            index = found[1]
    wanted = text[offset : offset + 1]
    last = _next(written, index, quote, wanted) if wanted.strip() else None
    return last[0] if last else None


def _next(written: str, index: int, quote: str, wanted: str) -> tuple[int, int] | None:
    """Return where a character is written from an index on, and where the next begins."""
    while index < len(written):
        character = written[index]
        if character.isspace():
            index += 1
        elif quote == '"' and character == "\\":
            escape = _ESCAPE.match(written, index)
            if escape is None:
                return None
            if escape[0] not in _BLANK_ESCAPES:
                return index, escape.end()
            index = escape.end()
        elif character != wanted:
            return None
        else:
            return index, index + (2 if quote == "'" and character == "'" else 1)
    return None
