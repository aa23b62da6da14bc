"""A target → the tasks that a person may mean, as they stand in the files. Judges nothing, and complains of nothing.

Made for completion: it is asked while somebody types, so only files that hold what is looked for are parsed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taskspec.diagnostics import Diagnostic
from taskspec.documents.locating import Place, locate
from taskspec.documents.model import Document
from taskspec.documents.parsing import parse
from taskspec.documents.reading import BadPatternError, list_manifests, match_manifests, read

_RESULTS = "results"


def glance(target: Path, wanted: str) -> Iterator[Document]:
    """Yield the tasks of those files of a project that hold a text; UsageError where there is no such target."""
    place = locate(target)
    for path in _files(place):
        yield from (document for document in _documents(path, wanted) if document.kind == "Task")


def _files(place: Place) -> Iterator[Path]:
    if place.single is not None:
        yield place.single
        return
    project = _documents(place.project_file, "Project") if place.project_file else ()
    spec = next((document.value.get("spec") for document in project if document.kind == "Project"), None)
    patterns = spec.get("manifests") if isinstance(spec, Mapping) else None
    if not isinstance(patterns, list):
        yield from list_manifests(place.ground.folder, _RESULTS).files
        return
    if place.project_file:
        yield place.project_file
    yield from dict.fromkeys(path for pattern in patterns for path in _matched(place, pattern))


def _matched(place: Place, pattern: Any) -> tuple[Path, ...]:
    try:
        return match_manifests(place.ground.folder, str(pattern)).files
    except BadPatternError:
        return ()


def _documents(path: Path, wanted: str) -> tuple[Document, ...]:
    content = read(path)
    if isinstance(content, Diagnostic) or wanted.encode() not in content:
        return ()
    return parse(content, str(path)).documents
