"""The templates of a document that stand where none is rendered. Renders nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.model import Document

Path = tuple[str | int, ...]

TEMPLATE: Final = re.compile(r"\{\{|\{%")
_BELONGS: Final = "Templates belong into the `spec` of a task, or of an entry of `defaults`."
_NOT_EVALUATED: Final = "Template not evaluated here"


def evaluated_nowhere(document: Document, path: Path, hint: str = _BELONGS) -> Iterator[Diagnostic]:
    """Find templates where none is rendered; descriptions are only for people."""
    waiting: list[tuple[Path, Any]] = [(path, value_at(document, path))]
    if not _holds_template(waiting[0][1]):
        return
    while waiting:
        at, value = waiting.pop()
        if _is_rendered(at):
            continue
        if isinstance(value, Mapping):
            waiting += [((*at, key), item) for key, item in value.items() if key != "description"]
        elif isinstance(value, list):
            waiting += [((*at, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str) and TEMPLATE.search(value):
            yield Diagnostic(
                summary=_NOT_EVALUATED,
                detail=f"`{path_text(at)}` holds a template, and is not evaluated.",
                hint=hint,
                position=document.position(at),
            )


def _is_rendered(path: Path) -> bool:
    """Tell whether a path of a project leads to the fields that tasks begin with."""
    return len(path) > 3 and path[-1] == "spec" and path[-3] == "defaults"


def _holds_template(value: Any) -> bool:
    """Tell whether any text in a value may be a template, without its place: for the many that have none."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "{{" in item or "{%" in item:
                return True
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def value_at(document: Document, path: Path) -> Any:
    """Return what stands at a path of a document; None where nothing does."""
    value: Any = document.value
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
