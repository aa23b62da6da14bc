"""Who holds a lock, as JSON. Takes no lock."""

import json
from typing import Final

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
    return JSON.encode({name: getattr(holder, name) for name in _HOLDER})


def decode_holder(text: str) -> Holder:
    """Return the holder that a JSON text names; raise ValueError where it names none."""
    return Holder(**checked(json.loads(text), _HOLDER))


def encode_holding(holder: Holder, epoch: int) -> str:
    """Return who holds a lock, and under which epoch, as JSON."""
    return f'{{"epoch":{epoch},"holder":{encode_holder(holder)}}}'


def decode_holding(text: str) -> tuple[Holder, int]:
    """Return who holds a lock, and under which epoch; raise ValueError where the JSON text does not say so."""
    value = checked(json.loads(text), _HOLDING)
    return Holder(**checked(value["holder"], _HOLDER)), value["epoch"]
