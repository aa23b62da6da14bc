"""Whether a value fits a variable's declaration. Converts nothing, and never shows a sensitive value."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, assert_never

from taskspec.contracts import kind_of
from taskspec.documents.model import VariableSpec, VariableType

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def misfit(variable: VariableSpec, value: Any) -> str:
    """Return why a value does not fit, as a predicate (`must be a list, found a string`), or an empty string."""
    if not is_text(value):
        return "holds half of a character (bytes that are not UTF-8, or an unpaired surrogate)"
    wanted = _wanted(variable.type, value)
    if wanted:
        return f"must be {wanted}, found {kind_of(value)}"
    if variable.enum and not any(_same(value, allowed) for allowed in variable.enum):
        allowed = "" if variable.sensitive else f": {', '.join(json.dumps(item) for item in variable.enum)}"
        return f"must be one of the values of its `enum`{allowed}"
    return ""


def is_text(value: Any) -> bool:
    """Tell whether every text in a JSON value, names included, can be written as UTF-8."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and not item.isascii() and _SURROGATE.search(item):
            return False
    return True


def _wanted(kind: VariableType, value: Any) -> str:
    """Return what is wanted instead, or an empty string. `true` is no number, although Python says so."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case VariableType.STRING:
            return "" if isinstance(value, str) else "a string"
        case VariableType.NUMBER:
            return "" if number else "a number"
        case VariableType.INTEGER:
            return "" if number and isinstance(value, int) else "a whole number"
        case VariableType.BOOLEAN:
            return "" if isinstance(value, bool) else "true or false"
        case VariableType.LIST:
            return "" if isinstance(value, list) else "a list"
        case VariableType.MAP:
            return "" if isinstance(value, Mapping) else "a mapping"
        case _:
            assert_never(kind)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
