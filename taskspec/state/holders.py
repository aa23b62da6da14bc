"""Who holds a lock, as JSON. Takes no lock."""

import json
from typing import Any, Final

from taskspec.state.model import Holder
from taskspec.state.shapes import JSON, Shape, checked

_HOLDER: Final[Shape] = {
    "user": str,
    "host": str,
    "pid": int,
    "command": str,
    "since": (float, int),
    "started": (int, type(None)),
    "job": (str, type(None)),
}
_HOLDING: Final[Shape] = {"epoch": int, "holder": dict}


def encode_holder(holder: Holder) -> str:
    """Return the holder of a lock as JSON."""
    return JSON.encode(holder_object(holder))


def holder_object(holder: Holder) -> dict[str, Any]:
    """Return the holder of a lock as an object of JSON."""
    return {name: getattr(holder, name) for name in _HOLDER}


def decode_holder(text: str) -> Holder:
    """Return the holder that a JSON text names; raise ValueError where it names none."""
    return holder_of(json.loads(text))


def holder_of(value: Any) -> Holder:
    """Return the holder that an object of JSON names; raise ValueError where it names none."""
    return Holder(**checked(value, _HOLDER))


def encode_holding(holder: Holder, epoch: int) -> str:
    """Return who holds a lock, and under which epoch, as JSON."""
    return f'{{"epoch":{epoch},"holder":{encode_holder(holder)}}}'


def decode_holding(text: str) -> tuple[Holder, int]:
    """Return who holds a lock, and under which epoch; raise ValueError where the JSON text does not say so."""
    value = checked(json.loads(text), _HOLDING)
    return holder_of(value["holder"]), value["epoch"]
