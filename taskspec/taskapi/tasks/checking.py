"""Arguments of the library, checked before anything is sent. Each refusal names the argument; none shows its value."""

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi.decoding import finite
from taskspec.taskapi.messages import is_sendable, is_unicode

SCHEMES = ("http://", "https://", "upload:")
SENDABLE = "text that is not empty, of printable ASCII characters, without spaces at its ends"
LARGEST = 10**4000
"""Whole numbers beyond it are refused: Python neither writes nor reads them."""
DEEPEST = 200
"""Values nested deeper than this are refused: few remotes read them."""


def wrong(name: str, wanted: str, hint: str = "") -> UsageError:
    """Return the error of an argument that is not what is wanted."""
    return UsageError(f"`{name}` must be {wanted}.", hint=hint)


def identifier(name: str, value: object) -> str:
    """Return an id of the remote."""
    if not isinstance(value, str) or value.strip() in {"", ".", ".."} or not is_unicode(value):
        raise wrong(name, "an id, which is text that is not empty")
    return value


def text(name: str, value: object) -> str:
    """Return text; an enum's member stands for its value."""
    plain = value.value if isinstance(value, Enum) else value
    if not isinstance(plain, str):
        raise wrong(name, "text")
    return plain


def optional_text(name: str, value: object) -> str | None:
    """Return text or None."""
    return None if value is None else text(name, value)


def flag(name: str, value: object) -> bool:
    """Return True or False; None is False."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong(name, "True or False")
    return value


def count(name: str, value: object) -> int | None:
    """Return a whole number that is not negative, or None."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong(name, "a whole number, 0 or more")
    return whole(name, value)


def whole(name: str, value: int) -> int:
    """Return a whole number that can be written down."""
    if abs(value) > LARGEST:
        raise UsageError(f"`{name}` holds a whole number of more than 4000 digits.", hint="Write it as text.")
    return value


def number(name: str, value: object) -> float:
    """Return a finite number."""
    if not isinstance(value, int | float) or finite(value) is None:
        raise wrong(name, "a finite number")
    return value


def texts(name: str, value: object) -> tuple[str, ...]:
    """Return a list of texts; None is an empty one."""
    items = _items(name, value, "a list of texts")
    if not all(isinstance(item, str) for item in items):
        raise wrong(name, "a list of texts")
    return tuple(str(item) for item in items)


def urls(name: str, value: object) -> tuple[str, ...]:
    """Return a list of the URLs of files, or of `upload:…` for what the remote already has."""
    found = texts(name, value)
    for place, item in enumerate(found, 1):
        if not item.lower().startswith(SCHEMES):
            raise UsageError(
                f"`{name}` holds something that is not a URL (entry {place} of {len(found)}).",
                hint="Give URLs (https://…) of what the remote can read; a local file has to be uploaded first.",
            )
    return found


def json_object(name: str, value: object) -> dict[str, Any] | None:
    """Return a mapping that JSON can carry, or None."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise wrong(name, "a dictionary")
    found = json_value(name, value)
    assert isinstance(found, dict)
    return found


def json_objects(name: str, value: object) -> tuple[dict[str, Any], ...]:
    """Return a list of mappings that JSON can carry; None is an empty one."""
    items = _items(name, value, "a list of dictionaries")
    if not all(isinstance(item, Mapping) for item in items):
        raise wrong(name, "a list of dictionaries")
    return tuple(json_value(name, item) for item in items)


def json_value(name: str, value: object, depth: int = 0) -> Any:
    """Return a copy of a value as JSON carries it: enums as their values, mappings as objects, tuples as lists."""
    if depth > DEEPEST:
        raise UsageError(f"`{name}` is nested too deeply, or contains itself.")
    match value:
        case Enum():
            return json_value(name, value.value, depth)
        case None | bool() | str():
            return value
        case int():
            return whole(name, value)
        case float():
            if not math.isfinite(value):
                raise UsageError(
                    f"`{name}` holds a number that JSON cannot carry (infinity or not-a-number).",
                    hint="Write it as text, or leave it out.",
                )
            return value
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise UsageError(f"`{name}` holds a key that is not text.")
            return {str(key): json_value(name, item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [json_value(name, item, depth + 1) for item in value]
        case _:
            raise UsageError(f"`{name}` holds a {type(value).__name__}, which JSON cannot carry.")


def header(name: str, value: object) -> str:
    """Return text that an HTTP header can carry."""
    found = text(name, value)
    if not is_sendable(found):
        raise wrong(name, SENDABLE)
    return found


def _items(name: str, value: object, wanted: str) -> list[object]:
    if value is None:
        return []
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise wrong(name, wanted, "Put a single one in brackets: [value].")
    return list(value)
