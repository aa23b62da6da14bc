"""Where the text of a scalar begins in its file, behind quotes or in a block. Reads no value."""

import re
from typing import TYPE_CHECKING, Final

from taskspec.documents.model import Marks

if TYPE_CHECKING:
    from taskspec.documents.yaml_events import ScalarEvent

_BLOCK: Final = re.compile(r"[^\n]*\n(?:[ \t]*\r?\n)*( *)")


def marks_of(event: "ScalarEvent", place: tuple[int, int], source: str) -> Marks:
    """Return the marks of a scalar that stands at `place` of a file's text."""
    index = event.start_mark.index
    if event.style in {"|", ">"}:
        return Marks(*place, block_indent=_block_indent(index, event.value, source))
    if event.style in {'"', "'"}:
        quote = source.find(event.style, index)  # an anchor or a tag may stand before it
        return Marks(*place, quoted_from=place[1] + quote - index + 1)
    return Marks(*place)


def _block_indent(index: int, value: str, source: str) -> int:
    """Return the column at which a block's text begins: the source's indentation less the value's own."""
    first = value.lstrip("\n")
    own = len(first) - len(first.lstrip(" "))
    found = _BLOCK.match(source, index)
    return max(len(found[1]) - own, 0) + 1 if found else 1
