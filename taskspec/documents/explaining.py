"""What a YAML parser complains of, in words for the author. Parses nothing itself."""

import re
from dataclasses import dataclass
from typing import Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.model import UNREADABLE

UNQUOTED: Final = "Unquoted template"
_UNQUOTED: Final = re.compile(r"(?:^|[-:,\[]\s)\s*(?P<text>\{[{%#].*?)\s*$")
_NOT_TEXT: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_INVISIBLE: Final = re.compile("[\u00a0\u200b-\u200f\u2060\ufeff]")
_KEY: Final = re.compile(r"\s*[\w-]+")
_MISFIT: Final = "This line does not fit what stands above it."
_AT_ITS_BEGIN: Final = ("find expected ':'", "alphabetic or numeric character")
"""Complaints whose cause is where the thing begins, and not where the parser gave up."""

_SAYS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "mapping values are not allowed",
        "A `:` stands where no key can be.",
        "Put the text in quotes, or mend the indentation.",
    ),
    ("entries are not allowed", "A `-` stands where no list can begin.", "Begin the list on a line of its own."),
    (
        "find expected ':'",
        "A key has no `:`.",
        "Write `key: value`, with a space after the colon; or indent the line, if it belongs to the text above.",
    ),
    (
        "find expected key",
        "This does not fit what stands above it.",
        "Mend the indentation, or put the text in quotes.",
    ),
    ("<block end>", "This does not fit what stands above it.", "Mend the indentation, or put the text in quotes."),
    ("expected '-' indicator", "A list item must begin with `-`.", "Mend the indentation, or put the text in quotes."),
    (
        "unknown escape character",
        "A `\\` is followed by a letter that means nothing.",
        "Write `\\\\`, or use single quotes.",
    ),
    ("hexdecimal", "A `\\` in double quotes begins an escape.", "Write `\\\\`, or use single quotes."),
    ("hexadecimal", "A `\\` in double quotes begins an escape.", "Write `\\\\`, or use single quotes."),
    ("mapping keys are not allowed", "No value can begin with `? `.", "Put the text in quotes."),
    ("line break", "A text follows `|` or `>` on the same line.", "Begin it on the next line, indented."),
    ("escape code", "An escape names a character that does not exist.", "Write the character itself."),
    ("incompatible YAML", "The file says that it is in another version of YAML.", "Remove the line with `%YAML`."),
    ("tag handle", "Tags are not supported.", "Remove the word that begins with `!`."),
    ("alphabetic or numeric character", "`&` and `*` begin an anchor or an alias.", "Put the text in quotes."),
    ("<document start>", "A document ends here, and something follows it.", "Separate documents by a line `---`."),
    ("node content", "A value is missing here.", "Write a value, or put the text in quotes."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """What the parser said, and where: `at` and the place where it `began`, as line and column from 0."""

    problem: str
    at: tuple[int, int]
    began: tuple[int, int]
    text: "TextBefore | None" = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBefore:
    """The last text that the parser took before it complained: its style (a quote, `|`, `>`, or nothing) and lines."""

    style: str
    value: str
    start: tuple[int, int]
    end: tuple[int, int]


def explain(complaint: Complaint, text: str, file: str) -> Diagnostic:
    """Say what is wrong with a text that the parser refused."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    template = _unquoted_template(lines, complaint)
    if template is not None and not (template[0] == complaint.at[0] and _block(complaint, lines, *complaint.at)):
        return unquoted_template(template[2], Position(file=file, line=template[0] + 1, column=template[1] + 1))
    line, column = complaint.began if any(sign in complaint.problem for sign in _AT_ITS_BEGIN) else complaint.at
    written = lines[line] if line < len(lines) else ""
    for cause in (_conflict, _unclosed, _separator, _block):
        found = cause(complaint, lines, line, column)
        if found is not None:
            (line, column), detail, hint = found
            position = Position(file=file, line=line + 1, column=column + 1)
            return Diagnostic(summary=UNREADABLE, detail=detail, hint=hint, position=position)
    detail, hint = _words(complaint.problem, written[:column], written[column:])
    if detail == _MISFIT:
        column = len(written) - len(written.lstrip())
    position = Position(file=file, line=line + 1, column=column + 1)
    if unseen := _INVISIBLE.search("".join(lines[max(line - 1, 0) : line + 1])):
        detail += f" An invisible character (U+{ord(unseen[0]):04X}) stands here or in the line above."
    return Diagnostic(summary=UNREADABLE, detail=detail, hint=hint, position=position)


def unquoted_template(written: str, position: Position) -> Diagnostic:
    """Say that `{{ … }}` is a mapping to YAML, and how to write it."""
    example = written if '"' not in written else written.replace('"', "'")
    return Diagnostic(
        summary=UNQUOTED,
        detail="A value that begins with `{` is a mapping to YAML, not a template.",
        hint=f'Write it in quotes: "{example}"',
        position=position,
    )


def unreadable_character(text: str, file: str) -> Diagnostic:
    """Say where a text holds a character that YAML does not allow."""
    found = _NOT_TEXT.search(text)
    index = found.start() if found else 0
    line = text.count("\n", 0, index) + 1
    column = index - (text.rfind("\n", 0, index) + 1) + 1
    return Diagnostic(
        summary=UNREADABLE,
        detail=f"The character U+{ord(text[index]) if found else 0:04X} cannot stand in a YAML file.",
        hint="Remove it; in a double-quoted text it can be written as an escape.",
        position=Position(file=file, line=line, column=column),
    )


def _words(problem: str, before: str, rest: str) -> tuple[str, str]:
    first = rest[:1]
    if "find expected ':'" in problem and first == "-":
        return "A `-` without a space begins a text.", "Write `- item` in a list, and `---` between documents."
    if ("find expected key" in problem or "<block end>" in problem) and before.rstrip()[-1:] in {"'", '"'}:
        return (
            "A text goes on after its closing quote, or a quote further up lacks its end.",
            "Within '…' write '' for a quote, within \"…\" write \\\".",
        )
    if "mapping values are not allowed" in problem and _KEY.fullmatch(before):
        return _MISFIT, "Mend the indentation; or the key in the line above lacks its `: `."
    if before.rstrip()[-1:] in {"]", "}"} and first not in {"", "]", "}", ","}:
        return "A text goes on after a list or a mapping.", "Put the whole text in quotes."
    if first and first in "]}":
        return f"This `{first}` closes nothing.", "Remove it, or put the text in quotes."
    if not before.strip() and ("find expected key" in problem or "<block end>" in problem):
        return (
            "The indentation of this line is not that of the lines that it belongs with.",
            "Indent it exactly like them, or put the text in quotes.",
        )
    if first == "`":
        return "No value can begin with a backtick.", "Put the text in quotes."
    if first == "\t" or "tab character" in problem:
        return "A tab stands where YAML allows only spaces.", "Indent with spaces."
    if "cannot start any token" in problem:
        return f"No value can begin with `{first}`.", "Put the text in quotes."
    for sign, detail, hint in _SAYS:
        if sign in problem:
            return detail, hint
    return f"The YAML parser says: {problem}.", "Put texts with special characters in quotes."


_Found = tuple[tuple[int, int], str, str] | None
_MARKS: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_CLOSING: Final = {"{": "}", "[": "]"}


def _conflict(_complaint: Complaint, lines: list[str], line: int, _column: int) -> _Found:
    if line >= len(lines) or not lines[line].startswith(_MARKS):
        return None
    return (line, 0), "A merge conflict is not resolved.", "Choose one of the two sides, and remove the marks."


def _unclosed(complaint: Complaint, lines: list[str], line: int, column: int) -> _Found:
    """Find what lacks its end where it begins; a comma that is missing in between, where it is missing."""
    problem, began, before = complaint.problem, complaint.began, complaint.text
    if "unexpected end of stream" in problem or "unexpected document indicator" in problem:
        return began, "This quoted text is not closed.", "Close it with the quote that it begins with."
    opening = lines[began[0]][began[1] : began[1] + 1] if began[0] < len(lines) else ""
    if ("',' or '}'" in problem or "',' or ']'" in problem) and opening in _CLOSING:
        closing = _CLOSING[opening]
        rest = lines[line][column:] if line < len(lines) else ""
        if rest[:1] and rest[:1] in "]}":
            said = f"The `{opening}` at {_at(began)} is closed by a `{rest[:1]}`."
            return (line, column), said, f"Write `{closing}`."
        left = "".join(lines[line:]).strip() == "" or _indentation(lines[line]) <= _indentation(lines[began[0]])
        if left and line != began[0]:
            return began, f"This `{opening}` is not closed.", f"Write a `{closing}` where it ends."
        said = f"A comma is missing before this, or the `{opening}` at {_at(began)} is not closed."
        return (
            (line, column),
            said,
            f"Separate by commas, as in `{'{a: 1, b: 2}' if closing == '}' else '[one, two]'}`.",
        )
    if before is not None and before.style in {"'", '"'} and before.start[0] < before.end[0] == line:
        said = f"This quoted text goes on to the quote at {_at((before.end[0], before.end[1] - 1))}."
        return before.start, said, "Close it with the quote that it begins with; write a quote within '…' as ''."
    return None


def _separator(_complaint: Complaint, lines: list[str], line: int, _column: int) -> _Found:
    written = lines[line] if line < len(lines) else ""
    if written.strip() != "---" or written.startswith("---"):
        return None
    place = line, _indentation(written)
    return place, "The `---` between documents does not begin its line.", "Remove the blanks in front of it."


def _block(complaint: Complaint, lines: list[str], line: int, _column: int) -> _Found:
    """Find a line that was meant to belong to the block text above, and is not indented like it."""
    block = complaint.text
    if block is None or block.style not in {"|", ">"} or line >= len(lines) or "\t" in lines[line][:1]:
        return None
    indentation = _indentation(lines[line])
    if not block.value.strip() and "find expected ':'" in complaint.problem:
        said = f"The text after the `{block.style}` at {_at(block.start)} is empty: this line is not indented below it."
        return (line, indentation), said, "Indent the lines of the text deeper than their key."
    if block.value.strip() and indentation > _indentation(lines[block.start[0]]):
        said = f"This line is indented less than the first line of the text after `{block.style}`, which ends here."
        return (line, indentation), said, "Indent all lines of the text at least as far as its first one."
    return None


def _at(place: tuple[int, int]) -> str:
    return f"line {place[0] + 1}, column {place[1] + 1}"


def _indentation(written: str) -> int:
    return len(written) - len(written.lstrip(" "))


def _unquoted_template(lines: list[str], complaint: Complaint) -> tuple[int, int, str] | None:
    """Find the `{{ x }} text` that the parser gave up at: on its line, or where the flow mapping began."""
    for line in dict.fromkeys((complaint.at[0], complaint.began[0])):
        found = _UNQUOTED.search(lines[line]) if line < len(lines) else None
        if found is not None:
            return line, found.start("text"), found["text"]
    return None
