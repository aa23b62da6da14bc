"""What JSON a key holds, and the refusal of one that holds another. Knows no key by name."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from taskspec.engine.model import RefusalError


class Kind(Enum):
    """What JSON a key holds."""

    TEXT = "a string"
    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    OBJECT = "an object"
    TEXTS = "a list of strings"
    OBJECTS = "a list of objects"


Form = Kind | tuple[str, ...]
"""A kind, or the strings of which a key holds one."""
_LARGEST = 2**63 - 1


def is_of_kind(kind: Kind, value: Any) -> bool:
    """Tell whether a value is what a key of this kind holds."""
    if kind in {Kind.TEXTS, Kind.OBJECTS}:
        item = str if kind is Kind.TEXTS else dict
        return isinstance(value, list) and all(isinstance(entry, item) for entry in value)
    if isinstance(value, bool):
        return kind is Kind.FLAG
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.WHOLE:
            return isinstance(value, int) and abs(value) <= _LARGEST
        case Kind.NUMBER:
            return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _LARGEST)
        case Kind.OBJECT:
            return isinstance(value, dict)
        case Kind.FLAG:
            return False


def check_keys(where: str, value: Mapping[str, Any], forms: Mapping[str, Form]) -> None:
    """Refuse an object of which a key, that is neither absent nor null, does not have its form."""
    for key, form in forms.items():
        if value.get(key) is not None:
            check_form(f"{where}.{key}", value[key], form)


def check_form(where: str, value: Any, form: Form) -> None:
    """Refuse a value that does not have a form; the value itself, which may be a secret, is not told."""
    if isinstance(form, Kind):
        if not is_of_kind(form, value):
            raise invalid(where, f"{where} must be {form.value}")
    elif value not in form:
        raise invalid(where, f"{where} must be one of {', '.join(form)}")


def invalid(where: str, message: str) -> RefusalError:
    """Return the refusal of one key of a body, in the API's own form."""
    key = where.partition(".")[0].partition("[")[0]
    return RefusalError(422, [{"loc": ["body", key], "msg": message, "type": "value_error"}])
