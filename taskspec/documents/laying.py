"""The tokens of a text → its lines, laid out anew: indentation and spaces. Changes no token, and breaks no line.

Every character of the text is part of a token or of a gap between two of them, and gaps hold only white space and
comments. So nothing is rewritten but gaps, and the margins of scalars that go over several lines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from taskspec.documents import tokens as kinds
from taskspec.documents.indenting import flow_lines, reindent
from taskspec.documents.lines import Line, join
from taskspec.documents.tokens import Token

STEP: Final = 2
_BREAK: Final = re.compile("[\x85\u2028\u2029]")
_MARKERS: Final = frozenset({kinds.DIRECTIVE, kinds.DOCUMENT_START, kinds.DOCUMENT_END, kinds.STREAM_END})
_NAMES: Final = frozenset({kinds.ALIAS, kinds.ANCHOR})
_TIGHT: Final = kinds.CLOSING | {kinds.COMMA, kinds.VALUE}
_AWAITING: Final = frozenset({kinds.VALUE, kinds.ENTRY, kinds.KEY, kinds.ANCHOR, kinds.TAG})
"""After these a node may follow, deeper than the block that they stand in."""


class _Level(NamedTuple):
    """A block mapping or list: the column at which it stood, and the one at which it is to stand."""

    old: int
    new: int
    is_list: bool = False
    implied: bool = False
    """A list that stood in the column of its key: no token tells where it begins and ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaidOut:
    """A text in its new form, and its comments in their order."""

    text: str
    comments: tuple[str, ...]


def lay_out(text: str, tokens: Iterable[Token]) -> LaidOut:
    """Return the text in its new form; its line breaks are `\\n`, and `tokens` are its tokens."""
    page = _Page(text)
    for token in tokens:
        if token.kind != kinds.STREAM_START:
            page.take(token)
    return LaidOut(text=join(page.lines, ended=not page.open), comments=tuple(page.comments))


class _Page:
    """One text on its way from tokens to lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: list[Line] = []
        self.comments: list[str] = []
        self.open = False
        self._levels: list[_Level] = []
        self._flows: list[int] = []
        self._line: Line | None = None
        self._code: list[str] = []
        self._waiting: list[Token] = []
        self._last = Token(kinds.STREAM_START, 0, 0, 0)
        self._margin = 0
        self._begun_in_flow = False

    def take(self, token: Token) -> None:
        """Take the next token; those without width wait for the one that they stand before."""
        if token.start == token.end and token.kind != kinds.STREAM_END:
            self._waiting.append(token)
            return
        before = tuple(self._levels)
        own = self._structure(token)
        indent = self._indent(token, own=own)
        self._gap(token, indent, before)
        if token.kind != kinds.STREAM_END:
            self._write(token, indent)
        self._last = token

    def _structure(self, token: Token) -> bool:
        """Open and close blocks before a token; tell whether it stands in the column of its block."""
        own = token.kind in _MARKERS
        for waiting in (*self._waiting, token):
            if self._flows:
                break
            own = self._move(waiting) or own
        self._waiting.clear()
        return own

    def _move(self, token: Token) -> bool:
        levels = self._levels
        match token.kind:
            case kinds.MAPPING | kinds.SEQUENCE:
                levels.append(_Level(token.column, self._deeper(), is_list=token.kind == kinds.SEQUENCE))
            case kinds.BLOCK_END:
                self._end_implied()
                levels.pop()
            case kinds.ENTRY:
                if not (levels and levels[-1].is_list):
                    levels.append(_Level(token.column, self._deeper(), is_list=True, implied=True))
                return True
            case kinds.KEY | kinds.VALUE:
                self._end_implied()
                return True
            case _:
                pass
        return False

    def _end_implied(self) -> None:
        if self._levels and self._levels[-1].implied:
            self._levels.pop()

    def _deeper(self) -> int:
        return self._levels[-1].new + STEP if self._levels else 0

    def _indent(self, token: Token, *, own: bool) -> int:
        """Return the column of a token if it is the first of its line."""
        if self._flows:
            return self._flows[-1] + (0 if token.kind in kinds.CLOSING else STEP)
        if own:
            return self._levels[-1].new if self._levels else 0
        return self._deeper()

    def _gap(self, token: Token, indent: int, before: tuple[_Level, ...]) -> None:
        """Write what stands between the last token and this one: blank lines and comments."""
        gap = _BREAK.sub("\n", self.text[self._last.end : token.start])
        if self._line is not None and "\n" not in gap and token.kind != kinds.STREAM_END:
            self._code.append(_space(self._last, token, gap))
            return
        if self._line is None:
            pieces = gap.split("\n")
        else:
            first, *pieces = gap.split("\n")
            self._remark(first, self._last.end)
            self._end_line()
        if token.kind != kinds.STREAM_END:
            pieces.pop()
        for piece in pieces:
            self._lone(piece, token, indent, before)
        if token.kind == kinds.STREAM_END:
            while self.lines and self.lines[-1].blank:
                self.lines.pop()

    def _lone(self, piece: str, token: Token, indent: int, before: tuple[_Level, ...]) -> None:
        """Write a line without code: a comment, or a blank one where none stands above it."""
        was = piece.find("#")
        if was < 0:
            self._blank()
            return
        comment = piece[was:].rstrip(" \t")
        line = Line(comment=comment, was=was)
        if self._flows:
            line.column = self._flows[-1] + STEP
        elif token.kind != kinds.STREAM_END and (not before or indent > before[-1].new):
            line.column, line.firm = indent, was == token.column
        elif was == token.column and token.kind != kinds.STREAM_END:
            line.column, line.firm = indent, True
        else:
            line.column = self._column(was, before)
        self.lines.append(line)
        self.comments.append(comment)

    def _column(self, was: int, levels: tuple[_Level, ...]) -> int:
        """Return the column of a comment that ends a block: that of the deepest block that began left of it."""
        if not levels:
            return 0
        deepest = levels[-1]
        if was > deepest.old and self._last.kind in _AWAITING:
            return deepest.new + STEP
        fitting = [level for level in levels if level.old <= was]
        return min((level.new for level in fitting if level.old == fitting[-1].old), default=0)

    def _blank(self) -> None:
        if self.lines and not self.lines[-1].blank:
            self.lines.append(Line(blank=True))

    def _remark(self, piece: str, start: int) -> None:
        """Set a comment beside the code of the line."""
        gap = piece.find("#")
        if gap >= 0 and self._line is not None:
            self._line.comment, self._line.gap = piece[gap:].rstrip(" \t"), max(gap, 1)
            self._line.was = start - (self.text.rfind("\n", 0, start) + 1) + gap
            self.comments.append(self._line.comment)

    def _end_line(self) -> None:
        if self._line is not None:
            self._line.code = "".join(self._code)
            self.lines.append(self._line)
            self._line = None

    def _write(self, token: Token, indent: int) -> None:
        if self._line is None:
            self._line, self._code = Line(), [" " * indent]
            self._margin, self._begun_in_flow = indent, bool(self._flows)
        if token.kind in kinds.OPENING:
            self._flows.append(self._base())
        elif token.kind in kinds.CLOSING:
            self._flows.pop()
        text = self.text[token.start : token.end]
        if token.style in {"|", ">"}:
            self._block(token, text)
        elif "\n" in text:
            self._long(token, text)
        else:
            self._code.append(text)

    def _base(self) -> int:
        """Return the column of the closing bracket to a bracket that opens here."""
        if not self._flows:
            return self._deeper()
        return self._margin if self._begun_in_flow else self._flows[-1]

    def _long(self, token: Token, text: str) -> None:
        margin = self._flows[-1] + STEP if self._flows else self._deeper()
        first, *others = flow_lines(text, " " * margin, token.style)
        self._code.append(first)
        for other in others:
            self._end_line()
            self._line, self._code = Line(), [other]

    def _block(self, token: Token, text: str) -> None:
        level = self._levels[-1] if self._levels else _Level(0, -STEP)
        block = reindent(text, level.old, level.new)
        self._code.append(block.header)
        self._remark(block.remark, token.start + len(block.header))
        self._end_line()
        self.lines += [Line(code=content) for content in block.lines]
        if block.blanks:
            self._blank()
        self.open = block.open


def _space(last: Token, token: Token, gap: str) -> str:
    """Return what belongs between two tokens of one line."""
    if last.kind == kinds.TAG or (last.kind in _NAMES and token.kind == kinds.VALUE):
        return gap and " "  # `*a:` is another alias than `*a :`, and `!a,` another tag than `!a ,`
    if last.kind in kinds.OPENING and token.kind != kinds.VALUE:
        return ""
    if last.kind in {kinds.VALUE, kinds.ENTRY, kinds.COMMA}:
        return " "
    return "" if token.kind in _TIGHT else " "
