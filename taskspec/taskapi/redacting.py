"""Secrets out of text that others wrote: a remote may send back what it was given. Knows no remote.

Text and secret are compared in one plain form, without what JSON, URLs and HTML add: so it does not matter which of
them, or how many of them, wrote the text. What may be base64 is looked into.
"""

import base64
import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

SHORTEST: Final = 4
"""A shorter secret is not looked for: it would be found everywhere."""
_SURE: Final = 8
"""Characters from which on a secret is looked for within words too."""
_PART: Final = 8
"""Characters with which a secret that is cut off is known again."""
HIDDEN: Final = "[secret]"
_TOKEN: Final = re.compile(
    r"(?P<url>(?:%(?:25)*[0-9A-Fa-f]{2})+)|(?P<code>(?:\\+u[0-9A-Fa-f]{4})+)|&(?:amp;)*#?\w{2,8};|\\+[nrtbf]|.",
    re.DOTALL,
)
_NOTHING: Final = re.compile(r"[\\\s+\0-\x1f]+")
"""What the plain form leaves out; a plus stands for a space in URLs."""
_CODED: Final = re.compile(r"(?:[A-Za-z0-9+/_\-\r\n]|%2[BbFf]|\\+[/nr]){6,}")
_SPACES: Final = re.compile(r"[\r\n]|\\+[nr]|\\+(?=/)")
_DEEPEST: Final = 3


def without(secrets: Collection[str], content: bytes) -> bytes:
    """Return the content with every copy of a secret replaced."""
    if not any(secrets):
        return content
    return without_in(secrets, content.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def without_in(secrets: Collection[str], text: str) -> str:
    """Return the text with every copy of a secret replaced."""
    plain = sorted({form for form in map(_plain_form, secrets) if len(form) >= SHORTEST}, key=len, reverse=True)
    if not plain:
        return text
    return _hidden(_CODED.sub(lambda run: HIDDEN if _codes(plain, run[0]) else run[0], text), plain)


def reason_of(error: BaseException, secrets: Collection[str]) -> str:
    """Return an exception's own words in one line, without secrets; its name where it has none."""
    return " ".join(without_in(secrets, str(error)).split()) or type(error).__name__


def longest(secrets: Iterable[str]) -> int:
    """Return how many bytes any of some secrets may take, however it is written."""
    return max((24 * len(secret) for secret in secrets), default=0)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a plain JSON value, but for names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(item)


def _hidden(text: str, plain: list[str]) -> str:
    """Return a text with what has the plain form of a secret replaced, also where its end is cut off."""
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        for character in _decoded(token):
            characters.append(character)
            places.append(token.span())
    found: list[tuple[int, int]] = []
    stream = "".join(characters)
    for secret in plain:
        head = secret if len(secret) < _PART else secret[:_PART]
        at = stream.find(head)
        while at >= 0:
            end = at + len(head)
            while end < len(stream) and end - at < len(secret) and stream[end] == secret[end - at]:
                end += 1
            if len(secret) >= _SURE or _stands_alone(text, places[at][0], places[end - 1][1]):
                found.append((places[at][0], places[end - 1][1]))
            at = stream.find(head, max(at + 1, end - len(head) + 1))
    parts, done = [], 0
    for begin, end in sorted(found):
        if begin >= done:
            parts += [text[done:begin], HIDDEN]
        done = max(done, end)
    return "".join([*parts, text[done:]])


def _decoded(token: re.Match[str]) -> str:
    """Return what a token of a text stands for, in the plain form."""
    word = token[0]
    if len(word) == 1:
        return "" if _NOTHING.match(word) else word
    if token["url"]:
        word = unquote_to_bytes(re.sub("%(?:25)+", "%", word)).decode("utf-8", "replace")
    elif token["code"]:
        units = bytes.fromhex("".join(re.findall(r"u(.{4})", word)))
        word = units.decode("utf-16-be", "replace")
    elif word[0] == "&":
        word = html.unescape(word.replace("amp;", ""))
    else:
        return ""
    return _NOTHING.sub("", word)


def _plain_form(secret: str) -> str:
    return "".join(map(_decoded, _TOKEN.finditer(secret)))


def _stands_alone(text: str, begin: int, end: int) -> bool:
    return not text[max(0, begin - 1) : begin].isalnum() and not text[end : end + 1].isalnum()


def _codes(plain: list[str], run: str, depth: int = 0) -> bool:
    """Tell whether what base64 stands for holds a secret, wherever in the run the coded text begins."""
    letters = _SPACES.sub("", re.sub("%2[Bb]", "+", re.sub("%2[Ff]", "/", run))).replace("-", "+").replace("_", "/")
    for begin in range(4):
        coded = letters[begin:]
        coded = coded[:-1] if len(coded) % 4 == 1 else coded
        text = base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8", "replace")
        if _hidden(text, plain) != text:
            return True
        if depth < _DEEPEST and any(_codes(plain, inner[0], depth + 1) for inner in _CODED.finditer(text)):
            return True
    return False
