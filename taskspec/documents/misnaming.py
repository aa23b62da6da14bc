"""The name of a field that is not known at its place → what its author meant. Judges no value, and shows none."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from taskspec.diagnostics import closest, nearest
from taskspec.documents.declaring import fitting_name

Path = tuple[str | int, ...]

_SURE: Final = 0.75
_MANY: Final = 12
_OF_FILES: Final = frozenset({"file", "filename", "path", "uri", "url"})
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "attachments": "files",
    "context": "additionalContext",
    "foreach": "forEach",
    "format": "outputFormat",
    "model": "llm",
    "needs": "dependsOn",
    "retries": "retry",
    "schema": "outputSchema",
    "strategy": "matrix",
    "system": "instructionsOverride",
    "tools": "mcpServers",
}
"""What other tools call the fields of a task."""


def way_out(name: str, path: Path, kind: str, known: tuple[str, ...], later: Iterable[str]) -> str:
    """Return what to do about a field that is not known at a path; `later` versions know further ones there."""
    if unseen := next((character for character in name if not character.isprintable()), None):
        return f"It holds an invisible character (U+{ord(unseen):04X}): type it anew."
    field, colon, value = name.partition(":")
    if colon and field in known:
        return f"Write `{field}: {value}`, with a space after the colon."
    if _is_of_a_file(name, path):
        return "Write the path or URL itself as the item: `files: [data/sales.csv]`."
    other = _OTHER_WORDS.get(name.lower())
    if other in known:
        return f"Did you mean `{other}`?"
    found = "" if closest(name, known, likeness=_SURE) else _owner(name, path, kind)
    found = found or nearest(name, known)
    if not found and (near := closest(name, later, likeness=_SURE)):
        found = f"`{near}` is not supported by this version yet."
    if found or not known:
        return found
    if len(known) > _MANY:
        return f"`taskspec explain {_explained(path, kind)}` lists the fields."
    listed = f"Known fields: {', '.join(f'`{field}`' for field in known)}."
    return f"{listed} A map of items stands in `items`." if path[-1:] == ("forEach",) else listed


def fitting(name: str, path: Path) -> str:
    """Return a name that can be, and is like one that cannot be."""
    if path[-1:] in {("variables",), ("matrix",)}:
        return re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)[:128] or "region"
    fits = fitting_name(name)
    return f"{fits[:60]}-1" if path[-1:] == ("environments",) and fits in {"default", "engine"} else fits


def lacks_anyway(missing: str, strangers: Iterable[str], path: Path, known: tuple[str, ...]) -> bool:
    """Tell whether a missing field is what one of the unknown names at its place is meant to be, or belongs into."""
    strangers = tuple(strangers)
    if any(_is_of_a_file(name, path) for name in strangers):
        return True
    return any(missing in {_meant(name, known), _inner_owner(name, path)} for name in strangers)


def _is_of_a_file(name: str, path: Path) -> bool:
    """Tell whether a name says of an item of `files` that it is a path or a URL."""
    match path:
        case (*_, "files", int()):
            return name.lower() in _OF_FILES
    return False


def _meant(name: str, known: tuple[str, ...]) -> str:
    field, colon, _ = name.partition(":")
    return field if colon and field in known else closest(name, known)


def _explained(path: Path, kind: str) -> str:
    return ".".join([kind.lower(), *(step for step in path if isinstance(step, str))])


def _inner_owner(name: str, path: Path) -> str:
    """Return the field at a path that is a map which knows a name, or an empty string."""
    match path:
        case (*_, "match"):
            return "labels"
        case (*_, "defaults", int()):
            return "spec" if name in _fields("Task") else ""
        case ():
            in_spec = name in _fields("Task") or name in _fields("Project")
            return "metadata" if name in {"name", "labels"} else "spec" if in_spec else ""
    return ""


def _owner(name: str, path: Path, kind: str) -> str:
    if inner := _inner_owner(name, path):
        return f"It belongs into `{inner}`."
    if path == ("spec",) and name in {"name", "labels"}:
        return "It belongs into `metadata`."
    if path == ("metadata",) and name in {"apiVersion", "kind", "spec"}:
        return "It stands beside `metadata`, not in it: indent it less."
    if path == ("spec",) and kind == "Task":
        owners = [field for field, names in _fields("Task").items() if name in names]
        if len(owners) == 1:
            return f"It belongs into `{owners[0]}`."
        if name in _fields("Project"):
            return "It is a field of a project, not of a task."
    if path == ("spec",) and kind == "Project" and name in _fields("Task"):
        return f"It is a field of a task; for all tasks, write `defaults: [{{spec: {{{name}: …}}}}]`."
    return ""


@cache
def _fields(kind: str) -> Mapping[str, frozenset[str]]:
    """Return the fields of the spec of a kind of document, with the names of the fields that each holds itself."""
    from taskspec.documents.describing import manifest_fields

    document = next(field for field in manifest_fields() if field.title == kind)
    spec = next(field for field in document.fields if field.path[-1] == "spec")
    return {field.path[-1]: frozenset(inner.path[-1] for inner in field.fields) for field in spec.fields}
