"""validate and plan: documents, desired, observed and recorded → the plan. Changes nothing anywhere."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, ManifestError, Severity
from taskspec.documents.loading import load
from taskspec.documents.locating import shown_in
from taskspec.documents.model import Manifests, Project
from taskspec.documents.remembering import Memory
from taskspec.documents.supplying import SuppliedFile, read_values
from taskspec.errors import StaleError, StateError
from taskspec.observed.model import Observed
from taskspec.plan.accounting import Past
from taskspec.plan.causing import caused
from taskspec.plan.deciding import decide
from taskspec.plan.estimating import Measure, estimated, likely_tokens, unmeasured
from taskspec.plan.model import Circumstances, Plan, Spent, nothing_spent
from taskspec.plan.moving import moves_of
from taskspec.plan.renewing import passing
from taskspec.plan.spending import NOTHING_USED, Usage
from taskspec.runner.choosing import choose, choose_anew, folder_hint, require_declared
from taskspec.runner.guarding import Guards, guarded, require_overridable, used_so_far
from taskspec.runner.model import Invocation, Need, Ports, Refresh
from taskspec.runner.observing import asks, see
from taskspec.runner.recalling import BoundRuns, KeptResults, Measurements
from taskspec.state.model import Record, Snapshot
from taskspec.state.store import StateReader
from taskspec.taskapi.remotes import RemoteIdentity


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
    desired, found = render(loaded.manifests, invocation, ports)
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
    given = given_by(invocation, [file for file, _ in supplied])
    desired, found = resolve(manifests, given, surroundings_of(invocation, manifests.project, ports))
    every = [*(finding for _, wrong in supplied for finding in wrong), *found]
    files = {file.name for file, _ in supplied}
    return desired, tuple(replace(one, quotable=False) if one.position.file in files else one for one in every)


def given_by(invocation: Invocation, files: Sequence[SuppliedFile]) -> GivenVariables:
    """Return what is given beside the documents."""
    return GivenVariables(
        cli=invocation.variables,
        files=files,
        variables=invocation.settings.variables,
        environ=invocation.settings.environ,
    )


def surroundings_of(invocation: Invocation, project: Project, ports: Ports) -> Surroundings:
    """Return what resolving needs to know of the world."""
    return Surroundings(
        takes_local_files=ports.offline(project).traits.takes_local_files,
        cache_folder=invocation.settings.cache_folder,
    )


def plan(
    invocation: Invocation,
    ports: Ports,
    remark: Remark = say_nothing,
    *,
    memory: Memory | None = None,
    conclude: "Conclude | None" = None,
    keep: "Keep | None" = None,
) -> Plan:
    """Return what would be done, and why; `conclude` is told of a plan that was decided without the remote.

    `keep` is given each plan, to save it, with the digest of the records that it was made from.
    """
    prepared = prepare(invocation, ports, memory, traceable=keep is not None)
    remark(prepared)
    if keep is not None:
        _require_lineage(prepared.desired.project, ports)
    store = ports.open_state(prepared.desired.project, read_only=True)
    try:
        snapshot = store.read()
        contents = used_results(prepared.desired, snapshot, store)
        today = moves_of(prepared.desired, snapshot, contents).rekeyed(snapshot)
        selected = choose(invocation.selection, prepared.desired, snapshot.records, prepared.scope)
        question = Question(
            prepared=prepared,
            snapshot=snapshot,
            selected=selected,
            rerun=choose_anew(invocation.rerun, prepared.desired, snapshot.records, selected),
            contents=contents,
            kept=KeptResults(prepared.desired, today, store),
            past=(history := BoundRuns(store)),
            spent=history.last_generation,
            used=used_so_far(prepared.desired.project, snapshot, store, ports.chance.now()),
            measure=Measurements(store),
            refresh=invocation.refresh,
        )
        decided = _decide_alone(question, ports)
        if decided is not None and conclude is not None:
            conclude(question, decided)
        if decided is None:
            import asyncio

            decided = asyncio.run(decide_on(question, ports))
        if keep is not None:
            serial, digest = store.digest()
            if serial != decided.serial:
                raise StaleError("the state has changed while the plan was made", hint="Plan again.")
            keep(question, decided, digest)
        return decided
    finally:
        store.close()


def _require_lineage(project: Project, ports: Ports) -> None:
    """Make the state where there is none: a plan that is saved is one for a certain state."""
    if read_state(project, ports).lineage:
        return
    store = ports.open_state(project, read_only=False)
    try:
        store.release(store.acquire(ports.holder()))
    finally:
        store.close()


def selected_tasks(
    prepared: Prepared, invocation: Invocation, ports: Ports
) -> Mapping[Address, DesiredTask | DeferredTask]:
    """Return the declared tasks that are selected, in their order; the state is opened only where a selector asks."""
    tasks = prepared.desired.tasks
    require_declared(invocation.selection.addresses, tasks)
    records = read_state(prepared.desired.project, ports).records if invocation.selection.needs_state else {}
    chosen = choose(invocation.selection, prepared.desired, records, prepared.scope)
    return tasks if chosen is None else {address: task for address, task in tasks.items() if address in chosen}


def read_state(project: Project, ports: Ports) -> Snapshot:
    """Return what is recorded, without taking the lock."""
    store = ports.open_state(project, read_only=True)
    try:
        return store.read()
    finally:
        store.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be decided on: the declared, the recorded, and how much of the observed to ask for."""

    prepared: Prepared
    snapshot: Snapshot
    selected: frozenset[Address] | None
    """The addresses that are meant; None where all are."""
    contents: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The accepted results that tasks use, by digest."""
    refresh: Refresh
    need: Need = Need.LOOK
    requested: frozenset[Address] = frozenset()
    rerun: frozenset[Address] = frozenset()
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As in the circumstances of a decision."""
    past: Past
    spent: Spent = nothing_spent
    """What the history says of the runs of an address."""
    measure: Measure = unmeasured
    """What it says that they took."""
    plan: str | None = None
    """The id of the plan that is decided once more; None for a new one."""
    used: Usage = NOTHING_USED
    """What the runs of the project have used, where it has a budget."""


Keep = Callable[[Question, Plan, str], None]
"""Saves a plan, given what was asked and the digest of the records."""
Conclude = Callable[[Question, Plan], None]
"""Draws conclusions from a plan, and from what was asked."""


async def decide_on(question: Question, ports: Ports) -> Plan:
    """Decide; ask the remote where, and only where, the answer depends on it."""
    decided = _decide_alone(question, ports)
    if decided is not None:
        return decided

    from taskspec.taskapi import endpoints

    prepared, snapshot = question.prepared, question.snapshot
    project = prepared.desired.project
    async with ports.connect(project, question.need) as link:
        connection = link.connection
        circumstances = _circumstances(question, ports, connection.identity)
        observed = await see(
            connection, _agents(question), snapshot, question.refresh, question.past, question.requested
        )
        decided = _decide(question, observed, circumstances)
        if not decided.paid_runs or ports.offline(project).declares_agents:
            return decided
        agents = await connection.run(endpoints.list_agents())
    known = replace(observed, agents=frozenset(agent.id for agent in agents))
    return _decide(question, known, circumstances)


def used_results(desired: Desired, snapshot: Snapshot, reader: StateReader) -> dict[str, str]:
    """Return, by digest, the accepted results that tasks use: those of what is declared now, and no others.

    One that cannot be read is left out: whoever uses it is held, and the others are not kept from anything. A task
    with another name may be known only by the results that it uses itself, so that one finding leads to the next.
    """
    contents: dict[str, str] = {}
    used = {one for task in desired.tasks.values() if isinstance(task, DeferredTask) for one in task.uses}
    while used:
        records = moves_of(desired, snapshot, contents).rekeyed(snapshot).records
        read = dict(_read({address: records.get(address) for address in used}, desired, reader, contents))
        if not read:
            break
        contents |= read
    return contents


def _read(
    used: Mapping[Address, Record | None], desired: Desired, reader: StateReader, known: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield digests and contents of the accepted results of records, but for those that are known."""
    for address, record in used.items():
        task, kept = desired.tasks.get(address), record.accepted if record else None
        if kept is None or (isinstance(task, DesiredTask) and not passing(task, record).asks_for(kept.fingerprint)):
            continue
        if kept.result.digest not in known:
            with suppress(StateError):
                yield kept.result.digest, reader.result(kept.result)


def decide_at(question: Question, ports: Ports, observed: Observed, now: float) -> Plan:
    """Decide as if it were another time, without asking the remote."""
    circumstances = _circumstances(question, ports, ports.offline(question.prepared.desired.project).identity)
    return _decide(question, observed, replace(circumstances, now=now))


def _decide(question: Question, observed: Observed, circumstances: Circumstances) -> Plan:
    plan = decide(question.prepared.desired, question.snapshot, observed, circumstances, question.contents)
    plan = estimated(plan, question.measure)
    guards = Guards(
        snapshot=question.snapshot,
        used=question.used,
        estimates=likely_tokens(plan.changes),
        overridden=question.prepared.overridden,
        fail_on=question.prepared.fail_on,
    )
    told = caused(plan, partial(shown_in, question.prepared.desired.project.folder))
    return guarded(told, question.prepared.desired, observed, circumstances.remote, guards)


def _decide_alone(question: Question, ports: Ports) -> Plan | None:
    """Decide without the remote; None where it has to be asked: for a run, or for the agents of what is to start."""
    desired, snapshot = question.prepared.desired, question.snapshot
    offline = ports.offline(desired.project)
    if asks(_agents(question), snapshot, question.refresh, offline.identity, question.requested):
        return None
    decided = _decide(question, Observed(), _circumstances(question, ports, offline.identity))
    return decided if offline.declares_agents or not decided.paid_runs else None


def _agents(question: Question) -> dict[Address, str]:
    """Return the agents of what is declared, where runs that nobody has recorded are looked for."""
    tasks = question.prepared.desired.tasks if question.refresh is Refresh.FULL else {}
    return {address: task.agent for address, task in tasks.items()}


def _circumstances(question: Question, ports: Ports, remote: RemoteIdentity) -> Circumstances:
    return Circumstances(
        now=ports.chance.now(),
        plan=question.plan or ports.chance.nonce(),
        remote=remote,
        requested=question.requested,
        rerun=question.rerun,
        quiet_period=ports.offline(question.prepared.desired.project).traits.quiet_period,
        spent=question.spent,
        kept=question.kept,
        selected=question.selected,
    )
