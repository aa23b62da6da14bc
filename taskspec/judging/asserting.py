"""Assertions against an answer: which do not hold, and what was found instead. Gives no verdict, and keeps nothing."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from taskspec.diagnostics import path_text
from taskspec.jsontext import NotJsonError, parse

if TYPE_CHECKING:
    from taskspec.expressions.model import Meter
    from taskspec.jsonpaths import Work

Assertion = Mapping[str, Any]
"""One assertion as it is written: its check, and perhaps a `path` and a `message`."""

MAX_WORK: Final = 2_000_000
"""How much all assertions of one answer may do together."""
SHOWN_VALUES: Final = 3
SHOWN_CHARACTERS: Final = 120


class UnmetError(Exception):
    """An assertion does not hold; the message is a clause that says why."""


def digest_of(assertions: Sequence[Assertion]) -> str | None:
    """Return by what a set of assertions is known; None where there are none."""
    if not assertions:
        return None
    return hashlib.sha256(json.dumps(list(assertions), sort_keys=True).encode()).hexdigest()


class Answer:
    """A text and what it is as JSON; the value is the parsed one where JSON was asked for."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self.text = text
        self._is_json = is_json
        self._parsed: list[Any] = []

    @property
    def value(self) -> Any:
        """Return what an assertion without a path is about."""
        return self.json if self._is_json else self.text

    @property
    def json(self) -> Any:
        """Return the answer parsed; raise UnmetError where it is not JSON."""
        if not self._parsed:
            try:
                self._parsed.append(parse(self.text))
            except NotJsonError as trouble:
                raise UnmetError(f"the answer is not JSON: {trouble}") from trouble
        return self._parsed[0]


def unmet(assertions: Sequence[Assertion], answer: Answer) -> Iterator[str]:
    """Yield, for each assertion that does not hold, which it is and what was found."""
    from taskspec.expressions.model import Meter
    from taskspec.jsonpaths import Work

    meter, work = Meter(MAX_WORK), Work(MAX_WORK)
    for number, assertion in enumerate(assertions, start=1):
        try:
            _check(assertion, answer, meter, work)
        except UnmetError as why:
            message = f"{assertion['message']} " if "message" in assertion else ""
            said = f"({why})" if message else str(why)
            yield f"assertion {number} does not hold: {message}{said}"


def _check(assertion: Assertion, answer: Answer, meter: "Meter", work: "Work") -> None:
    if "path" not in assertion:
        about = answer.text if {"regex", "minLength", "maxLength"} & assertion.keys() else answer.value
        if (why := _misfit(assertion, about, answer, meter)) is not None:
            raise UnmetError(why)
        return
    from taskspec.jsonpaths import JsonPath, WrongPathError

    path = assertion["path"]
    try:
        selected = JsonPath(path).select(answer.json, work)
    except WrongPathError as trouble:
        raise UnmetError(f"`{path}`: {trouble.message}") from trouble
    if not selected:
        raise UnmetError(f"`{path}` selects nothing in the answer")
    found = [
        f"at {_cut(place)}: {why}"
        for place, value in selected
        if (why := _misfit(assertion, value, answer, meter)) is not None
    ]
    if found:
        more = f", and {len(found) - SHOWN_VALUES} more" if len(found) > SHOWN_VALUES else ""
        raise UnmetError("; ".join(found[:SHOWN_VALUES]) + more)


def _misfit(assertion: Assertion, value: Any, answer: Answer, meter: "Meter") -> str | None:
    """Return why a value does not hold, as a clause; None where it does."""
    if "expr" in assertion:
        return _false(assertion["expr"], value, answer, meter)
    if "regex" in assertion:
        return _unmatched(assertion["regex"], value, meter)
    if "schema" in assertion:
        return _unfit(assertion["schema"], value)
    return _wrong_length(assertion, value)


def _false(text: str, value: Any, answer: Answer, meter: "Meter") -> str | None:
    from taskspec.documents.asserting import NAMES
    from taskspec.expressions.evaluating import compile_expression
    from taskspec.expressions.model import WrongExpressionError

    try:
        expression = compile_expression(text, NAMES)
        names = {"value": value, "result": answer.text}
        if "json" in expression.names:
            names["json"] = answer.json
        if expression.holds(names, matches, meter):
            return None
    except WrongExpressionError as trouble:
        return f"`{_line(text)}`: {trouble.message} {trouble.hint}".rstrip()
    return f"`{_line(text)}` is false, found {_shown(value)}"


def _unmatched(pattern: str, value: Any, meter: "Meter") -> str | None:
    from taskspec.expressions.model import Fault

    shown = _cut(pattern)
    if not isinstance(value, str):
        return f"a text was expected for `{shown}`, found {_shown(value)}"
    try:
        meter.spend(1_000 + len(value) // 20)
        return None if matches(value, pattern) else f"`{shown}` does not match, found {_shown(value)}"
    except Fault as trouble:
        return f"`{shown}`: {trouble.message}"
    except ValueError as trouble:
        return f"`{shown}` is no regular expression: {trouble}"


def _unfit(schema: Mapping[str, Any], value: Any) -> str | None:
    from taskspec.contracts import Contract, InvalidSchemaError

    try:
        violations = Contract(schema, linear=True).violations(value)
    except InvalidSchemaError as trouble:
        return f"its schema is not a valid JSON Schema: {trouble}"
    if not violations:
        return None
    first = violations[0]
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    return f"`{path_text(first.path, 'value')}` {first.message}{more}"


def _wrong_length(assertion: Assertion, value: Any) -> str | None:
    match value:
        case str():
            unit = "characters"
        case list() | dict():
            unit = "items"
        case _:
            return f"only a text, a list or a map has a length, found {_shown(value)}"
    length = len(value)
    if length < assertion.get("minLength", 0):
        return f"at least {assertion['minLength']} {unit} are needed, found {length}"
    if length > assertion.get("maxLength", length):
        return f"at most {assertion['maxLength']} {unit} are allowed, found {length}"
    return None


def matches(text: str, pattern: str) -> bool:
    """Tell whether a pattern is found in a text, in linear time; raise ValueError for a pattern that is none."""
    return not _pattern(pattern).violations(text)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Any:
    from taskspec.contracts import Contract

    return Contract({"pattern": pattern}, linear=True)


def _line(text: str) -> str:
    return _cut(" ".join(text.split()))


def _shown(value: Any) -> str:
    """Return a value as JSON, cut; a large one is not written out to its end."""
    shown = ""
    for part in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        shown += part[: SHOWN_CHARACTERS + 1]
        if len(shown) > SHOWN_CHARACTERS:
            break
    return _cut(shown)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
