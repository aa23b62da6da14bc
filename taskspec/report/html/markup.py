"""HTML as values that escape by construction: a text is only ever a text. Knows no report.

There is no way to hand in markup: children are elements or texts, names come from a closed form, an attribute that
would run a script is refused, and an address that is no place on this page or on the web is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

_VOID: Final = frozenset({"br", "col", "hr", "input", "link", "meta"})
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_RAW: Final = frozenset({"script", "style", "iframe", "object", "embed", "base", "template", "noscript", "textarea"})
"""Elements whose content is no text, or that load something: not to be had here."""
_TARGETS: Final = frozenset({"href", "src", "action", "formaction", "poster", "data", "srcset", "ping"})
_SAFE_TARGET: Final = re.compile(r"#|https?://[^\s\\]", re.IGNORECASE)
_SAFE: Final = frozenset(
    {"class", "id", "x", "y", "width", "height", "d", "dir", "role", "aria-label", "tabindex", "title"}
)
"""The attributes of which nothing has to be looked at."""
_PIECE: Final = 32_768
_KEPT: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}

# C0 without tab and newline, DEL, C1, what reorders or hides text or cannot be seen, and lone surrogates.
UNSEEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"
)
_ACTIVE: Final = re.compile(f"[&<>\"'{UNSEEN}]")

Node: TypeAlias = "str | Element | Iterable[Node] | None"
Attribute: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its name, its attributes, and what is in it, which may be made only when it is written."""

    tag: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: tuple[Node, ...] = ()


def el(tag: str, attributes: Mapping[str, Attribute] | None = None, *children: Node) -> Element:
    """Return an element; raise ValueError for a name that is none, or that could do more than show.

    An attribute that is None or False is left out, and one that is True stands without a value.
    """
    if tag in _RAW or not _is_name(tag):
        raise ValueError(f"`{tag}` is no element of a report")
    kept = {name: value for name, value in (attributes or {}).items() if value is not None and value is not False}
    for name, value in kept.items():
        if name in _SAFE:
            continue
        lower = name.lower()
        if not _is_name(name) or lower.startswith("on") or lower in {"style", "srcdoc"}:
            raise ValueError(f"`{name}` is no attribute of a report")
        if lower in _TARGETS and not _SAFE_TARGET.match(str(value)):
            return Element(tag, {key: other for key, other in kept.items() if key != name}, children)
    return Element(tag, kept, children)


def escaped(text: str) -> str:
    """Return a text that is the same text in HTML, also within quotes; what cannot be seen is spelled: `\\u202e`."""
    return _ACTIVE.sub(_spelled, text)


def rendered(node: Node) -> Iterator[str]:
    """Yield a node as HTML, in pieces of some size; raise TypeError for what is no node."""
    pieces: list[str] = []
    size = 0
    for piece in _pieces(node):
        pieces.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(pieces)
            pieces, size = [], 0
    yield "".join(pieces)


def _pieces(node: Node) -> Iterator[str]:
    """Yield the parts of a node one after the other, however deep it is."""
    open_nodes: list[Iterator[object]] = [iter((node,))]
    ends: list[str] = [""]
    while open_nodes:
        for one in open_nodes[-1]:
            if one is None:
                continue
            if isinstance(one, str):
                yield escaped(one)
            elif isinstance(one, Element):
                yield _opened(one)
                if one.tag not in _VOID:
                    open_nodes.append(iter(one.children))
                    ends.append(f"</{one.tag}>")
                    break
            elif isinstance(one, Iterable) and not isinstance(one, Mapping | bytes):
                open_nodes.append(iter(one))
                ends.append("")
                break
            else:
                raise TypeError(f"a {type(one).__name__} is no part of a page")
        else:
            open_nodes.pop()
            yield ends.pop()


@lru_cache(maxsize=512)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def spelled(character: str) -> str:
    """Return how a character is written that cannot be seen: `\\x1b`, `\\u202e`."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _opened(element: Element) -> str:
    parts = [element.tag]
    for name, value in element.attributes.items():
        parts.append(name if value is True else f'{name}="{escaped(str(value))}"')
    # the parser takes away a line break that stands first in it: one of ours, then
    return f"<{' '.join(parts)}>" + ("\n" if element.tag == "pre" else "")


def _spelled(found: re.Match[str]) -> str:
    return _KEPT.get(found[0]) or spelled(found[0])
