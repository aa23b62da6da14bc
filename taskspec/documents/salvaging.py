"""A document that is wrong → what of it is right, so that all its mistakes are found at once. Tells none itself."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.documents.model import Document
from taskspec.documents.templates import Path
from taskspec.documents.violating import manifest_contract

CELLS: Final = frozenset({"matrix", "forEach"})
"""The fields that say which cells a task has."""


def sound_fields(document: Document) -> Mapping[str, Any] | None:
    """Return what is right of the spec of a task that is wrong; None where that tells nothing about the task."""
    spec, touched = document.value.get("spec"), set[Any]()
    for violation in manifest_contract().violations(document.value):
        match violation.path:
            case ("spec",) if violation.keyword == "additionalProperties":
                touched.update(violation.detail["names"])
            case ("spec", field, *_):
                touched.add(field)
            case () | ("spec",) | ("metadata",) if violation.keyword in {"required", "additionalProperties"}:
                pass
            case _:
                return None
    if not isinstance(spec, Mapping) or not touched.isdisjoint(CELLS):
        return None
    return {name: value for name, value in spec.items() if name not in touched}


def flaws(document: Document) -> Iterator[Path]:
    """Yield the paths at which the form of a document is wrong."""
    for violation in manifest_contract().violations(document.value):
        yield violation.path
        yield from ((*violation.path, name) for name in violation.detail["names"])
