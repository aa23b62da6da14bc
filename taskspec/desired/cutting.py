"""A template cut into pieces that mean by themselves what they mean together, so that each is compiled once.

Thousands of prompts differ in their words, and hold the same few expressions, loops and conditions. Cut is only what is
plain: nothing that sets a name, strips white space or brings in a file; all else is left whole. Renders nothing.
"""

import re
from typing import Final, NamedTuple

MOST_PIECES: Final = 64
AS_TEXT: Final = "{{ '' }}"
"""Put behind an expression that is a piece of a text: so it gives its text, and not its value."""
_TEXTS: Final = r"""'[^'\\{}%#]*'|"[^"\\{}%#]*\""""
_TAG: Final = re.compile(
    rf"""\{{\{{(?![-+])(?:[^'"\\{{}}]|{_TEXTS})*(?<![-+])\}}\}}|\{{%(?![-+])(?:[^'"\\{{}}%]|{_TEXTS})*(?<![-+])%\}}"""
)
_MARKUP: Final = re.compile(r"\{[{%#]|\{\Z")
_WORD: Final = re.compile(r"\{% *([a-z]+)\b")
_ENDS: Final = {"endfor": "for", "endif": "if"}
_MIDDLES: Final = frozenset({"else", "elif"})


class Piece(NamedTuple):
    """A part of a template: words, or markup that is rendered by itself."""

    text: str
    is_markup: bool


def cut(text: str) -> list[Piece] | None:
    """Return the pieces of a template; None where it is to be rendered as a whole."""
    if "\r" in text:
        return None
    pieces: list[Piece] = []
    open_blocks: list[str] = []
    begin = end = 0
    for tag in _TAG.finditer(text):
        if _MARKUP.search(text, end, tag.start()) is not None or len(pieces) > MOST_PIECES:
            return None
        if not open_blocks:
            if tag.start() > end:
                pieces.append(Piece(text[end : tag.start()], is_markup=False))
            begin = tag.start()
        end = tag.end()
        if text.startswith("{%", tag.start()) and not _follow(open_blocks, tag[0]):
            return None
        if not open_blocks:
            pieces.append(Piece(text[begin:end], is_markup=True))
    if open_blocks or _MARKUP.search(text, end) is not None:
        return None
    if end < len(text):
        pieces.append(Piece(text[end:], is_markup=False))
    return pieces if len(pieces) > 1 else None


def _follow(open_blocks: list[str], tag: str) -> bool:
    """Take a tag into account; False for one that is not plain, or stands where it cannot."""
    found = _WORD.match(tag)
    word = found[1] if found is not None else ""
    if word in _ENDS.values():
        open_blocks.append(word)
        return True
    if word in _ENDS:
        return bool(open_blocks) and open_blocks.pop() == _ENDS[word]
    return word in _MIDDLES and bool(open_blocks)
