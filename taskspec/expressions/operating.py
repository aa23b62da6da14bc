"""The operators of expressions: comparing, computing, looking into. Each raises Fault for kinds that do not fit."""

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from taskspec.expressions.kinds import computed, kind, number, said, sized, text
from taskspec.expressions.model import MAX_BITS, Fault, Tools

_ORDER: Final[Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]]] = {
    ast.Lt: ("<", lambda a, b: a < b),
    ast.LtE: ("<=", lambda a, b: a <= b),
    ast.Gt: (">", lambda a, b: a > b),
    ast.GtE: (">=", lambda a, b: a >= b),
}
_ARITHMETIC: Final[Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]]] = {
    ast.Add: ("+", lambda a, b: a + b),
    ast.Sub: ("-", lambda a, b: a - b),
    ast.Mult: ("*", lambda a, b: a * b),
    ast.Div: ("/", lambda a, b: a / b),
    ast.FloorDiv: ("//", lambda a, b: a // b),
    ast.Mod: ("%", lambda a, b: a % b),
}


def compared(tools: Tools, op: ast.cmpop, left: Any, right: Any) -> bool:
    """Return what a comparison says; raise Fault for kinds that cannot be compared."""
    match op:
        case ast.Eq():
            return _same(tools, "==", left, right)
        case ast.NotEq():
            return not _same(tools, "!=", left, right)
        case ast.In():
            return holds(tools, left, right, "`in`")
        case ast.NotIn():
            return not holds(tools, left, right, "`not in`")
        case ast.Is() | ast.IsNot():
            if right is not None and not isinstance(right, bool):
                raise Fault(f"`is` asks for null, true or false, found {said(right)}", "Write `==`.")
            return (left is right) == isinstance(op, ast.Is)
        case _:
            sign, compare = _ORDER[type(op)]
            if kind(left) != kind(right) or kind(left) not in {"number", "string"}:
                raise Fault(f"`{sign}` cannot compare {said(left)} with {said(right)}", _conversion(left, right))
            tools.meter.spend(len(left) // 100 if isinstance(left, str) else 0)
            return compare(left, right)


def _same(tools: Tools, sign: str, left: Any, right: Any) -> bool:
    """Tell whether two values are equal. Of two kinds they never can be: that is a mistake, but for null."""
    if kind(left) != kind(right) and left is not None and right is not None:
        hint = _conversion(left, right)
        raise Fault(f"`{sign}` compares {said(left)} with {said(right)}, which are never equal", hint)
    return equal(tools, left, right)


def _conversion(left: Any, right: Any) -> str:
    """Return the way out where a string may hold a number."""
    return "Write number(…) for the number in a string." if {kind(left), kind(right)} == {"number", "string"} else ""


def combined(tools: Tools, op: ast.operator, left: Any, right: Any) -> Any:
    """Return what two values give together; raise Fault for kinds that cannot be computed with."""
    if isinstance(op, ast.Pow):
        return _power(left, right)
    sign, compute = _ARITHMETIC[type(op)]
    if sign == "+" and kind(left) == kind(right) and kind(left) in {"string", "list"}:
        tools.meter.spend((len(left) + len(right)) // (100 if isinstance(left, str) else 1))
        return sized([*left, *right] if kind(left) == "list" else left + right)
    if kind(left) != "number" or kind(right) != "number":
        raise Fault(f"`{sign}` cannot compute with {said(left)} and {said(right)}")
    try:
        return computed(compute(left, right))
    except ZeroDivisionError:
        raise Fault("nothing can be divided by 0") from None


def _power(left: Any, right: Any) -> int | float:
    base, exponent = number(left, "`**`"), number(right, "`**`")
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > 2 * MAX_BITS:
        raise Fault("the number is too large")
    try:
        found = base**exponent
    except ZeroDivisionError:
        raise Fault("nothing can be divided by 0") from None
    if not isinstance(found, int | float):
        raise Fault("the root of a negative number has no value here")
    return computed(found)


def equal(tools: Tools, left: Any, right: Any) -> bool:
    """Tell whether two JSON values are the same; `true` is no number."""
    waiting = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        tools.meter.spend()
        if kind(one) != kind(other):
            return False
        match kind(one):
            case "list":
                if len(one) != len(other):
                    return False
                tools.meter.spend(len(one))
                waiting += zip(one, other, strict=True)
            case "map":
                if one.keys() != other.keys():
                    return False
                tools.meter.spend(len(one))
                waiting += ((one[key], other[key]) for key in one)
            case "string":
                tools.meter.spend(min(len(one), len(other)) // 100)
                if one != other:
                    return False
            case _:
                if one != other:
                    return False
    return True


def holds(tools: Tools, part: Any, whole: Any, what: str) -> bool:
    """Tell whether a list holds an item, a map a key, or a text another text."""
    match kind(whole):
        case "list":
            return any(equal(tools, item, part) for item in whole)
        case "map":
            return text(part, f"{what} of a map") in whole
        case "string":
            tools.meter.spend(len(whole) // 10)
            return text(part, f"{what} of a string") in whole
        case _:
            raise Fault(f"{what} looks into a string, a list or a map, found {said(whole)}")
