"""JSON as every reader can read it again: finite numbers, whole characters, a bounded depth. Performs no I/O."""

import json
import math
from typing import Any

MAX_DEPTH = 100


def decoded(text: bytes) -> Any:
    """Return the JSON value of a text in UTF-8; raise ValueError where there is none that every reader could read."""
    try:
        value = _DECODER.decode(text.decode("utf-8-sig"))
        _check_depth(value)
        if b"\\ud" in text or b"\\uD" in text:  # only these spell half a character, which no answer could hold
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise _too_deep() from error
    return value


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _parts(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise _too_deep()


def _parts(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {MAX_DEPTH} levels deep")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
