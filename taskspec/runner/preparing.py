"""Documents and what is given beside them → desired, checked. Opens no state, asks no remote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import Desired
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, ManifestError, Severity
from taskspec.documents.loading import load
from taskspec.documents.model import Manifests, Project
from taskspec.documents.remembering import Memory
from taskspec.documents.supplying import SuppliedFile, read_values
from taskspec.documents.trusting import allowed, filled, guarded_by, placeholder, trusted
from taskspec.runner.choosing import choose, folder_hint, require_declared
from taskspec.runner.guarding import require_overridable
from taskspec.runner.model import Invocation, Ports
from taskspec.state.model import Record

Chosen = frozenset[Address] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What the documents ask for, checked; `scope` names the tasks of the file that was named (None: all tasks)."""

    desired: Desired
    scope: frozenset[str] | None = None
    warnings: tuple[Diagnostic, ...] = ()
    skipped: int = 0
    overridden: frozenset[str] = frozenset()
    """The limits and policies that are not to be kept this time."""
    fail_on: frozenset[str] = frozenset()
    """The categories of risk that are not to be taken."""
    since: frozenset[Address] | None = None
    """What is not as it was at the revision that was named, and what depends on it; None where none was named."""


Remark = Callable[[Prepared], None]
"""Says what is to be known of documents that are right: their warnings, and what was left out."""


def say_nothing(_: Prepared) -> None:
    """Keep the remarks to oneself."""


def prepare(invocation: Invocation, ports: Ports, memory: Memory | None = None, *, traceable: bool = False) -> Prepared:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong.

    Only where it is to be `traceable` what the tasks were made of is kept, but for what names the cells of a matrix:
    nothing is as large as that.
    """
    found = examine(invocation, ports, memory or Memory(invocation.settings.cache_folder, invocation.target))
    require_right(found)
    require_overridable(found.overridden, found.desired.project)
    if invocation.since is not None:
        from taskspec.plan.contrasting import affected, contrasted
        from taskspec.runner.basing import desired_at

        before = desired_at(invocation, invocation.since, found.desired.project, ports)
        found = replace(found, since=affected(contrasted(before, found.desired)))
    if traceable:
        return found
    cells = {address: cell for address, cell in found.desired.cells.items() if cell.names}
    return replace(found, desired=replace(found.desired, cells=cells))


def examine(invocation: Invocation, ports: Ports, memory: Memory) -> Prepared:
    """Read, parse, check and render the documents; what is wrong with them is among the warnings."""
    loaded = load(invocation.target, invocation.environment, memory=memory)
    memory.close()
    project = loaded.manifests.project
    if not loaded.manifests.tasks and project.document is None:
        require_declared([word for word in invocation.selection.addresses if folder_hint(word)], {})
    manifests = replace(loaded.manifests, project=rightful(project, invocation))
    desired, found = render(manifests, invocation, ports)
    if invocation.base is not None:
        desired = replace(desired, project=guarded_by(desired.project, invocation.base))
    return Prepared(
        desired=desired,
        scope=loaded.selection,
        warnings=(*loaded.diagnostics, *found, *_unaskable(project)),
        skipped=loaded.manifests.skipped,
        overridden=invocation.overridden,
        fail_on=invocation.fail_on,
    )


def _unaskable(project: Project) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the policies of a project beyond their form; without any nothing is loaded for it."""
    spec = project.document.value.get("spec") if project.document is not None else None
    environments = (spec or {}).get("environments", {}).values()
    if project.document is None or not any(part.get("policies") for part in (spec or {}, *environments)):
        return ()
    from taskspec.plan.rehearsing import unaskable

    return tuple(unaskable(project.document))


def require_right(prepared: Prepared) -> None:
    """Raise ManifestError with everything that is wrong with the documents, where anything is."""
    if any(diagnostic.severity is Severity.ERROR for diagnostic in prepared.warnings):
        raise ManifestError(sorted(prepared.warnings, key=lambda finding: (finding.position, finding.summary)))


def render(manifests: Manifests, invocation: Invocation, ports: Ports) -> tuple[Desired, tuple[Diagnostic, ...]]:
    """Return what sound documents ask for, and what is wrong with their templates and with what is given to them."""
    supplied = [read_values(path) for path in invocation.variable_files]
    given = given_by(invocation, [file for file, _ in supplied], manifests.project)
    desired, found = resolve(manifests, given, surroundings_of(invocation, manifests.project, ports))
    every = [*(finding for _, wrong in supplied for finding in wrong), *found]
    files = {file.name for file, _ in supplied}
    return desired, tuple(replace(one, quotable=False) if one.position.file in files else one for one in every)


def chosen_of(prepared: Prepared, invocation: Invocation, records: Mapping[Address, Record]) -> Chosen:
    """Return the declared and recorded addresses that are selected; None for all. Raises UsageError."""
    found, since = choose(invocation.selection, prepared.desired, records, prepared.scope), prepared.since
    return found if since is None else since if found is None else found & since


def rightful(project: Project, invocation: Invocation) -> Project:
    """Return a project with the settings that hold: those of the base, where one is named, as far as these are trusted.

    Offline, every variable has a value.
    """
    base = invocation.base
    if base is not None:
        supplied = [read_values(path)[0].values for path in invocation.variable_files]
        given = {*invocation.variables, *invocation.settings.variables, *(name for one in supplied for name in one)}
        project = trusted(project, base, given)
    return filled(project) if invocation.offline else project


def given_by(invocation: Invocation, files: Sequence[SuppliedFile], project: Project) -> GivenVariables:
    """Return what is given to a project beside the documents."""
    environ: Mapping[str, str] = invocation.settings.environ
    if invocation.base is not None:
        environ = allowed(environ, project, invocation.base)
    if invocation.offline:
        absent = [name for name in project.env_allow if name not in environ]
        environ = {**environ, **{name: placeholder(f"env.{name}") for name in absent}}
    return GivenVariables(
        cli=invocation.variables,
        files=files,
        variables=invocation.settings.variables,
        environ=environ,
    )


def surroundings_of(invocation: Invocation, project: Project, ports: Ports) -> Surroundings:
    """Return what resolving needs to know of the world."""
    return Surroundings(
        takes_local_files=ports.offline(project).traits.takes_local_files,
        cache_folder=invocation.settings.cache_folder,
    )
