"""A template → the same template with each word on a line of its own, so that a line tells a word. Renders nothing.

The engine tells no more of a place than its line. White space within tags means nothing, so both texts give the same.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from jinja2 import TemplateSyntaxError

Lexed = Callable[[str], Iterable[tuple[int, str, str]]]
"""The engine's lexer: a text → line, kind and characters of each word."""

_BEGINS: Final = {"variable_begin": "}}", "block_begin": "%}"}
_ENDS: Final = frozenset({"variable_end", "block_end"})
_ALONE: Final = {"comment_begin": "{#", "raw_begin": "{% raw %}"}
_BLOCKS: Final = frozenset({"for", "if", "macro", "call", "filter", "set", "with"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word of a tag: where it begins in the text, what it is, and its characters."""

    offset: int
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A spread text, and the way back to the original one."""

    text: str
    words: tuple[Word, ...]
    unclosed: Word | None
    """What begins a tag or comment and has no end."""
    open_blocks: tuple[Word, ...]
    """The names of the blocks that have no end, the innermost last."""
    nested: Word | None
    """The first `{{` that stands within a tag."""
    _starts: tuple[int, ...] = field(repr=False)
    _original: str = field(repr=False)

    def offset(self, line: int) -> int:
        """Return where, in the original text, a line of the spread one begins."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]

    def line(self, offset: int) -> int:
        """Return the line of the original text that an offset is in."""
        return self._original.count("\n", 0, offset) + 1

    def first(self, name: str) -> int | None:
        """Return where a single name stands first in any tag."""
        return next((word.offset for word in self.words if word.kind == "name" and word.text == name), None)

    def before(self, name: str, offset: int) -> int:
        """Return where a name stands last up to an offset; the offset itself where it does not."""
        found = (w.offset for w in self._backwards(offset) if w.kind == "name" and w.text == name)
        return next(found, offset)

    def named(self, name: str, offset: int) -> int | None:
        """Return where a dotted name stands in the tag that holds an offset; of several, the first."""
        steps = name.split(".")
        begin = next((w.offset for w in self._backwards(offset) if w.kind in _BEGINS), 0)
        tag: list[Word] = []
        for word in self.words[bisect_right(self.words, begin - 1, key=lambda w: w.offset) :]:
            tag.append(word)
            if word.kind in _ENDS:
                break
        found = next((w.offset for i, w in enumerate(tag) if _follows(tag[i:], steps)), None)
        if found is None and len(steps) > 1:
            quoted = (w.offset + 1 for w in tag if w.kind == "string" and w.text[1:-1] == steps[-1])
            return next(quoted, None)
        return found

    def _backwards(self, offset: int) -> Iterator[Word]:
        """Yield the words that begin up to an offset, the last of them first."""
        index = bisect_right(self.words, offset, key=lambda w: w.offset)
        while index:
            index -= 1
            yield self.words[index]


def spread(text: str, lexed: Lexed) -> Spread:
    """Return a text spread; of one that is no template, as far as its words go."""
    work = _Work(text)
    if "\r" not in text:
        try:
            for _, kind, value in lexed(text):
                work.take(kind, value)
        except TemplateSyntaxError:
            work.is_broken = True
    return work.done()


class _Work:
    def __init__(self, text: str) -> None:
        self.is_broken = False
        self._text = text
        self._out: list[str] = []
        self._starts = [0]
        self._at = 0
        self._words: list[Word] = []
        self._begin: Word | None = None
        self._blocks: list[Word] = []
        self._nested: Word | None = None

    def take(self, kind: str, value: str) -> None:
        at = self._text.find(value, self._at)
        if at < 0:
            return
        self._copy(at)
        word = Word(offset=at, kind=kind, text=value)
        if self._begin is not None and self._begin.kind in _BEGINS and kind != "whitespace":
            self._break()
            self._meet(word, self._words[-1])
        if kind != "whitespace" and (self._begin is not None or kind in _BEGINS):
            self._words.append(word)
        self._copy(at + len(value))
        if kind in _BEGINS or kind in _ALONE:
            self._begin = word
        elif kind in _ENDS or kind in {"comment_end", "raw_end"}:
            self._begin = None

    def done(self) -> Spread:
        """Copy what is left, and tell what has no end."""
        begin = self._begin
        if begin is not None and begin.kind in _BEGINS:
            self._break()
            if self.is_broken and self._is_closed(begin):
                begin = None
        self._copy(len(self._text))
        return Spread(
            text="".join(self._out),
            words=tuple(self._words),
            unclosed=begin,
            open_blocks=tuple(self._blocks),
            nested=self._nested,
            _starts=tuple(self._starts),
            _original=self._text,
        )

    def _is_closed(self, begin: Word) -> bool:
        end = self._text.find(_BEGINS[begin.kind], begin.offset)
        following = min((i for o in ("{{", "{%") if (i := self._text.find(o, begin.offset + 2)) >= 0), default=-1)
        return end >= 0 and (following < 0 or end < following)

    def _meet(self, word: Word, last: Word) -> None:
        """Take note of what a word of a tag says of blocks: `set x = 1` is none; of braces within a tag too."""
        if last.kind == "block_begin":
            self._block(word)
        elif word.text == "=" and self._blocks and self._blocks[-1].text == "set":
            self._blocks.pop()
        elif word.text == last.text == "{" and word.offset == last.offset + 1:
            self._nested = self._nested or last

    def _block(self, name: Word) -> None:
        if name.text in _BLOCKS:
            self._blocks.append(name)
        elif self._blocks and name.text == f"end{self._blocks[-1].text}":
            self._blocks.pop()

    def _copy(self, end: int) -> None:
        piece = self._text[self._at : end]
        self._out.append(piece)
        self._starts += [self._at + index + 1 for index, character in enumerate(piece) if character == "\n"]
        self._at = end

    def _break(self) -> None:
        self._out.append("\n")
        self._starts.append(self._at)


def _follows(words: list[Word], steps: list[str]) -> bool:
    """Tell whether words begin with a dotted name."""
    if not words or words[0].kind != "name":
        return False
    wanted = [part for step in steps for part in (".", step)][1:]
    return [word.text for word in words[: len(wanted)]] == wanted
