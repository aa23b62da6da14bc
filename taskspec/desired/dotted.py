"""Templates that hold nothing but plain dotted names, such as `{{ vars.region }}`: the short way past the engine.

What this module renders it must render byte for byte as the template engine would; everything else it leaves alone.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from taskspec.desired.later import Later

_NAME = re.compile(r"(?<!\{)\{\{ *([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*) *\}\}")


class _Nothing:
    """The type of `NOTHING`: None is a value."""


NOTHING: Final = _Nothing()


def is_template(text: str) -> bool:
    """Tell whether a text has any markup of a template in it."""
    return "{" in text and ("{{" in text or "{%" in text or "{#" in text)


def split(text: str) -> Sequence[str] | None:
    """Return literal, name, literal, name, …, literal; None for a text that holds any other markup."""
    if "{%" in text or "{#" in text or "\r" in text:
        return None
    parts = _NAME.split(text)
    return None if any("{{" in literal for literal in parts[::2]) else parts


def spans(text: str) -> list[tuple[int, int, str]] | None:
    """Return begin, end and name of each tag of a text with nothing but dotted names; None for any other."""
    return None if split(text) is None else [(tag.start(), tag.end(), tag[1]) for tag in _NAME.finditer(text)]


def look_up(name: str, names: Mapping[str, Any]) -> Any:
    """Return what a dotted name stands for; NOTHING where that is not plain."""
    found: Any = names
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return NOTHING
        found = found[part]
    if type(found) is Later:
        return str(found)
    if name.startswith("tasks.") and isinstance(found, Mapping | list):
        return NOTHING  # something in it may not be known yet
    return found


def fill(parts: Sequence[str], names: Mapping[str, Any]) -> Any:
    """Return the text with its names filled in, or the value itself of a text that is one single name."""
    filled = list(parts)
    for index in range(1, len(parts), 2):
        found = look_up(parts[index], names)
        if found is NOTHING:
            return NOTHING
        if len(parts) == 3 and not parts[0] and not parts[2]:
            return found
        filled[index] = found if type(found) is str else str(found)
    return "".join(filled)
