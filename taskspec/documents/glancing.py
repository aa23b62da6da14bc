"""A target → the tasks that a person may mean, as they stand in the files. Judges nothing, and complains of nothing.

Made for completion: it is asked while somebody types, so only files that hold what is looked for are parsed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskspec.diagnostics import Diagnostic
from taskspec.documents.locating import Place, locate
from taskspec.documents.model import Document
from taskspec.documents.parsing import parse
from taskspec.documents.reading import BadPatternError, list_manifests, match_manifests, read

_RESULTS = "results"


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """A project seen at a glance: where it stands, and its document as it is written; empty where there is none."""

    place: Place
    project: Mapping[str, Any]

    def tasks(self, wanted: str) -> Iterator[Document]:
        """Yield the tasks of those files that hold a text."""
        for path in self._files():
            yield from (document for document in _documents(path, wanted) if document.kind == "Task")

    @property
    def spec(self) -> Mapping[str, Any]:
        """Return what the project declares."""
        found = self.project.get("spec")
        return found if isinstance(found, Mapping) else {}

    def _files(self) -> Iterator[str]:
        if self.place.single is not None:
            yield str(self.place.single)
            return
        patterns = self.spec.get("manifests")
        if not isinstance(patterns, list):
            yield from list_manifests(self.place.ground.folder, _RESULTS).files
            return
        matched = [path for pattern in patterns for path in _matched(self.place, pattern)]
        yield from dict.fromkeys([*([str(self.place.project_file)] if self.place.project_file else []), *matched])


def glance(target: Path) -> Glance:
    """Look at a project; UsageError where there is no such target."""
    place = locate(target)
    documents = _documents(place.project_file, "Project") if place.project_file else ()
    declared = next((document.value for document in documents if document.kind == "Project"), {})
    return Glance(place=place, project=declared)


def _matched(place: Place, pattern: Any) -> tuple[str, ...]:
    try:
        return match_manifests(place.ground.folder, str(pattern)).files
    except BadPatternError:
        return ()


def _documents(path: Path | str, wanted: str) -> tuple[Document, ...]:
    content = read(path)
    if isinstance(content, Diagnostic) or wanted.encode() not in content:
        return ()
    return parse(content, str(path)).documents
