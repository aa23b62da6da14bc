"""Shapes of JSON objects: which keys they have, and what each holds. Knows no value of the state."""

import json
from collections.abc import Mapping
from typing import Any, Final

Shape = Mapping[str, type | tuple[type, ...]]
JSON: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

_RIGHT: Final[dict[tuple[Any, ...], Shape]] = {}
"""Keys and their types that were found right, with the shape that they have: records are many and alike."""


def checked(value: Any, shape: Shape) -> dict[str, Any]:
    """Return an object that has exactly the keys of a shape; raise ValueError for anything else."""
    if type(value) is not dict or len(value) != len(shape):
        raise ValueError(f"expected an object with exactly the keys {', '.join(shape)}")
    form = (*value, *map(type, value.values()))
    if _RIGHT.get(form) is shape:
        return value
    for key, kind in shape.items():
        if key not in value:
            raise ValueError(f"the key `{key}` is missing")
        if not isinstance(value[key], kind):
            raise ValueError(f"`{key}` is of another type")  # noqa: TRY004  # one exception for all that is not of the format
    _RIGHT[form] = shape
    return value
