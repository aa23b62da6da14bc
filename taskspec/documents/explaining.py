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
    ("',' or '}'", "A mapping in braces is not closed, or lacks a comma.", "Write `{key: value, key: value}`."),
    ("',' or ']'", "A list in brackets is not closed, or lacks a comma.", "Write `[one, two]`."),
    ("unexpected end of stream", "A quoted text is not closed.", "Close it with the quote that it begins with."),
    ("unexpected document indicator", "A quoted text is not closed.", "Close it with the quote that it begins with."),
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


def explain(complaint: Complaint, text: str, file: str) -> Diagnostic:
    """Say what is wrong with a text that the parser refused."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    template = _unquoted_template(lines, complaint)
    if template is not None:
        return unquoted_template(template[2], Position(file=file, line=template[0] + 1, column=template[1] + 1))
    line, column = complaint.began if any(sign in complaint.problem for sign in _AT_ITS_BEGIN) else complaint.at
    written = lines[line] if line < len(lines) else ""
    detail, hint = _words(complaint.problem, written[:column], written[column:])
    if detail == _MISFIT:
        column = len(written) - len(written.lstrip())
    position = Position(file=file, line=line + 1, column=column + 1)
    if unseen := _INVISIBLE.search("".join(lines[max(line - 1, 0) : line + 1])):
        detail += f" An invisible character (U+{ord(unseen[0]):04X}) stands here or in the line above."
    if complaint.began[0] != line and "not closed" in detail:
        detail += f" It begins at line {complaint.began[0] + 1}."
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
    if rest.startswith(("<<<<<<<", ">>>>>>>")):
        return "A merge conflict is not resolved.", "Choose one of the two sides, and remove the marks."
    if "find expected ':'" in problem and first == "-":
        return "A `-` without a space begins a text.", "Write `- item` in a list, and `---` between documents."
    if ("find expected key" in problem or "<block end>" in problem) and before[-1:] in {"'", '"'}:
        return (
            "A text goes on after its closing quote, or a quote further up lacks its end.",
            "Within '…' write '' for a quote, within \"…\" write \\\".",
        )
    if "mapping values are not allowed" in problem and _KEY.fullmatch(before):
        return _MISFIT, "Mend the indentation; or the key in the line above lacks its `: `."
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


def _unquoted_template(lines: list[str], complaint: Complaint) -> tuple[int, int, str] | None:
    """Find the `{{ x }} text` that the parser gave up at: on its line, or where the flow mapping began."""
    for line in dict.fromkeys((complaint.at[0], complaint.began[0])):
        found = _UNQUOTED.search(lines[line]) if line < len(lines) else None
        if found is not None:
            return line, found.start("text"), found["text"]
    return None
