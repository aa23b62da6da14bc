"""The way out of a value that does not fit, for its author. Repeats no value of a field that may be secret."""

import re
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final

from taskspec.contracts import Violation
from taskspec.diagnostics import nearest
from taskspec.documents.declaring import fitting_name

NOT_RENDERED: Final = frozenset(
    {"assertions", "retry", "rerun", "onChangeActive", "onRemove", "protect", "sideEffects", "timeout", "retention"}
)
"""Fields of a task in which no template is rendered, but for the triggers of `rerun`."""
_TEMPLATE: Final = re.compile(r"\{\{|\{%")
_DASHES: Final = ("-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\u2022", "*")
_CURLY: Final = "\u2018\u2019\u201c\u201d\u201e\u201a\u00ab\u00bb"
_DIGITS: Final = re.compile(r"[+-]?[0-9][0-9_,]*(?:\.[0-9]+)?")
_UNIT: Final = re.compile(
    r"\s*([1-9][0-9]*)\s*(ms|msecs?|millis(?:econds?)?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\.?\s*",
    re.IGNORECASE,
)
_YES: Final = frozenset({"y", "yes", "on", "true"})
_NO: Final = frozenset({"n", "no", "off", "false"})
_INSTEAD: Final[Mapping[str, tuple[tuple[Any, str], ...]]] = {
    "string": (
        (bool | int | float, "Put it in quotes."),
        (NoneType, "Write a text; what follows a `#` is a comment, unless it is in quotes."),
        (list, "Write one text; over several lines with `|`, and indented."),
        (Mapping, "Write one text; one that holds `: ` or begins with `{` needs quotes."),
    ),
    "array": (
        (str, "Write it as a list: [one, two]."),
        (NoneType, "Write its items below it, each after `- `; or remove the field."),
        (Mapping, "Write it as a list: each item begins with `- `."),
    ),
    "object": (
        (NoneType, "Indent its fields below it."),
        (list, "Write its fields without the `-`: `key: value`."),
        (str, "Write its fields as `key: value`, with a space after the colon."),
    ),
}
"""What to do where another type is wanted: by that type, and the one that is found."""
_KIND: Final = {
    "object": "Write its fields as `key: value`.",
    "array": "Write it as a list: [one, two].",
    "string": "Write a text.",
    "boolean": "Write `true` or `false`.",
    "integer": "Write a whole number.",
    "number": "Write a number.",
}


def way_out(violation: Violation, value: Any) -> str:
    """Return what to do about a value that does not fit, or an empty string."""
    if isinstance(value, str) and _TEMPLATE.search(value):
        return _template(violation)
    if "apiKey" in violation.path:
        return "Write `apiKey: {env: NAME}`; the key itself never stands in a file."
    is_duration = "a duration" in (violation.detail["says"] or "")
    if is_duration and isinstance(value, str):
        return _duration(value)
    return _by_place(violation, value) or _by_keyword(violation)


def _by_place(violation: Violation, value: Any) -> str:
    wanted = violation.detail["expected"]
    match violation.keyword, violation.path:
        case "pattern", (*_, "baseUrl"):
            return "Write `https://host[:port][/path]`: over http:// everybody on the way can read the key."
        case "pattern", ("spec", *_, "state"):
            return "Write `local`, `postgresql://user@host/database`, `s3://bucket/prefix` or `https://host/path`."
        case "pattern", ("metadata", "name") if isinstance(value, str):
            return f"Write, for example, `{fitting_name(value)}`."
        case "pattern", (*_, "policies", int(), "name") if isinstance(value, str):
            return f"Write, for example, `{'no-missing' if value == 'missing' else fitting_name(value)[:64]}`."
        case "pattern", (*_, "prompt"):
            return "Write a text; the lines after a `|` must be indented."
        case (("type" | "anyOf"), (*_, "files", int())):
            return "Write a path, a URL, or `{task: NAME}` for the result of a task."
        case "type", ("spec", "forEach"):
            return "Write a list of items, or `{file: data.csv, key: id}`."
        case "type", ("spec", "moved"):
            return "Write `moved: {from: NAME}`, with the name that the task had before."
        case "enum", _ if isinstance(value, str):
            return _known_word(value, [item for item in wanted if isinstance(item, str)])
        case "const", _ if wanted is True:
            return "Write `true`."
        case "type", _:
            return _other_type(wanted, value, is_duration="a duration" in (violation.detail["says"] or ""))
    return ""


def _by_keyword(violation: Violation) -> str:
    wanted = violation.detail["expected"]
    match violation.keyword:
        case "enum":
            return "Write one of these."
        case "minimum":
            return f"Write {wanted} or more."
        case "maximum":
            return f"Write {wanted} or less."
        case "minLength":
            return "Write a text."
        case "minItems":
            return "Write at least one item."
        case "uniqueItems":
            return "Remove one of the two."
        case "minProperties":
            return "Write at least one field."
        case "type":
            return _KIND.get(wanted, "Write one of these.") if isinstance(wanted, str) else "Write one of these."
    return ""


def schema_way_out(path: Sequence[str | int]) -> str:
    """Return what to do about what is wrong at a path of a JSON Schema, or an empty string."""
    match path:
        case (*_, "type"):
            return "Types are `object`, `array`, `string`, `number`, `integer`, `boolean` and `null`."
        case (*_, "$ref"):
            return "Define it under `$defs` of the schema, and write `$ref: '#/$defs/NAME'`."
        case (*_, "pattern"):
            return "Write a regular expression; in single quotes each `\\` stays as it is."
        case (*_, "properties" | "$defs", str()):
            return "Write a schema for it: {type: string}."
        case (*_, "enum"):
            return "Write a list of values: [emea, apac]."
        case (*_, "required"):
            return "Write a list of names: [total, currency]."
    return "It is read as JSON Schema, version 2020-12."


def reference_path(schema: Any, said: str) -> tuple[str | int, ...]:
    """Return the path of the `$ref` of a JSON Schema that a complaint names; nothing where there is none."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), schema)]
    while waiting:
        path, value = waiting.pop()
        if path[-1:] == ("$ref",) and isinstance(value, str) and value.lstrip("#") in said:
            return path
        if isinstance(value, Mapping):
            waiting += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in enumerate(value)]
    return ()


def _template(violation: Violation) -> str:
    if violation.path[:1] != ("spec",) or violation.path[1] in NOT_RENDERED:
        return "A template is not evaluated here."
    return "Write the value, or one single `{{ … }}` with nothing beside it."


def _known_word(value: str, known: list[str]) -> str:
    found = nearest(value.strip(_CURLY), known)
    if set(value) & set(_CURLY):
        return f"{found} Curly quotes are part of the text: write straight ones, or none.".strip()
    if unseen := next((character for character in value if not character.isprintable()), None):
        return f"{found} It holds an invisible character (U+{ord(unseen):04X}): type it anew.".strip()
    return found


def _other_type(wanted: Any, value: Any, *, is_duration: bool) -> str:
    match wanted, value:
        case "string", int() | float() if is_duration:
            example = f"{value}s" if isinstance(value, int) and value > 0 else "30s"
            return f"Write it with its unit. For example, `{example}`."
        case "array", str() if value.lstrip().startswith(_DASHES):
            return "An item of a list begins with `- `: a hyphen, and a space."
        case "boolean", str():
            return _boolean(value)
        case (("integer" | "number"), str()):
            return "Write the number without quotes, `_` or `,`." if _DIGITS.fullmatch(value) else ""
        case list(), None:
            return "Write a value, or remove it."
        case str(), _:
            return next((way for kind, way in _INSTEAD.get(wanted, ()) if isinstance(value, kind)), "")
    return ""


def _boolean(value: Any) -> str:
    if str(value).lower() in _YES:
        return "Write `true`; in YAML 1.2 only `true` and `false`, without quotes, are no texts."
    if str(value).lower() in _NO:
        return "Write `false`; in YAML 1.2 only `true` and `false`, without quotes, are no texts."
    return ""


def _duration(value: str) -> str:
    found = _UNIT.fullmatch(value)
    if found is None:
        return "A duration is a whole number and its unit: `ms`, `s`, `m`, `h` or `d`."
    unit = "ms" if found[2].lower().startswith(("ms", "mil")) else found[2][0].lower()
    written = f"{found[1]}{unit}"
    if written == value:
        return f"Write a {'larger' if int(found[1]) == 0 else 'smaller'} number."
    return f"Write `{written}`."
