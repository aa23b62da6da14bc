"""The patterns of `manifests` over paths: `*`, `?`, `**` and `**/`. Reads no folder, and never tries a way twice.

All ways in which a path can fit are followed at once, one character after the other: time grows with the product of
the lengths at most, whoever wrote the pattern and named the files.
"""

import re
from typing import Final

_WILD: Final = re.compile(r"[*?]")
_PIECE: Final = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]")
_FOLDERS: Final = "**/"
_REPEATED: Final = frozenset({_FOLDERS, "**", "*"})
_EXPRESSIONS: Final = {_FOLDERS: "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_FEW: Final = 2
_SHORT: Final = 256
"""With so few repeated pieces, and so short a path, a regular expression tries few ways, and takes a hundredth."""


def is_wild(pattern: str) -> bool:
    """Tell whether a pattern stands for more than one path."""
    return _WILD.search(pattern) is not None


def start_of(pattern: str) -> str:
    """Return the folder that all paths of a wild pattern stand in; nothing for the project folder."""
    return _WILD.split(pattern, maxsplit=1)[0].rpartition("/")[0]


class PathGlob:
    """A pattern, cut into its pieces once."""

    def __init__(self, pattern: str) -> None:
        found = _PIECE.findall(pattern)
        self._pieces = [
            piece for at, piece in enumerate(found) if piece not in _REPEATED or found[at - 1 : at] != [piece]
        ]
        self._expression = None
        if sum(piece in _REPEATED for piece in self._pieces) <= _FEW:
            written = "".join(_EXPRESSIONS.get(piece) or re.escape(piece) for piece in self._pieces)
            self._expression = re.compile(written, re.DOTALL)
        # what stands before the first and behind the last wild piece decides about most paths
        literals = _WILD.split(pattern)
        self._begins, self._ends = literals[0], literals[-1].removeprefix("/")

    def fits(self, path: str) -> bool:
        """Tell whether a path, relative to the project folder, fits as a whole."""
        if not (path.startswith(self._begins) and path.endswith(self._ends)):
            return False
        if self._expression is not None and len(path) <= _SHORT:
            return self._expression.fullmatch(path) is not None
        # a place is a piece that comes next; below zero it is one of `**/` within a folder's name
        places = self._entered({0})
        for character in path:
            following: set[int] = set()
            for place in places:
                following |= self._step(place, character)
            if not following:
                return False
            places = self._entered(following)
        return len(self._pieces) in places

    def _step(self, place: int, character: str) -> set[int]:
        if place < 0:
            return {~place} if character == "/" else {place}
        if place == len(self._pieces):
            return set()
        match self._pieces[place]:
            case "**/":
                return set() if character == "/" else {~place}
            case "**":
                return {place}
            case "*":
                return set() if character == "/" else {place}
            case "?":
                return set() if character == "/" else {place + 1}
            case literal:
                return {place + 1} if literal == character else set()

    def _entered(self, places: set[int]) -> set[int]:
        """Add what comes next where a piece may stand for nothing."""
        found = set(places)
        waiting = [place for place in places if place >= 0]
        while waiting:
            place = waiting.pop()
            if place < len(self._pieces) and self._pieces[place] in _REPEATED and place + 1 not in found:
                found.add(place + 1)
                waiting.append(place + 1)
        return found
