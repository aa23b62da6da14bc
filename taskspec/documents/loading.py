"""A target → the project and its tasks, with everything that is wrong with them. Renders nothing, reaches no remote."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.checking import check
from taskspec.documents.composing import check_task, declare_task
from taskspec.documents.declaring import (
    bare_project,
    check_flawed,
    check_project,
    declare_project,
    unknown_agent,
)
from taskspec.documents.defaulting import Defaults
from taskspec.documents.locating import Place, locate, require_environment, shown
from taskspec.documents.model import Document, Manifests, Project, TaskDocument
from taskspec.documents.project_files import hint_above
from taskspec.documents.reading import BadPatternError, Listing, list_manifests, match_manifests
from taskspec.documents.remembering import Memory
from taskspec.documents.salvaging import flaws, sound_fields
from taskspec.documents.sifting import Sifted, sift
from taskspec.errors import UsageError
from taskspec.settings import DEFAULT_ENVIRONMENT

RESULTS = "results"
MAX_FINDINGS: Final = 1000
"""With more of them nothing else is looked at."""
MAX_PATTERNS: Final = 1000
_EXAMPLE = (
    "Declare one: `apiVersion: taskspec/v1`, `kind: Task`, `metadata: {name: hello}`, `spec: {agent: …, prompt: …}`."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What was found: `manifests` holds only what is sound, `selection` the names of the tasks of the named file."""

    manifests: Manifests
    diagnostics: tuple[Diagnostic, ...] = ()
    selection: frozenset[str] | None = None


def load(
    target: Path,
    environment: str = DEFAULT_ENVIRONMENT,
    *,
    search_path: str | None = None,
    memory: Memory | None = None,
) -> Loaded:
    """Read a project folder or a single file; UsageError where the target or the environment does not exist.

    `search_path` is where agents' commands are looked up, as in `PATH` (default: this process's own). `memory` spares
    the reading of what it knows; closing it is up to its owner.
    """
    place = locate(target, environment, search_path)
    memory = memory or Memory()
    gathered = _gather(place, memory)
    if gathered is None:
        place = place.alone()
        gathered = sift([str(place.single)] if place.single else [], named=True, memory=memory)
    faults, found = [], [*gathered.diagnostics]
    for document in gathered.documents:
        faults.append((document, own := check(document)))
        found += own
        if len(found) > MAX_FINDINGS:
            found.append(_more(document))
            break
    found += islice(_repetitions(gathered.documents), MAX_FINDINGS)
    sound = [document for document, own in faults if not own]
    project, trouble = _project(place, sound, is_whole=not _of_kind("Project", gathered.documents))
    found += trouble
    for document, own in faults:
        if own and document.kind == "Project":
            found += check_flawed(document, flaws(document))
    knows_project = project.document is not None or not (
        gathered.diagnostics or _of_kind("Project", gathered.documents)
    )
    defaults = Defaults(project)
    tasks: list[TaskDocument] = []
    flawed: list[TaskDocument] = []
    for task in [declare_task(document, defaults) for document in _distinct_tasks(sound)]:
        wrong = list(check_task(task))
        if knows_project and (stranger := _stranger(task, project)):
            wrong.append(stranger)
        found += wrong
        (flawed if wrong else tasks).append(task)
    known = {task.address for task in (*tasks, *flawed)}
    unsound = [document for document, own in faults if own and _name(document) not in {None, *known}]
    half = {_name(document): sound_fields(document) for document in _distinct_tasks(unsound)}
    flawed += [
        declare_task(document, defaults, half[_name(document)])
        for document in _distinct_tasks(unsound)
        if half[_name(document)] is not None
    ]
    found += defaults.diagnostics
    if not tasks and not found:
        found.append(_no_task(place, gathered.skipped))
    manifests = Manifests(
        project=project,
        tasks=tuple(tasks),
        skipped=gathered.skipped,
        flawed=tuple(flawed),
        broken=frozenset(name for name, fields in half.items() if name is not None and fields is None),
        is_whole=not gathered.diagnostics,
        knows_project=knows_project,
    )
    diagnostics = tuple(sorted(dict.fromkeys(found), key=lambda finding: (finding.position, finding.detail)))
    return Loaded(manifests=manifests, diagnostics=diagnostics, selection=_selection(place, tasks))


def load_project(
    target: Path, environment: str = DEFAULT_ENVIRONMENT, *, search_path: str | None = None, runs_agents: bool = False
) -> Loaded:
    """Read the project alone, for what needs no task to be right: what is wrong with tasks is not even looked at.

    That an agent's program is there is a matter for what `runs_agents`, or vouches that others can.
    """
    place = locate(target, environment, search_path)
    memory, gathered = Memory(), Sifted()
    if place.project_file and place.single is None:
        gathered = sift([str(place.project_file)], named=True, memory=memory)
    if not _of_kind("Project", gathered.documents):
        found = _gather(place, memory)
        place = place if found is not None else place.alone()
        gathered = found or sift([str(place.single)] if place.single else [], named=True, memory=memory)
    declared = _of_kind("Project", gathered.documents)
    faults = [(document, check(document)) for document in declared]
    sound = [document for document, own in faults if not own]
    project, trouble = _project(place, sound, is_whole=not declared, runs_agents=runs_agents)
    own_files = {document.file for document in declared} | {shown(place.project_file or "")}
    found_wrong = [finding for finding in gathered.diagnostics if finding.position.file in own_files]
    found_wrong += [finding for _, own in faults for finding in own]
    found_wrong += [*_repetitions(declared), *trouble]
    return Loaded(manifests=Manifests(project=project, tasks=()), diagnostics=tuple(found_wrong))


def called(target: Path) -> str:
    """Return the name that a project's document gives it, however wrong the rest of it is; nothing without any."""
    try:
        place = locate(target)
    except UsageError:
        return ""
    gathered = sift([str(place.project_file)], named=True, memory=Memory()) if place.project_file else Sifted()
    for document in _of_kind("Project", gathered.documents):
        match document.value:
            case {"metadata": {"name": str(name)}}:
                return name
    return ""


def gather(target: Path) -> Sifted:
    """Read the files of a project folder as `load` finds them, to judge none; UsageError where it is missing."""
    return _gather(locate(target), Memory()) or Sifted()


def manifest_files(target: Path) -> tuple[str, ...] | None:
    """Return the files that `load` reads of a project folder; None where it has no project file, or not all is seen."""
    place = locate(target)
    if place.project_file is None or place.single is not None:
        return None
    listing, _ = _listed(place, sift([str(place.project_file)], named=True, memory=Memory()))
    return None if listing.diagnostics else tuple(dict.fromkeys((str(place.project_file), *listing.files)))


def list_files(target: Path) -> frozenset[str]:
    """Return the files that the documents of a project stand in now; UsageError where its folder is missing."""
    place = locate(target)
    own = [str(place.project_file)] if place.project_file else []
    listing, _ = _listed(place, sift(own, named=True, memory=Memory()))
    return frozenset((*own, *listing.files))


def _gather(place: Place, memory: Memory) -> Sifted | None:
    """Read the files of a project; None where the single file that the target names is not one of them."""
    if place.project_file is None and place.single is not None:
        return None
    first = sift([str(place.project_file)] if place.project_file else [], named=True, memory=memory)
    listing, named = _listed(place, first)
    if place.single is not None and str(place.single) not in listing.files:
        return None
    rest = sift([path for path in listing.files if path != str(place.project_file)], named=named, memory=memory)
    return _without_results(place, first + rest + Sifted(diagnostics=listing.diagnostics))


def _listed(place: Place, first: Sifted) -> tuple[Listing, bool]:
    """Find the files of a project, given what its project file holds; and tell whether somebody has named them."""
    declared = next((d for d in first.documents if d.kind == "Project"), None)
    spec = declared.value.get("spec") if declared is not None else None
    patterns = spec.get("manifests") if isinstance(spec, Mapping) else None
    if declared is not None and isinstance(patterns, list):
        return _listing(place, declared, patterns), True
    return list_manifests(place.ground.folder, _results(spec)), False


def _listing(place: Place, document: Document, patterns: list[Any]) -> Listing:
    files: dict[str, None] = {}
    found: list[Diagnostic] = []
    if len(patterns) > MAX_PATTERNS:
        detail = f"`manifests` has {len(patterns):,} patterns, and {MAX_PATTERNS:,} are allowed."
        position = document.position(("spec", "manifests"))
        return Listing(files=(), diagnostics=(Diagnostic(summary="Manifests", detail=detail, position=position),))
    for index, pattern in enumerate(patterns):
        if not isinstance(pattern, str) or not pattern:
            continue
        try:
            listing = match_manifests(place.ground.folder, pattern)
        except BadPatternError as trouble:
            hint = "Paths are relative to the project folder; `*`, `?` and `**` stand for names."
            position = document.position(("spec", "manifests", index))
            detail = f"`{pattern}` {trouble}."
            found.append(Diagnostic(summary="Manifests", detail=detail, hint=hint, position=position))
        else:
            files |= dict.fromkeys(listing.files)
            found += listing.diagnostics
    return Listing(files=tuple(files), diagnostics=tuple(found))


def _results(spec: Any) -> str:
    results = spec.get("results") if isinstance(spec, Mapping) else None
    path = results.get("path") if isinstance(results, Mapping) else None
    normal = posixpath.normpath(path) if isinstance(path, str) and path else RESULTS
    return RESULTS if normal.startswith((".", "/")) else normal


def _without_results(place: Place, sifted: Sifted) -> Sifted:
    """Leave out what stands in the results folder of a project that is declared in another file than the usual one."""
    declared = next((d for d in sifted.documents if d.kind == "Project"), None)
    if declared is None:
        return sifted
    folder = shown(place.ground.folder / _results(declared.value.get("spec"))) + "/"
    return Sifted(
        documents=tuple(d for d in sifted.documents if not d.file.startswith(folder)),
        diagnostics=tuple(d for d in sifted.diagnostics if not d.position.file.startswith(folder)),
        skipped=sifted.skipped,
    )


def _project(
    place: Place, sound: list[Document], *, is_whole: bool, runs_agents: bool = True
) -> tuple[Project, list[Diagnostic]]:
    """Return the project that is declared soundly, else the bare one; `is_whole` says that nobody declares one."""
    declared = _of_kind("Project", sound)
    environment = place.ground.environment
    if not declared:
        if is_whole:
            require_environment(environment, ())
        return bare_project(place.ground), []
    require_environment(environment, (declared[0].value.get("spec") or {}).get("environments", ()))
    project = declare_project(declared[0], place.ground)
    return project, list(check_project(project, place.ground.search_path, runs_agents=runs_agents))


def _of_kind(kind: str, documents: Iterable[Document]) -> list[Document]:
    return [document for document in documents if document.kind == kind]


def _repetitions(documents: Iterable[Document]) -> Iterator[Diagnostic]:
    """Find a second project, and a second task of one name."""
    projects = _of_kind("Project", documents)
    for other in projects[1:]:
        detail = f"A project has one document of the kind Project; the other one is at {projects[0].position()}."
        hint = "Run on one project's folder, or name the files that belong to it in `spec.manifests`."
        yield Diagnostic(summary="Two projects", detail=detail, hint=hint, position=other.position())
    taken: dict[str, Document] = {}
    for document in _of_kind("Task", documents):
        name = _name(document)
        if name is not None and taken.setdefault(name, document) is not document:
            place = ("metadata", "name")
            detail = f"The name `{name}` is taken by the task at {taken[name].position(place)}."
            hint, position = "Rename one of the two.", document.position(place)
            yield Diagnostic(summary="Two tasks of one name", detail=detail, hint=hint, position=position)


def _distinct_tasks(sound: list[Document]) -> Iterable[Document]:
    """Return the tasks, of two of one name the first."""
    first: dict[str | None, Document] = {}
    for document in _of_kind("Task", sound):
        first.setdefault(_name(document), document)
    return first.values()


def _name(document: Document) -> str | None:
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else None


def _stranger(task: TaskDocument, project: Project) -> Diagnostic | None:
    """Find a task whose agent nobody declared; an agent from a template is known only after rendering."""
    agent = task.spec.get("agent", "{{")
    if agent in project.agents or "{{" in agent or "{%" in agent:
        return None
    return unknown_agent(agent, project, task.source.position(("agent",)))


def _more(document: Document) -> Diagnostic:
    return Diagnostic(
        summary="Too many findings",
        detail=f"With more than {MAX_FINDINGS:,} findings, no document behind this one is looked at.",
        hint="Mend these first.",
        position=document.position(),
    )


def _no_task(place: Place, skipped: int) -> Diagnostic:
    where = shown(place.single or place.ground.folder)
    others = f" YAML files that are not for taskspec: {skipped}." if skipped else ""
    return Diagnostic(
        summary="No task",
        detail=f"`{where}` declares no task.{others}",
        hint=(place.project_file is None and hint_above(place.ground.folder)) or _EXAMPLE,
        position=Position(file=shown(place.single or place.project_file or place.ground.folder)),
    )


def _selection(place: Place, tasks: list[TaskDocument]) -> frozenset[str] | None:
    if place.single is None or place.project_file is None:
        return None
    file = shown(place.single)
    return frozenset(task.address for task in tasks if task.document.file == file)
