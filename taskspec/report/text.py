"""Text for a terminal: foreign text made harmless, and colours where they are wanted. Prints nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from zlib import crc32

from taskspec.settings import DEFAULT_ENVIRONMENT

# C0 without tab and newline, DEL, C1, the marks that reorder or hide text, and lone surrogates.
_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)

UNCLAIMED: Final = "a task that is neither declared nor recorded"
"""Whose the runs are that bear a marker of this state, and of no address that is known."""
_STYLES: Final[Mapping[str, str]] = {
    "add": "32",
    "change": "33",
    "remove": "31",
    "error": "1;31",
    "warning": "1;33",
    "good": "32",
    "strong": "1",
    "dim": "2",
    "accent": "36",
    "added word": "1;4;32",
    "removed word": "9;31",
    **{f"voice {number}": code for number, code in enumerate(("36", "35", "34", "33", "32", "96"))},
}
VOICES: Final = 6
"""In so many colours those who say something are told apart."""


# What the runners of GitHub, Azure and TeamCity take as commands, wherever a line of a log holds it, and what GitLab
# takes as an order to include a file. Behind any blank, and whatever follows: a line is put together from many texts,
# and broken where it is too long.
_COLONS: Final = re.compile(r"(?<!\S):(?=:[A-Za-z_-])")
_HASHES: Final = re.compile(r"#(?=#\w*\[)")
_FEW: Final = 100
_WORDS: Final = re.compile("[^ \\t\\n\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
"""What stands between blanks; a blank that is made visible is none."""


def visible(text: str) -> str:
    """Return the text with everything that could steer a terminal made visible: `ESC` becomes `\\x1b`.

    So does what would steer a CI runner that reads the output: `::error::` becomes `\\x3a:error::`.
    """
    if "::" in text:
        text = _COLONS.sub(r"\\x3a", text)
    if "##" in text:
        text = _HASHES.sub(r"\\x23", text)
    if _ACTIVE.search(text) is None:
        return text
    active = _ACTIVE.findall("".join({*text}))
    if len(active) > _FEW:
        return _ACTIVE.sub(lambda found: _spelled(found[0]), text)
    for character in active:  # megabytes of one character are no megabytes of calls
        text = text.replace(character, _spelled(character))
    return text


def in_line(text: str, limit: int = 4000) -> str:
    """Return the text, harmless, on one line, with each of its spaces: commands to be copied may stand in it."""
    flat = visible(text[: limit + 1]).replace("\n", " ")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def one_line(text: str, limit: int = 200) -> str:
    """Return the text, harmless, on one line, cut to `limit` characters."""
    # what becomes visible is no shorter than it was, but blanks are
    few = " ".join(found[0][: limit + 1] for found in islice(_WORDS.finditer(text), limit + 1))
    flat = " ".join(visible(few).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def indented(text: str, by: int) -> str:
    """Return the text, harmless, with every line indented."""
    return "\n".join(" " * by + line for line in visible(text).splitlines())


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours by meaning; without colour it returns what it is given."""

    color: bool

    def __call__(self, text: str, style: str) -> str:
        """Return the text in a style."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text


def voice(name: str) -> str:
    """Return the style of whoever has a name: the same one each time."""
    return f"voice {crc32(name.encode(errors='replace')) % VOICES}"


def duration(seconds: float) -> str:
    """Return a time in words of the manifests: `0.4s`, `12s`, `3m05s`, `2h10m`; none where a clock was set back."""
    seconds = max(seconds, 0.0)
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def plural(count: int, noun: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def columns(rows: Iterable[tuple[str, ...]], gap: int = 2) -> list[str]:
    """Return the rows as lines with their columns aligned; the last column is as long as it is."""
    listed = list(rows)
    if not listed:
        return []
    widths = [max(len(row[i]) for row in listed) for i in range(len(listed[0]) - 1)]
    return [
        (" " * gap).join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in listed
    ]


def _spelled(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def place_of(project: str, environment: str) -> str:
    """Return the name of a project, with the environment where it is another than the usual one."""
    return project if environment == DEFAULT_ENVIRONMENT else f"{project} ({environment})"


def some(names: Sequence[str], most: int = 5) -> str:
    """Return the first of some names, harmless, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return in_line(", ".join(names[:most])) + more
