"""The way out of a value that does not fit, for its author. Repeats no value of a field that may be secret."""

import re
from collections.abc import Iterable
from typing import Any, Final

from taskspec.contracts import Violation
from taskspec.diagnostics import nearest
from taskspec.documents.declaring import fitting_name

_TEMPLATE: Final = re.compile(r"\{\{|\{%")


def way_out(violation: Violation, value: Any) -> str:
    """Return what to do about a value that does not fit, or an empty string."""
    wanted = violation.detail["expected"]
    if isinstance(value, str) and _TEMPLATE.search(value):
        return "A template is not evaluated here."
    if "apiKey" in violation.path:
        return "Write `apiKey: {env: NAME}`; the key itself never stands in a file."
    match violation.keyword, violation.path:
        case "pattern", (*_, "baseUrl"):
            return "Write `https://host[:port][/path]`: over http:// everybody on the way can read the key."
        case "pattern", ("metadata", "name") if isinstance(value, str):
            return f"Write, for example, `{fitting_name(value)}`."
        case "pattern", (*_, "prompt"):
            return "Write a text; the lines after a `|` must be indented."
        case "enum", _ if isinstance(value, str):
            return nearest(value, [item for item in wanted if isinstance(item, str)])
        case "type", _:
            return _other_type(wanted, value, is_duration="a duration" in (violation.detail["says"] or ""))
    return ""


def later_field(name: str, later: Iterable[str]) -> str:
    """Say that a name is nearly one of a later version; an empty string where it is not."""
    meant = nearest(name, later).removeprefix("Did you mean ").removesuffix("?")
    return f"{meant} is not supported by this version yet." if meant else ""


def _other_type(wanted: Any, value: Any, *, is_duration: bool) -> str:
    match wanted, value:
        case "string", int() | float():
            return "Write it with its unit." if is_duration else "Put it in quotes."
        case "string", None:
            return "Write a text; what follows a `#` is a comment, unless it is in quotes."
        case "string", list():
            return "Write one text; over several lines with `|`, and indented."
        case "array", str():
            return "Write it as a list: [one, two]."
        case "object", None:
            return "Indent its fields below it."
        case "object", list():
            return "Write its fields without the `-`: `key: value`."
        case "object", str():
            return "Write its fields as `key: value`, with a space after the colon."
    return ""
