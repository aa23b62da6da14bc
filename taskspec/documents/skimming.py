"""YAML text → plain values the short way, where nothing in it needs a closer look. Says nothing of what is wrong.

What this module gives it must give exactly as the builder would, and that without a finding; for everything else (an
anchor, a tag, a merge key, a key that stands twice, a bound that is near …) it gives nothing, and the builder is asked.
"""

import re
from collections.abc import Callable
from sys import intern
from typing import Any, Final

from taskspec.documents.building import MAX_DEPTH, MAX_SCALAR, UNUSUAL
from taskspec.documents.scalars import WORDS, plain

_LONG: Final = MAX_SCALAR // 2
_SHORT: Final = 16
"""Up to so many characters a text is likely to stand in many documents, and is held once for all of them."""
_UNSAFE: Final = re.compile("[\0\ud800-\udfff]")


def skim(following: Callable[[], Any], kinds: Any) -> list[dict[str, Any]] | None:  # noqa: C901 - a call for each event would cost as much as all the rest
    """Return the documents of a parser's events, whose classes are in `kinds`; None where the builder has to look.

    Raises what the parser raises, and AmbiguousScalarError.
    """
    scalar, alias = kinds.ScalarEvent, kinds.AliasEvent
    open_map, close_map = kinds.MappingStartEvent, kinds.MappingEndEvent
    open_list, close_list = kinds.SequenceStartEvent, kinds.SequenceEndEvent
    found: list[dict[str, Any]] = []
    above: list[tuple[Any, bool]] = []
    holder: Any = None
    is_map = False
    key: str | None = None
    while (event := following()) is not None:
        kind = type(event)
        if kind is scalar:
            value: Any = event.value
            if event.anchor is not None or event.tag is not None or len(value) > _LONG:
                return None
            if event.implicit[0]:
                if not value or value[0] in UNUSUAL or value in WORDS:
                    value = plain(value)
                    if value == "<<" and key is None:
                        return None
            elif event.style == '"' and _UNSAFE.search(value):
                return None
            if value.__class__ is str and len(value) <= _SHORT:
                value = intern(value)
            if not is_map:
                if holder is not None:
                    holder.append(value)
                elif value is not None:
                    return None
            elif key is not None:
                holder[key] = value
                key = None
            elif value.__class__ is not str or value in holder:
                return None
            else:
                key = value
        elif kind is open_map or kind is open_list:
            if event.anchor is not None or event.tag is not None or len(above) >= MAX_DEPTH or (is_map and key is None):
                return None
            inner: Any = {} if kind is open_map else []
            if is_map:
                holder[key] = inner
            elif holder is not None:
                holder.append(inner)
            elif kind is open_map:
                found.append(inner)
            else:
                return None
            above.append((holder, is_map))
            holder, is_map, key = inner, kind is open_map, None
        elif kind is close_map or kind is close_list:
            holder, is_map = above.pop()
            key = None
        elif kind is alias:
            return None
    return found
