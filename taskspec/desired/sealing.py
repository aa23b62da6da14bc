"""Desired tasks → plain JSON values that hold no secret, and out of which `unsealing` makes the tasks again.

A task whose request is known, and holds no secret, is kept as it is. One that uses results, or secrets, is kept *open*:
as its templates, with everything that these see but the secrets. Renders nothing.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.charting import chart
from taskspec.desired.divulging import SUMMARY, written_out
from taskspec.desired.dotted import is_template
from taskspec.desired.including import ProjectTexts
from taskspec.desired.model import Cell, DeferredTask, Desired, DesiredTask, LocalFile
from taskspec.desired.normalising import SENT, is_secret
from taskspec.desired.scope import WrongTemplateError, names_a_secret
from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.documents.defaulting import TASK_POLICIES
from taskspec.documents.model import Project, VariableSpec
from taskspec.documents.salvaging import CELLS

_WORD: Final = re.compile(r"\w+")
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LEFT_OUT: Final = CELLS | {"moved"}
_TEXT_NAMES: Final = re.compile(
    r"""(?:\bfile\s*\(|\b(?:include|import|from)\s)\s*(?P<quote>['"])(?P<name>(?:(?!(?P=quote)).)*)(?P=quote)"""
)
"""What a template names by a constant: texts that it reads, includes or imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """The words of the templates that are kept: all, those of values that are secret, and those that others use."""

    all: frozenset[str]
    hidden: frozenset[str]
    shown: frozenset[str]

    def may_be_kept(self, name: str) -> bool:
        """Tell whether the value of a name is shown anyway."""
        return name in self.shown


def sealed(desired: Desired, sending: Collection[Address]) -> dict[str, Any]:
    """Return tasks as plain JSON values; those of `sending` with all that is sent, others as they are shown.

    Raises ManifestError for a secret that is written out in a manifest: nothing could stand for it.
    """
    opened = {address for address in sending if _is_open(desired.tasks[address])}
    cells = [desired.cells[address] for address in sorted(opened)]
    shown = _words(cells, ())
    found = [wrong for cell in cells for wrong in written_out(cell, shown.may_be_kept)]
    if found:
        raise ManifestError(found)
    texts = _texts(desired, opened)
    words = _words(cells, texts.values())
    used = opened | {one for address in opened for one in desired.tasks[address].upstream}
    return {
        "project": _project(desired.project),
        "variables": [
            _variable(desired, spec, words)
            for spec in desired.project.variables.values()
            if opened and (spec.name in words.all or not spec.sensitive)
        ],
        "environ": {name: value for name, value in desired.environ.items() if opened and words.may_be_kept(name)},
        "asked": sorted(name for name in desired.environ if opened and not words.may_be_kept(name)),
        "texts": texts,
        "former": dict(desired.former),
        "tasks": [
            _task(task, desired, is_open=address in opened, is_sent=address in sending, is_used=address in used)
            for address, task in desired.tasks.items()
        ],
    }


def _is_open(task: DesiredTask | DeferredTask) -> bool:
    return isinstance(task, DeferredTask) or names_a_secret(dict(task.spec))


def _task(
    task: DesiredTask | DeferredTask, desired: Desired, *, is_open: bool, is_sent: bool, is_used: bool
) -> dict[str, Any]:
    cell = desired.cells[task.address]
    spec = cell.task.spec
    return {
        "address": task.address,
        "title": task.title,
        "labels": dict(task.labels),
        "names": dict(cell.names) if is_used else {},
        "upstream": list(task.upstream),
        "policies": {name: spec[name] for name in (*TASK_POLICIES, "assertions") if name in spec},
        "spec": dict(task.spec),
        "fingerprint": task.fingerprint if isinstance(task, DesiredTask) else None,
        "request": dict(task.request) if is_sent and not is_open and isinstance(task, DesiredTask) else None,
        "template": {name: value for name, value in spec.items() if name not in _LEFT_OUT} if is_open else None,
        "files": [_file(file, desired) for file in _files(task)],
        "source": chart(task.source, whole=is_open),
        "inputs": _inputs(task) if is_sent else None,
        "file": task.file,
    }


def _inputs(task: DesiredTask | DeferredTask) -> dict[str, Any] | None:
    """Return what the rendering of a task depended on; None where it is to be rendered with results."""
    found = task.inputs if isinstance(task, DesiredTask) else None
    return None if found is None else {name: asdict(one) for name, one in found.items()}


def _files(task: DesiredTask | DeferredTask) -> Iterable[LocalFile | str | Mapping[str, Any]]:
    if isinstance(task, DesiredTask):
        return task.files
    shown = task.spec.get("files")
    return [entry for entry in shown if isinstance(entry, Mapping)] if isinstance(shown, list) else ()


def _file(file: LocalFile | str | Mapping[str, Any], desired: Desired) -> Any:
    match file:
        case str():
            return file
        case LocalFile():
            return {"path": file.path, "sha256": file.sha256, "size": file.size}
        case _:
            return {**file, "size": (Path(desired.project.folder) / file["path"]).stat().st_size}


def _words(cells: Iterable[Cell], texts: Iterable[str]) -> _Words:
    known: set[str] = set()
    hidden: set[str] = set()
    shown: set[str] = set()
    for cell in cells:
        for path, text in _templates({name: cell.task.spec[name] for name in SENT if name in cell.task.spec}, ()):
            known.update(_WORD.findall(text))
            (hidden if is_secret(path) else shown).update(_used(text))
    for text in texts:
        known.update(_WORD.findall(text))
        shown.update(_used(text))
    return _Words(all=frozenset(known), hidden=frozenset(hidden), shown=frozenset(shown))


def _used(text: str) -> Iterator[str]:
    """Yield the words of a template that are no text of it."""
    for tag in _TAG.finditer(text):
        yield from _WORD.findall(tag[0])


def _templates(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        if is_template(value):
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _templates(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, (*path, index))


def _texts(desired: Desired, opened: Iterable[Address]) -> dict[str, str]:
    """Return the texts of the project that open tasks use, or may use once results are known, by path."""
    wanted = dict.fromkeys(desired.texts) if opened else {}
    cells = [desired.cells[address] for address in opened]
    shown = [text for cell in cells for path, text in _templates(cell.task.spec, ()) if not is_secret(path)]
    waiting = [name for text in shown for name in _named(text)]
    texts, found = ProjectTexts(Path(desired.project.folder)), {}
    waiting += wanted
    while waiting:
        name = waiting.pop()
        for read in (texts.text, texts.macros):
            try:
                kept = read(name)
            except WrongTemplateError:
                continue
            if kept.path not in found:
                found[kept.path] = kept.text
                waiting += _named(kept.text)
    changed = [path for path, digest in desired.texts.items() if path in found and texts.read[path] != digest]
    if changed:
        raise ManifestError(
            [
                Diagnostic(
                    summary=SUMMARY,
                    detail=f"`{path}` has changed while the plan was made.",
                    hint="Plan again.",
                    position=Position(file=path),
                )
                for path in changed
            ]
        )
    return dict(sorted(found.items()))


def _named(text: str) -> list[str]:
    return [found["name"] for found in _TEXT_NAMES.finditer(text)]


def _variable(desired: Desired, spec: VariableSpec, words: _Words) -> dict[str, Any]:
    known = desired.variables.get(spec.name)
    is_secret = spec.sensitive or (spec.name in words.hidden and not words.may_be_kept(spec.name))
    kept = spec.name in desired.variables and not is_secret
    return {
        "name": spec.name,
        "type": spec.type.value,
        "sensitive": spec.sensitive,
        "pattern": spec.pattern,
        "enum": [] if is_secret else list(spec.enum),
        "at": spec.position.as_json,
        "giver": desired.givers[spec.name].name if spec.name in desired.givers else None,
        **({"value": known} if kept else {}),
    }


def _project(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "environment": project.environment,
        "remote": asdict(project.remote),
        "data": os.path.relpath(project.data_folder, project.folder),
        "state": project.state,
        "results": project.results_path,
        "budget": asdict(project.budget),
        "agents": {name: asdict(agent) for name, agent in project.agents.items()},
        "env": list(project.env_allow),
    }
