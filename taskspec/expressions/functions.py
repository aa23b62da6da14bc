"""The functions of expressions: plain, metered. Each raises Fault for what it cannot take, and none opens anything."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from taskspec.expressions.kinds import computed, items, kind, number, said, sized, text, truth
from taskspec.expressions.model import Fault, Tools
from taskspec.expressions.operating import holds

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A function: how it is written, how many values it takes, and what it does."""

    form: str
    fewest: int
    most: int
    run: Callable[..., Any]


def _len(_tools: Tools, value: Any) -> int:
    if kind(value) not in {"string", "list", "map"}:
        raise Fault(f"len() takes a string, a list or a map, found {said(value)}")
    return len(value)


def _count(_tools: Tools, value: Any) -> int:
    return sum(1 for _ in items(value, "count()"))


def _foremost(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    def run(tools: Tools, *values: Any) -> Any:
        given = list(items(values[0], f"{name}()")) if len(values) == 1 else list(values)
        tools.meter.spend(len(given))
        if not given:
            raise Fault(f"{name}() of nothing has no value", f"Test it before: {name}(x) > 0 if len(x) > 0 else false.")
        kinds = {kind(value) for value in given}
        if kinds not in ({"number"}, {"string"}):
            other = next((value for value in given if kind(value) not in {"number", kind(given[0])}), given[-1])
            raise Fault(f"{name}() compares numbers with numbers or strings with strings, found {said(other)}")
        return choose(given)

    return run


def _sum(tools: Tools, value: Any) -> int | float:
    total: int | float = 0
    for item in items(value, "sum()"):
        tools.meter.spend()
        total = computed(total + number(item, "sum()"))
    return total


def _every(name: str, found: Callable[..., bool]) -> Callable[..., bool]:
    def run(tools: Tools, value: Any) -> bool:
        given = list(items(value, f"{name}()"))
        tools.meter.spend(len(given))
        return found(truth(item, f"{name}()") for item in given)

    return run


def _round(_tools: Tools, value: Any, digits: Any = None) -> int | float:
    found = number(value, "round()")
    if digits is None:
        return computed(round(found))
    places = number(digits, "round()")
    if not isinstance(places, int) or abs(places) > 100:
        raise Fault(f"round() takes digits from -100 to 100, found {said(digits)}")
    return computed(round(found, places))


def _of_text(name: str, change: Callable[[str], Any]) -> Callable[..., Any]:
    def run(tools: Tools, value: Any) -> Any:
        given = text(value, f"{name}()")
        tools.meter.spend(len(given))
        return sized(change(given))

    return run


def _of_two(name: str, test: Callable[[str, str], bool]) -> Callable[..., Any]:
    def run(tools: Tools, value: Any, part: Any) -> bool:
        given, wanted = text(value, f"{name}()"), text(part, f"{name}()")
        tools.meter.spend(len(given) // 10)
        return test(given, wanted)

    return run


def _contains(tools: Tools, value: Any, part: Any) -> bool:
    return holds(tools, part, value, "contains()")


def _matches(tools: Tools, value: Any, pattern: Any) -> bool:
    given, wanted = text(value, "matches()"), text(pattern, "matches()")
    tools.meter.spend(1_000 + len(given) // 20)
    try:
        return tools.matches(given, wanted)
    except ValueError as trouble:
        raise Fault(f"the regular expression is not valid: {trouble}") from trouble


def _number(_tools: Tools, value: Any) -> int | float:
    if kind(value) == "number":
        return number(value, "number()")
    given = text(value, "number()").strip()
    if not _NUMBER.fullmatch(given):
        raise Fault(f"number() takes a string that is a number in JSON, found {said(value)}")
    return computed(int(given) if given.lstrip("-").isdigit() else float(given))


def _text(_tools: Tools, value: Any) -> str:
    if isinstance(value, str):
        return value
    if kind(value) in {"list", "map"}:
        raise Fault(f"text() takes a single value, found {said(value)}")
    import json

    return json.dumps(computed(value) if kind(value) == "number" else value)


def _keys(tools: Tools, value: Any) -> list[Any]:
    if kind(value) != "map":
        raise Fault(f"keys() takes a map, found {said(value)}")
    tools.meter.spend(len(value))
    return list(value)


def _values(tools: Tools, value: Any) -> list[Any]:
    return [value[key] for key in _keys(tools, value)]


def _made(form: str, run: Callable[..., Any], fewest: int = 1, most: int = 1) -> tuple[str, Function]:
    return form.partition("(")[0], Function(form=form, fewest=fewest, most=most, run=run)


OF_ITEMS: Final = frozenset({"all", "any", "sum", "min", "max", "len", "count"})
"""The functions that take `… for x in …`."""
FUNCTIONS: Final[Mapping[str, Function]] = dict(
    [
        _made("abs(number)", lambda _tools, value: abs(number(value, "abs()"))),
        _made("all(list)", _every("all", all)),
        _made("any(list)", _every("any", any)),
        _made("contains(whole, part)", _contains, 2, 2),
        _made("count(list)", _count),
        _made("endswith(string, end)", _of_two("endswith", str.endswith), 2, 2),
        _made("keys(map)", _keys),
        _made("len(string, list or map)", _len),
        _made("lines(string)", _of_text("lines", str.splitlines)),
        _made("lower(string)", _of_text("lower", str.lower)),
        _made("matches(string, regex)", _matches, 2, 2),
        _made("max(list) or max(one, other)", _foremost("max", max), 1, 20),
        _made("min(list) or min(one, other)", _foremost("min", min), 1, 20),
        _made("number(string)", _number),
        _made("round(number, digits)", _round, 1, 2),
        _made("startswith(string, begin)", _of_two("startswith", str.startswith), 2, 2),
        _made("sum(list)", _sum),
        _made("text(value)", _text),
        _made("trim(string)", _of_text("trim", str.strip)),
        _made("type(value)", lambda _tools, value: kind(value)),
        _made("upper(string)", _of_text("upper", str.upper)),
        _made("values(map)", _values),
        _made("words(string)", _of_text("words", str.split)),
    ]
)
