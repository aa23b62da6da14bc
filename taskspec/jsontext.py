"""JSON texts, read strictly: what two readers could understand differently is refused. Knows no contract."""

import json
from collections import Counter
from itertools import chain
from typing import Any, Final, NoReturn

FENCE: Final = "```"
DEEPEST: Final = 100
"""How many levels of arrays and objects a text may have."""


class NotJsonError(ValueError):
    """The text is not JSON; the message says why, and where: `place` as line and column, where one is to blame."""

    def __init__(self, said: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(said)
        self.place = place


def parse(text: str) -> Any:
    """Return the value of a JSON text; raise NotJsonError for everything else, however near it comes."""
    if text.lstrip().startswith(FENCE):
        raise NotJsonError(f"it is wrapped in a Markdown code fence ({FENCE}) and must be the JSON alone")
    try:
        value = loaded(text)
    except RecursionError as error:
        raise NotJsonError(f"it is nested more than {DEEPEST} levels deep") from error
    _check(value)
    return value


def loaded(text: str) -> Any:
    """Return the value of a JSON text, of any depth and with any characters; raise NotJsonError for what is none.

    Raises RecursionError for a text that is nested more deeply than can be read.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        place = error.lineno, error.colno
        raise NotJsonError(f"line {place[0]}, column {place[1]}: {error.msg}", place) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise NotJsonError(f"the key {json.dumps(twice)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON value")


def _number(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise NotJsonError(f"the number {digits[:40]} is too large")
    return number


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise NotJsonError(f"the number {digits[:40]}… is too large") from error


def _check(value: Any) -> None:
    """Raise NotJsonError for a value that is too deep or holds half of a character."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        if not all(is_text(item) for item in level if isinstance(item, str)):
            raise NotJsonError("a string holds half of a character (an unpaired surrogate)")
        nested = [item for item in level if isinstance(item, dict | list)]
        if not nested:
            return
        level = [*chain.from_iterable(nested)]
        level += chain.from_iterable(item.values() for item in nested if isinstance(item, dict))
    raise NotJsonError(f"it is nested more than {DEEPEST} levels deep")


def is_text(text: str) -> bool:
    """Tell whether a string can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
