"""What a whole project may ask for, however its parts multiply each other: work, text, and repeated specs.

`metering` bounds one template. A matrix makes a hundred thousand of one, so their sum is bounded here. Renders nothing.
"""

from collections.abc import Mapping
from sys import getsizeof
from typing import Any, Final

from taskspec.desired.metering import TooMuchError

MAX_SPENT: Final = 600_000_000
"""Units of work of all templates of a project; the bytes of what they make count three times."""
MAX_REPEATED: Final = 250_000_000
"""The weight of the specs that are not written once for each task: those of cells, and those of defaults."""
_VALUE: Final = 200


class Budget:
    """What the templates of a project have left."""

    def __init__(self) -> None:
        self._spent = 0
        self._is_told = False

    def require(self) -> None:
        """Raise TooMuchError where nothing is left; only the first one is told."""
        if self._spent > MAX_SPENT:
            fault = TooMuchError("The templates of the project do too much work, or make too much text.")
            fault.reported = self._is_told
            self._is_told = True
            raise fault

    def work(self, units: int) -> None:
        """Take note of work, as `metering` counts it."""
        self._spent += units

    def make(self, value: Any) -> None:
        """Take note of a rendered value."""
        self._spent += _units(value)

    def renew(self) -> None:
        """Begin anew: results have come, long after everything else was rendered."""
        self._spent = 0


def weight(spec: Any) -> int:
    """Return what a spec takes each time that it is used: by its values, and by the length of its texts."""
    if isinstance(spec, str):
        return _VALUE + len(spec) // 2
    if isinstance(spec, dict):
        return _VALUE + sum(map(weight, spec.values()))
    return _VALUE + sum(map(weight, spec)) if isinstance(spec, list) else _VALUE


def _units(value: Any) -> int:
    if isinstance(value, str):
        return 3 * getsizeof(value)
    if isinstance(value, Mapping):
        return 300 + sum(_units(key) + _units(item) for key, item in value.items())
    return 300 + sum(map(_units, value)) if isinstance(value, list) else 30
