"""Specs laid over specs, field by field, with the place of everything that was laid in. Knows no field's meaning.

Maps are laid field by field at every depth; texts, numbers, lists, and what `WHOLE` names, replace what was there.
"""

from collections.abc import Mapping
from typing import Any, Final

from taskspec.documents.model import Document, Origin

Path = tuple[str | int, ...]

WHOLE: Final = frozenset({("outputSchema",), ("matrix",), ("forEach",)})
"""Fields of a task that are one thing, although they are written as maps."""


class Overlay:
    """A spec that grows layer by layer: `value`, and in `given` the origin of each part that was laid in."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self.given: dict[Path, Origin | None] = {}

    def copy(self) -> "Overlay":
        """Return an overlay that can grow by itself."""
        other = Overlay()
        other.value, other.given = dict(self.value), dict(self.given)
        return other

    def lay(self, fields: Mapping[str, Any], origin: Origin | None) -> None:
        """Lay fields over what is there; without an origin they are the document's own."""
        self.value = self._laid(self.value, fields, (), origin)

    def drop(self, name: str) -> None:
        """Take a field out again, with all that was laid into it."""
        self.value = {other: value for other, value in self.value.items() if other != name}
        self.given = {path: origin for path, origin in self.given.items() if path[:1] != (name,)}

    def _laid(self, below: Mapping[str, Any], above: Mapping[str, Any], path: Path, origin: Origin | None) -> Any:
        found = dict(below)
        for name, value in above.items():
            here = (*path, name)
            place = origin._replace(path=(*origin.path, name)) if origin is not None else None
            under = found.get(name)
            if isinstance(under, Mapping) and isinstance(value, Mapping) and here not in WHOLE:
                found[name] = self._laid(under, value, here, place)
            else:
                found[name] = value
                self._note(here, place, was_map=isinstance(under, Mapping))
        return found

    def _note(self, path: Path, origin: Origin | None, *, was_map: bool) -> None:
        """Note where the value at a path stands: None within what was laid in means that it is the document's own."""
        self.given.pop(path, None)
        if was_map:
            for other in [other for other in self.given if other[: len(path)] == path]:
                del self.given[other]
        if origin is not None or any(path[:length] in self.given for length in range(1, len(path))):
            self.given[path] = origin


def leaves(fields: Mapping[str, Any], path: Path = ()) -> list[Path]:
    """Return the paths of everything that fields give by themselves: what two layers of one rank must not both give."""
    found: list[Path] = []
    for name, value in fields.items():
        here = (*path, name)
        found += leaves(value, here) if isinstance(value, Mapping) and value and here not in WHOLE else [here]
    return found


def environment_of(document: Document | None, name: str) -> Mapping[str, Any]:
    """Return what a project's document declares for an environment."""
    spec = (document.value.get("spec") or {}) if document is not None else {}
    found: Mapping[str, Any] = spec.get("environments", {}).get(name, {})
    return found
