"""A secret out of text that others wrote: a remote may send back the key that it was given. Knows no remote."""

import re

SHORTEST = 8
"""A shorter secret is not looked for: it would be found everywhere."""


def without(secret: str, content: bytes) -> bytes:
    """Return the content with every copy of a secret replaced, also where it is escaped as in JSON."""
    return re.sub("".join(map(_spellings, secret)).encode(), b"[key]", content) if len(secret) >= SHORTEST else content


def without_in(secret: str, text: str) -> str:
    """Return the text with every copy of a secret replaced."""
    return without(secret, text.encode(errors="replace")).decode(errors="replace")


def reason_of(error: BaseException, secret: str) -> str:
    """Return an exception's own words in one line, without a secret; its name where it has none."""
    return " ".join(without_in(secret, str(error)).split()) or type(error).__name__


def _spellings(character: str) -> str:
    """Return a pattern for a character as itself or as `\\u0041`, with the backslashes of text in text."""
    code = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{ord(character):04x}")
    return rf"(?:\\{{0,4}}{re.escape(character)}|\\{{1,4}}u{code})"
