"""Foreign texts on a page: what cannot be seen is marked, and no text takes more room than it is granted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from taskspec.report.html.markup import UNSEEN, Attribute, Element, Node, el, escaped, spelled

LONGEST: Final = 100_000
"""How many characters of one text are shown: its beginning and its end."""
PAGE: Final = 20_000_000
"""How many characters all texts of a page may take, as they are written."""
LINES: Final = 200_000
"""How many lines are compared for one page."""
_TAIL: Final = 0.3
_MARKED: Final = 400
"""So many places of one text are marked; the others are spelled without a mark."""
_PILED: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f"
)
_PILE: Final = re.compile(f"(?P<few>[{_PILED}]{{3}})(?P<rest>[{_PILED}]+)")
_UNSEEN: Final = re.compile(f"[{UNSEEN}]+")


class Purse:
    """What a page may still spend: characters for texts, and lines for comparing them."""

    def __init__(self, characters: int = PAGE, lines: int = LINES) -> None:
        self._characters = characters
        self._lines = lines

    @property
    def is_empty(self) -> bool:
        """Tell whether no text can be shown any more."""
        return self._characters <= 0

    def granted(self, text: str) -> int:
        """Return how many characters of a text may be shown."""
        return min(len(text), LONGEST, self._characters)

    def pay(self, written: int) -> None:
        """Take down how many characters were written."""
        self._characters -= written

    def may_compare(self, lines: int) -> bool:
        """Tell whether texts of so many lines may be compared, and take it down."""
        if self._lines < lines:
            return False
        self._lines -= lines
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """What is shown of a text: all of it is in `head` where nothing is left out."""

    head: str
    tail: str = ""
    left_out: int = 0


def cut(text: str, most: int) -> Cut:
    """Return the beginning and the end of a text, `most` characters together."""
    if len(text) <= most:
        return Cut(head=text)
    end = int(most * _TAIL)
    return Cut(head=text[: most - end], tail=text[len(text) - end :] if end else "", left_out=len(text) - most)


def marked(text: str) -> Iterator[Node]:
    """Yield a text as it is to be shown: what cannot be seen is spelled and marked, and piles of accents are cut."""
    plain = _PILE.sub(lambda found: f"{found['few']}⟨{len(found['rest'])} more marks⟩", text.replace("\r\n", "\n"))
    done = 0
    for number, found in enumerate(_UNSEEN.finditer(plain)):
        if number == _MARKED:
            break
        yield plain[done : found.start()]
        yield el("span", {"class": "unseen"}, "".join(map(spelled, found[0])))
        done = found.end()
    yield plain[done:]


def inline(text: str, limit: int = 300) -> Element:
    """Return a foreign text within a line, apart from the direction of what is around it."""
    flat = " ".join(text.split())
    return el("bdi", None, marked(flat if len(flat) <= limit else flat[: limit - 1] + "…"))


def prose(text: str, limit: int = 600) -> Element:
    """Return a foreign text within a line, like `inline`, with what stands in backquotes set as code."""
    flat = " ".join(text.split())
    parts = (flat if len(flat) <= limit else flat[: limit - 1] + "…").split("`")
    if len(parts) % 2 == 0:
        return inline(text, limit)
    return el(
        "bdi",
        None,
        (el("code", None, marked(part)) if number % 2 else marked(part) for number, part in enumerate(parts)),
    )


def block(text: str, purse: Purse, command: str, *, name: str) -> Iterator[Node]:
    """Yield a foreign text with its lines, as much of it as is granted, and what shows the rest of it."""
    shown = _afforded(text, purse)
    if shown is None:
        yield _left_out(len(text), command, whole=True)
        return
    attributes: dict[str, Attribute] = {
        "class": "text",
        "dir": "auto",
        "tabindex": 0,
        "role": "group",
        "aria-label": name,
    }
    if not shown.left_out:
        yield el("pre", attributes, marked(shown.head))
        return
    yield el("pre", attributes, marked(shown.head))
    yield _left_out(shown.left_out, command)
    yield el("pre", {**attributes, "aria-label": f"{name}, its end"}, marked(shown.tail))


def size_words(characters: int) -> str:
    """Return how long a text is, for people."""
    if characters < 1000:
        return f"{characters} characters"
    if characters < 1_000_000:
        return f"{characters / 1000:.0f} thousand characters"
    return f"{characters / 1_000_000:.1f} million characters"


def _afforded(text: str, purse: Purse) -> Cut | None:
    """Return what of a text is shown, and pay for it; None where nothing can be."""
    most = purse.granted(text)
    if most <= 0 and text:
        return None
    shown = cut(text, most)
    written = len(escaped(shown.head)) + len(escaped(shown.tail))
    purse.pay(written)
    return shown


def _left_out(characters: int, command: str, *, whole: bool = False) -> Element:
    said = "Not shown here" if whole else "Left out here"
    return el(
        "p",
        {"class": "left-out"},
        f"{said}: {size_words(characters)}. ",
        el("code", None, inline(command, 700)),
        " has all.",
    )
