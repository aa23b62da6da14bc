"""The YAML 1.2 core schema: what a plain scalar means. Accepts nothing that is not JSON, and guesses nothing."""

import re
from typing import Final

NUMERIC: Final = frozenset("0123456789+-.")
"""A plain scalar that begins with another character, and is none of WORDS, is a string."""
WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_JSON: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DIGITS: Final = 18


class AmbiguousScalarError(ValueError):
    """A plain scalar means different things to different readers; the message says why, `hint` the way out."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def plain(text: str) -> str | int | float | bool | None:
    """Return the value of a plain (unquoted) scalar.

    Source: YAML 1.2.2, §10.3.2. So `yes`, `on`, `1:30`, `1_000` and dates are strings. Narrower than it: a decimal with
    leading zeros (octal in YAML 1.1), `.inf`, `.nan` and numbers beyond 64 bits raise AmbiguousScalarError.
    """
    if not text:
        return None
    if text in WORDS:
        return WORDS[text]
    if text[0] not in NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _RADIX.fullmatch(text):
        return _bounded(text, int(text, 0) if len(text) <= _DIGITS else None)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else _bounded(text, None)
    if _NOT_JSON.fullmatch(text):
        raise AmbiguousScalarError(
            f"`{text}` is a number that JSON does not have.", hint=f'For the text, write "{text}".'
        )
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        shorter = digits.lstrip("0") or "0"
        raise AmbiguousScalarError(
            f"`{_cut(text)}` begins with a zero: one version of YAML reads it as octal, another as decimal.",
            hint=f'For the text, write "{_cut(text)}"; for the number, {_cut(shorter)}.',
        )
    return _bounded(text, int(text) if len(digits) <= _DIGITS else None)


def _bounded(text: str, number: int | None) -> int:
    if number is None:
        raise AmbiguousScalarError(
            f"`{_cut(text)}` is too large a number.", hint="Put it in quotes to have it as text."
        )
    return number


def _cut(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"
