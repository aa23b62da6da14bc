"""The work that one template may do: every loop step, macro, operator and filter is charged here. Renders nothing.

Bounded are the length of each text that a template makes, the steps of its loops, the size of its numbers, and the
sum of what it reads and writes. Not bounded is what costs no more than its operands: comparing, `in`, slicing; a clock
that is read at each step of a loop is the net beneath them.
"""

import time
from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from contextlib import contextmanager
from typing import Any, Final

from taskspec.desired.later import refuse_later
from taskspec.desired.scope import WrongTemplateError

MAX_TEXT: Final = 1_000_000
"""Characters of one rendered text."""
MAX_WORK: Final = 10_000_000
"""Units of work of one template: about a character read or written."""
MAX_SECONDS: Final = 5.0
STEP: Final = 100
"""Units of one step of a loop: so there are at most 100,000."""
MAX_DEPTH: Final = 30
"""Macros that call each other, one within the other."""
_MAX_BITS = 4096
_SIMPLE = 8

_HINT = "Make it smaller, or put the text into a file."


class TooMuchError(WrongTemplateError):
    """The template asks for more than one template may."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, hint=_HINT)


class Meter:
    """Counts the work of one rendering after the other."""

    def __init__(self) -> None:
        self._before = self._work = 0
        self.restart()

    @property
    def work(self) -> int:
        """Return the work of all renderings."""
        return self._before + self._work

    def restart(self) -> None:
        """Begin with another template."""
        self._before += self._work
        self._work = 0
        self._depth = 0
        self._deadline = 0.0

    def charge(self, units: int) -> None:
        """Count work, and refuse what is too much."""
        self._work += units
        if self._work > MAX_WORK:
            raise TooMuchError("The template does too much work.")

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items of a loop, each of them charged."""
        for item in items:
            self.step()
            yield item

    def step(self, more: int = 0) -> None:
        """Charge a step of a loop, a call of a macro or an include, and look at the clock."""
        self.charge(STEP + more)
        now = time.monotonic()
        self._deadline = self._deadline or now + MAX_SECONDS
        if now > self._deadline:
            raise TooMuchError(f"The template takes longer than {MAX_SECONDS:.0f} seconds.")

    @contextmanager
    def deeper(self, arguments: int) -> Iterator[None]:
        """Charge a call of a macro, and bound how deep they call each other."""
        self.step(arguments)
        if self._depth >= MAX_DEPTH:
            raise TooMuchError(f"Macros call each other more than {MAX_DEPTH} deep.")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def weigh(self, value: Any) -> None:
        """Charge a value by its size; what is not plain text, number, list or map is refused."""
        if isinstance(value, str):
            self.charge(len(value) + 1)
        elif value is None or isinstance(value, int | float):
            self.charge(_SIMPLE)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.weigh(key)
                self.weigh(item)
        elif isinstance(value, list | tuple | KeysView | ValuesView | ItemsView):
            self.charge(_SIMPLE)
            for item in value:
                self.weigh(item)
        else:
            refuse_later(value)
            str(value)  # an undefined name and a method that was not called raise here, in their own words
            raise WrongTemplateError("The template uses something that is not a text, a number, a list or a map.")

    def weighed(self, value: Any) -> Any:
        """Charge a value, and return it."""
        self.weigh(value)
        return value

    def add(self, left: Any, right: Any) -> Any:
        """Add, or put one text or list behind another."""
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            self.charge(_fitting(len(left) + len(right)))
        return left + right

    def multiply(self, left: Any, right: Any) -> Any:
        """Multiply numbers of a sane size, or repeat a text or a list."""
        if isinstance(left, int) and isinstance(right, int):
            _fitting_bits(left.bit_length() + right.bit_length())
        elif isinstance(left, int) and isinstance(right, str | list | tuple):
            self.charge(_fitting(max(left, 0) * len(right)))
        elif isinstance(right, int) and isinstance(left, str | list | tuple):
            self.charge(_fitting(max(right, 0) * len(left)))
        return left * right

    def power(self, left: Any, right: Any) -> Any:
        """Raise a number to a power that gives a number of a sane size."""
        if isinstance(left, int) and isinstance(right, int):
            _fitting_bits(left.bit_length() * abs(right))
        return left**right

    def modulo(self, left: Any, right: Any) -> Any:
        """Return the remainder of numbers; `%` on a text would be its formatting, without a bound."""
        if isinstance(left, str):
            raise WrongTemplateError("`%` on a text is not supported.", hint="Put texts together with `~`.")
        return left % right


def _fitting(length: int) -> int:
    if length > MAX_TEXT:
        raise TooMuchError(f"The template makes a text or a list of more than {MAX_TEXT:,} items.")
    return length


def _fitting_bits(bits: int) -> None:
    if bits > _MAX_BITS:
        raise TooMuchError("The template computes a number of more than a thousand digits.")
