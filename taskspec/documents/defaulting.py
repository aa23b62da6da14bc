"""What a project gives its tasks to begin with, by rank: its policies, `defaults`, those by label, the environment's.

A rank goes over those before it, a task's own fields over all. Two entries of one rank that give one task the same
field contradict each other: that is an error, and never decided in silence.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, path_text
from taskspec.documents.model import Document, Origin, Project
from taskspec.documents.overlaying import Overlay, Path, environment_of, leaves

POLICIES: Final = ("retry", "onRemove", "timeout")
"""Fields of a task's spec that a project's spec may hold directly."""
TASK_POLICIES: Final = (*POLICIES, "rerun", "onChangeActive", "protect", "sideEffects", "retention")
"""Fields of a task's spec that say how taskspec treats it."""
MAX_GIVEN: Final = 2_000_000
"""Fields that all tasks of a project together may be given."""


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
        self._handed = 0
        self._for_all = [index for index, entry in enumerate(self._entries) if not entry.labels]
        # each under its rarest label: so a task looks at few of those that are not for it
        often = Counter(label for entry in self._entries for label in entry.labels.items())
        self._by_label: dict[tuple[str, str], list[int]] = {}
        for index, entry in enumerate(self._entries):
            if entry.labels:
                rarest = min(entry.labels.items(), key=often.__getitem__)
                self._by_label.setdefault(rarest, []).append(index)

    def overlay(self, labels: Mapping[str, str]) -> Overlay | None:
        """Return what a task with these labels begins with; None where that is nothing."""
        candidates = {*self._for_all, *(index for label in labels.items() for index in self._by_label.get(label, ()))}
        chosen = tuple(index for index in sorted(candidates) if self._entries[index].is_for(labels))
        if not chosen:
            return None
        if chosen not in self._done:
            self._done[chosen] = self._laid([self._entries[index] for index in chosen])
        overlay = self._done[chosen]
        self._handed += len(overlay.given)
        if self._handed > MAX_GIVEN:
            self._note_too_much()
            return None
        return overlay.copy()

    def _note_too_much(self) -> None:
        origin = self._entries[0].origin
        finding = Diagnostic(
            summary="Too many defaults",
            detail=f"The defaults give more than {MAX_GIVEN:,} fields to the tasks of the project.",
            hint="Give fewer fields, or give them to fewer tasks.",
            position=origin.document.position(origin.path, key=True),
        )
        if finding not in self.diagnostics:
            self.diagnostics.append(finding)

    def _laid(self, entries: list[_Entry]) -> Overlay:
        overlay = Overlay()
        taken = _Taken()
        for entry in entries:
            for path in leaves(entry.fields):
                place = entry.origin._replace(path=(*entry.origin.path, *path))
                first = taken.take(entry.rank, path, place)
                if first is not None:
                    self._note_twice(path, place, first)
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


class _Taken:
    """Which entry of a rank gave the value at a path, and who gave anything below one."""

    def __init__(self) -> None:
        self._at: dict[tuple[int, Path], Origin] = {}
        self._below: dict[tuple[int, Path], Origin] = {}

    def take(self, rank: int, path: Path, origin: Origin) -> Origin | None:
        """Note that an entry gives a value; return what gave it before, or one above it or below it."""
        above = [path[:length] for length in range(len(path) + 1)]
        first = next((self._at[rank, one] for one in above if (rank, one) in self._at), self._below.get((rank, path)))
        self._at[rank, path] = origin
        for one in above[:-1]:
            self._below.setdefault((rank, one), origin)
        return first


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
