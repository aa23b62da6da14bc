"""Where the parts of a spec stand ↔ plain JSON values, so that a place can be told when its document is gone."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskspec.documents.model import Document, Marks, Origin, Source

_Path = tuple[str | int, ...]


def chart(source: Source, *, whole: bool) -> dict[str, Any]:
    """Return the places of a spec; unless they are `whole`, only those of its fields."""
    document = source.document
    places = document.places
    spec = _at(places, ("spec",))
    return {
        "file": document.file,
        "marks": [places.line, places.column],
        "spec": _marks(spec, None if whole else 1),
        "given": [
            {"path": list(path), **_origin(origin, whole=whole)}
            for path, origin in source.given.items()
            if whole or len(path) == 1
        ],
    }


def source_of(charted: Mapping[str, Any]) -> Source:
    """Return what `chart` made plain."""
    line, column = charted["marks"]
    root = Marks(line, column, {"spec": (line, column)}, {"spec": _read(charted["spec"])})
    given: dict[_Path, Origin | None] = {}
    for entry in charted["given"]:
        given[tuple(entry["path"])] = (
            None
            if entry["giver"] is None
            else Origin(Document(file=entry["file"], value={}, marks=_read(entry["marks"])), (), entry["giver"])
        )
    return Source(document=Document(file=charted["file"], value={}, marks=root), given=given)


def _origin(origin: Origin | None, *, whole: bool) -> dict[str, Any]:
    if origin is None:
        return {"giver": None}
    marks = _at(origin.document.places, origin.path)
    return {"giver": origin.giver, "file": origin.document.file, "marks": _marks(marks, None if whole else 0)}


def _at(marks: Marks, path: _Path) -> Marks:
    """Return the marks of the node at a path, or of its nearest ancestor."""
    for step in path:
        children = marks.children
        if isinstance(children, Mapping) and isinstance(step, str) and step in children:
            marks = children[step]
            continue
        if not isinstance(children, Sequence) or not isinstance(step, int) or step >= len(children):
            break
        marks = children[step]
    return marks


def _marks(marks: Marks, depth: int | None) -> list[Any]:
    """Return marks as a list without the nothing at its end; `depth` says how far down, None to the end."""
    children: Any = None
    if depth != 0 and marks.children is not None:
        below = None if depth is None else depth - 1
        if isinstance(marks.children, Mapping):
            children = {key: _marks(child, below) for key, child in marks.children.items()}
        else:
            children = [_marks(child, below) for child in marks.children]
    keys = None if marks.keys is None or children is None else {key: list(place) for key, place in marks.keys.items()}
    found = [marks.line, marks.column, keys, children, marks.block_indent, marks.quoted_from]
    while found[-1] is None:
        found.pop()
    return found


def _read(listed: Sequence[Any]) -> Marks:
    whole: list[Any] = [*listed, *[None] * (len(Marks._fields) - len(listed))]
    line, column, keys, children, block_indent, quoted_from = whole
    if isinstance(children, Mapping):
        children = {key: _read(child) for key, child in children.items()}
    elif children is not None:
        children = [_read(child) for child in children]
    places = None if keys is None else {key: (place[0], place[1]) for key, place in keys.items()}
    return Marks(line, column, places, children, block_indent, quoted_from)
