"""What a project gives its tasks to begin with, by rank: its policies, `defaults`, those by label, the environment's.

A rank goes over those before it, a task's own fields over all. Two entries of one rank that give one task the same
field contradict each other: that is an error, and never decided in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.model import Document, Origin, Project
from taskspec.documents.overlaying import Overlay, Path, environment_of, leaves

POLICIES: Final = ("retry", "onRemove", "timeout")
"""Fields of a task's spec that a project's spec may hold directly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    rank: int
    labels: Mapping[str, str]
    fields: Mapping[str, Any]
    origin: Origin

    def is_for(self, labels: Mapping[str, str]) -> bool:
        return self.labels.items() <= labels.items()


class Defaults:
    """The defaults of one project in one environment."""

    def __init__(self, project: Project) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._entries = sorted(_entries(project), key=lambda entry: entry.rank)
        self._done: dict[tuple[int, ...], Overlay] = {}

    def overlay(self, labels: Mapping[str, str]) -> Overlay | None:
        """Return what a task with these labels begins with; None where that is nothing."""
        chosen = tuple(index for index, entry in enumerate(self._entries) if entry.is_for(labels))
        if not chosen:
            return None
        if chosen not in self._done:
            self._done[chosen] = self._laid([self._entries[index] for index in chosen])
        return self._done[chosen].copy()

    def _laid(self, entries: list[_Entry]) -> Overlay:
        overlay = Overlay()
        taken: dict[tuple[int, Path], Origin] = {}
        for entry in entries:
            for path in leaves(entry.fields):
                place = entry.origin._replace(path=(*entry.origin.path, *path))
                first = _first_taker(taken, entry.rank, path)
                if first is not None:
                    self._note_twice(path, place, first)
                taken[entry.rank, path] = place
            overlay.lay(entry.fields, entry.origin)
        return overlay

    def _note_twice(self, path: Path, place: Origin, first: Origin) -> None:
        finding = Diagnostic(
            summary="Given twice",
            detail=f"Two entries of one rank give `{path_text(path)}` to the same task; the other one is at "
            f"{first.document.position(first.path, key=True)}.",
            hint="Keep one of them, or let their `match` name different labels.",
            position=place.document.position(place.path, key=True),
        )
        if finding not in self.diagnostics:
            self.diagnostics.append(finding)


def _first_taker(taken: Mapping[tuple[int, Path], Origin], rank: int, path: Path) -> Origin | None:
    """Return what gave the value at a path, one above it or one below it."""
    for (other_rank, other), origin in taken.items():
        shorter = min(len(other), len(path))
        if other_rank == rank and other[:shorter] == path[:shorter]:
            return origin
    return None


def _entries(project: Project) -> Iterator[_Entry]:
    document = project.document
    if document is None:
        return
    spec = document.value.get("spec") or {}
    policies = {name: spec[name] for name in POLICIES if name in spec}
    if policies:
        yield _Entry(rank=0, labels={}, fields=policies, origin=Origin(document, ("spec",), "project"))
    yield from _listed(document, spec.get("defaults", ()), ("spec", "defaults"), 1, "default")
    own = environment_of(document, project.environment).get("defaults", ())
    path = ("spec", "environments", project.environment, "defaults")
    yield from _listed(document, own, path, 3, f"environment {project.environment}")


def _listed(document: Document, entries: Any, path: Path, rank: int, giver: str) -> Iterator[_Entry]:
    for index, entry in enumerate(entries):
        labels = entry.get("match", {}).get("labels", {})
        words = f"{giver} for {', '.join(f'{name}={value}' for name, value in labels.items())}" if labels else giver
        yield _Entry(
            rank=rank + bool(labels),
            labels=labels,
            fields=entry["spec"],
            origin=Origin(document, (*path, index, "spec"), words),
        )
