"""What a value of an expression is, in words, and the refusal of those that do not fit. Computes nothing."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taskspec.expressions.model import MAX_BITS, MAX_SIZE, Fault


def kind(value: Any) -> str:
    """Return the name of what a value is: `string`, `number`, `boolean`, `list`, `map` or `null`."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "map"
        case Sequence():
            return "list"
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON value")


def said(value: Any) -> str:
    """Return what a value is, for a sentence: `a number (5)`."""
    name = kind(value)
    if name == "null":
        return name
    shown = _shown(value) if name in {"string", "number", "boolean"} else ""
    return f"a {name} ({shown})" if shown else f"a {name}"


def number(value: Any, what: str) -> int | float:
    """Return a number; raise Fault for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(f"{what} takes a number, found {said(value)}")
    return value


def text(value: Any, what: str) -> str:
    """Return a text; raise Fault for anything else."""
    if not isinstance(value, str):
        raise Fault(f"{what} takes a string, found {said(value)}")
    return value


def truth(value: Any, what: str) -> bool:
    """Return a truth; raise Fault for anything else."""
    if not isinstance(value, bool):
        raise Fault(f"{what} takes true or false, found {said(value)}", "Say what is meant: value > 0, len(value) > 0.")
    return value


def items(value: Any, what: str) -> Sequence[Any] | Iterable[Any]:
    """Return what can be gone through one by one: a list, or the keys of a map; raise Fault for anything else."""
    if kind(value) not in {"list", "map"}:
        raise Fault(f"{what} takes a list, found {said(value)}")
    found: Sequence[Any] | Mapping[Any, Any] = value
    return found


def computed(value: float) -> int | float:
    """Return a number that was computed; raise Fault where it is too large."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise Fault("the number is too large")
    if not isinstance(value, int) and not math.isfinite(value):
        raise Fault("the number is too large")
    return value


def sized(value: Any) -> Any:
    """Return a text or list that was made; raise Fault where it is too large."""
    if len(value) > MAX_SIZE:
        raise Fault(f"it is longer than {MAX_SIZE:,}")
    return value


def _shown(value: Any) -> str:
    import json

    try:
        text = json.dumps(value[:60] if isinstance(value, str) else value, ensure_ascii=False)
    except ValueError:  # a whole number of thousands of digits
        return "very large"
    return text if len(text) <= 40 else f"{text[:39]}…"
