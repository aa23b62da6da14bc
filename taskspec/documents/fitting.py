"""Whether a value fits a variable's declaration. Converts nothing, and never shows a sensitive value."""

import json
from collections.abc import Mapping
from typing import Any, assert_never

from taskspec.contracts import kind_of
from taskspec.documents.model import VariableSpec, VariableType


def misfit(variable: VariableSpec, value: Any) -> str:
    """Return why a value does not fit, as a predicate (`must be a list, found a string`), or an empty string."""
    wanted = _wanted(variable.type, value)
    if wanted:
        return f"must be {wanted}, found {kind_of(value)}"
    if variable.enum and not any(_same(value, allowed) for allowed in variable.enum):
        allowed = "" if variable.sensitive else f": {', '.join(json.dumps(item) for item in variable.enum)}"
        return f"must be one of the values of its `enum`{allowed}"
    return ""


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
