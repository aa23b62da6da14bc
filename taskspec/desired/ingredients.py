"""Inputs of a task by name: how they are called, what they are of, and their digests. Renders nothing."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from taskspec.address import Address, listed
from taskspec.desired.noting import ABSENT

FieldPath = tuple[str | int, ...]

FILE: Final = "file:"
"""Begins the name of an input that is a file of the project."""
TEXT: Final = "text."
"""Begins the name of an input that is a template itself, by its field."""
DEFAULTS: Final = "defaults."
"""Begins the name of an input that is a field which the project's defaults give."""
ITSELF: Final = "the task itself"
"""Gives what stands within a field of a default, and is not the default's."""
ENVIRON: Final = "the process environment"
DIGITS: Final = 16
"""So many digits of a digest are kept."""
_MOST_LISTED: Final = 1_000
"""So many characters may name the tasks of a list of results."""


def result_of(name: str) -> Address | None:
    """Return the task whose result an input is, or the pattern of such; None for any other input."""
    if not name.startswith("tasks"):
        return None
    rest = name.removeprefix("tasks")
    if rest.startswith("["):
        quote = rest[1:2]
        return Address(rest[2 : rest.find(f"{quote}]", 2)])
    return Address(rest[1:].partition(".")[0].partition("[")[0])


def members_of(value: Any) -> str:
    """Return the tasks of a list of results, in order: nothing for any other value, and of too many how many."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and "address" in one for one in value):
        return ""
    text = listed(one["address"] for one in value)
    return text if len(text) <= _MOST_LISTED else f"{len(value)} tasks"


def part_of(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is used of a task: the part of its result that a path leads to, else all of it."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
    return value


def digest(value: Any) -> str:
    """Return what is kept of a value, to tell whether another one is equal."""
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
