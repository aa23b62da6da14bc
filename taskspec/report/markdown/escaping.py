"""Foreign text in Markdown: as code or as plain words, so that nothing of it is markup, a link or a mention.

What GitHub and GitLab make links of (`@name`, `#12`, `!12`, `GH-1`, a commit, an address) they leave alone in code: so
a word that is not plainly a word stands in a code span. Backslashes would not stop a mention.
"""

import re
from hashlib import sha256
from html import escape
from typing import Final

from taskspec.report.text import in_line, visible

_PLAIN: Final = re.compile(
    r"[(\"']*(?:[^\W_]+(?:['’–-][^\W_]+)*|\d+(?:[.,]\d+)*[^\W_]*|\d\d(?::\d\d){1,2})%?[.,;:!?)\"'…]*"
    r"|[→–…·(]|[.,;:!?)]+|%"
)
"""A word that no Markdown makes more of than a word."""
_LINKED: Final = re.compile(r"(?i)[(\"']*(?:[a-z]+-\d|(?=[a-f]*\d)[0-9a-f]{7,}\b)|\d+[.)]$")
"""What looks like a word and may become a link (`GH-12`, a commit), or begins a list."""
_LONGEST_NAME: Final = 80
_TICKS: Final = re.compile(r"`+")
_ORDER: Final = re.compile(r"^/(?=[A-Za-z_]+(?:\s|$))", re.MULTILINE)
"""What GitLab carries out in the name of who comments, like `/merge`.

It finds code by the first three backquotes of a line, so that a fence of more keeps it from nothing.
"""
_SPAN: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def code(text: str, limit: int = 200) -> str:
    """Return a text as a code span on one line, cut to `limit` characters."""
    flat = in_line(text, limit) or " "
    ticks = "`" * (_longest(flat) + 1)
    pad = " " if flat.strip() and (flat[0] in "` " or flat[-1] in "` ") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def prose(text: str, limit: int = 1000) -> str:
    """Return a sentence on one line: plain words as they are, code and all else as code spans."""
    flat = " ".join(in_line(text, limit).split())
    found, at = "", 0
    for span in _SPAN.finditer(flat):
        found = _beside(found, _words(flat[at : span.start()]))
        found = _beside(found, code(span[1], limit))
        at = span.end()
    return _beside(found, _words(flat[at:])).strip() or code("")


def inner(text: str, limit: int = 200) -> str:
    """Return a text as code within HTML of ours."""
    return f"<code>{escape(in_line(text, limit))}</code>"


def fence(text: str, info: str = "") -> str:
    """Return lines of text in a fence that is longer than anything in them; none of them is an order to GitLab."""
    shown = _ORDER.sub(r"\\x2f", visible(text))
    ticks = "`" * max(3, _longest(shown) + 1)
    return f"{ticks}{info}\n{shown}{'' if shown.endswith(chr(10)) else chr(10)}{ticks}"


def marker(project: str, environment: str, part: int) -> str:
    """Return the hidden line by which a comment is known as ours, for a project, an environment and a part."""
    return f"<!-- taskspec {_named(project)}/{_named(environment)} {part} -->"


def _beside(text: str, more: str) -> str:
    """Return two pieces as one: two code spans that touch would be none."""
    return f"{text} {more}" if text.endswith("`") and more.startswith("`") else text + more


def _words(text: str) -> str:
    """Return words with each that is not plain, and its neighbours that are not, as one code span."""
    found: list[str] = []
    odd: list[str] = []
    for word in text.split(" "):
        if not word or (_PLAIN.fullmatch(word) and not _LINKED.match(word)):
            if odd:
                found.append(_odd(odd))
                odd = []
            found.append(word)
        else:
            if odd and word.startswith("("):
                found.append(_odd(odd))
                odd = []
            odd.append(word)
    if odd:
        found.append(_odd(odd))
    return " ".join(found)


def _odd(words: list[str]) -> str:
    """Return what is not plain as code, without what ends a sentence, and without the bracket that it begins with."""
    text = " ".join(words)
    bare = text.rstrip(".,;:")
    if len(bare) > 1 and bare[0] == "(" and bare[1] not in "(`)" and ("(" not in bare[1:]):
        inside = bare[1:].removesuffix(")")
        if ")" not in inside:
            return f"({code(inside, len(inside) + 1)}{text[1 + len(inside) :]}"
    return code(bare, len(bare) + 1) + text[len(bare) :] if bare else code(text)


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _named(name: str) -> str:
    """Return a name that ends no comment, and is that of no other name."""
    kept = re.sub(
        r"[^A-Za-z0-9._-]|(?<=-)-|^-|-$",
        lambda found: "".join(map("%{:02X}".format, found[0].encode(errors="backslashreplace"))),
        name,
    )
    if len(kept) > _LONGEST_NAME:
        kept = f"{kept[:_LONGEST_NAME]}%.{sha256(name.encode(errors='backslashreplace')).hexdigest()[:16]}"
    return kept or "%"
