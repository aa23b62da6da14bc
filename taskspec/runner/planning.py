"""validate and plan: documents, desired, observed and recorded → the plan. Changes nothing anywhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, ManifestError, Severity
from taskspec.documents.loading import load
from taskspec.documents.model import Manifests, Project
from taskspec.documents.remembering import Memory
from taskspec.documents.supplying import SuppliedFile, read_values
from taskspec.errors import StateError
from taskspec.observed.model import Observed
from taskspec.plan.deciding import decide
from taskspec.plan.limiting import refusals
from taskspec.plan.model import Circumstances, Plan
from taskspec.plan.renewing import passing
from taskspec.runner.choosing import choose, folder_hint, require_declared
from taskspec.runner.model import Invocation, Need, Ports, Refresh
from taskspec.runner.recalling import KeptResults
from taskspec.state.model import Attempt, Record, Sending, Snapshot
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
    """The limits that are not to be kept this time."""


Remark = Callable[[Prepared], None]
"""Says what is to be known of documents that are right: their warnings, and what was left out."""


def say_nothing(_: Prepared) -> None:
    """Keep the remarks to oneself."""


def prepare(invocation: Invocation, ports: Ports, memory: Memory | None = None) -> Prepared:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    found = examine(invocation, ports, memory or Memory(invocation.settings.cache_folder, invocation.target))
    require_right(found)
    return found


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
        warnings=(*loaded.diagnostics, *found),
        skipped=loaded.manifests.skipped,
        overridden=invocation.overridden,
    )


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


def plan(invocation: Invocation, ports: Ports, remark: Remark = say_nothing) -> Plan:
    """Return what would be done, and why."""
    prepared = prepare(invocation, ports)
    remark(prepared)
    store = ports.open_state(prepared.desired.project, read_only=True)
    try:
        snapshot = store.read()
        question = Question(
            prepared=prepared,
            snapshot=snapshot,
            selected=choose(invocation.selection, prepared.desired, snapshot.records, prepared.scope),
            contents=used_results(prepared.desired, snapshot, store),
            kept=KeptResults(prepared.desired, snapshot, store),
            refresh=invocation.refresh,
        )
        decided = _decide_alone(question, ports)
        if decided is not None:
            return decided
        import asyncio

        return asyncio.run(decide_on(question, ports))
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
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As in the circumstances of a decision."""


async def decide_on(question: Question, ports: Ports) -> Plan:
    """Decide; ask the remote where, and only where, the answer depends on it."""
    decided = _decide_alone(question, ports)
    if decided is not None:
        return decided

    from taskspec.observed.refreshing import find_marked, observe, observe_all
    from taskspec.taskapi import endpoints

    project = question.prepared.desired.project
    look = observe_all if question.refresh is Refresh.FULL else observe
    async with ports.connect(project, question.need) as link:
        connection = link.connection
        circumstances = _circumstances(question, ports, connection.identity)
        records = question.snapshot.records.values()
        wanted, marks = _wanted(records, question.refresh), _marks(records, question.refresh, connection.identity)
        here = {run: agent for run, (agent, remote) in wanted.items() if remote == connection.identity}
        marked = {nonce: found.runs for nonce, found in (await find_marked(connection, marks)).items()}
        observed = Observed(runs=await look(connection, here), marked=marked)
        decided = _decide(question, observed, circumstances)
        if not decided.paid_runs or ports.offline(project).declares_agents:
            return decided
        agents = await connection.run(endpoints.list_agents())
    known = replace(observed, agents=frozenset(agent.id for agent in agents))
    return _decide(question, known, circumstances)


def used_results(desired: Desired, snapshot: Snapshot, reader: StateReader) -> dict[str, str]:
    """Return, by digest, the accepted results that tasks use: those of what is declared now, and no others.

    One that cannot be read is left out: whoever uses it is held, and the others are not kept from anything.
    """
    contents: dict[str, str] = {}
    for address in {used for task in desired.tasks.values() if isinstance(task, DeferredTask) for used in task.uses}:
        task, record = desired.tasks.get(address), snapshot.records.get(address)
        kept = record.accepted if record else None
        if kept is None or (isinstance(task, DesiredTask) and not passing(task, record).asks_for(kept.fingerprint)):
            continue
        with suppress(StateError):
            contents[kept.result.digest] = reader.result(kept.result)
    return contents


def _decide(question: Question, observed: Observed, circumstances: Circumstances) -> Plan:
    plan = decide(question.prepared.desired, question.snapshot, observed, circumstances, question.contents)
    project = question.prepared.desired.project
    recorded = len(question.snapshot.records)
    refused = refusals(plan.changes, recorded, project.limits, project.source, question.prepared.overridden)
    return replace(plan, refusals=refused) if refused else plan


def _decide_alone(question: Question, ports: Ports) -> Plan | None:
    """Decide without the remote; None where it has to be asked: for a run, or for the agents of what is to start."""
    desired, snapshot = question.prepared.desired, question.snapshot
    offline = ports.offline(desired.project)
    records = snapshot.records.values()
    if _wanted(records, question.refresh) or _marks(records, question.refresh, offline.identity):
        return None
    decided = _decide(question, Observed(), _circumstances(question, ports, offline.identity))
    return decided if offline.declares_agents or not decided.paid_runs else None


def _circumstances(question: Question, ports: Ports, remote: RemoteIdentity) -> Circumstances:
    return Circumstances(
        now=ports.chance.now(),
        plan=ports.chance.nonce(),
        remote=remote,
        requested=question.requested,
        kept=question.kept,
        selected=question.selected,
    )


def _wanted(records: Iterable[Record], refresh: Refresh) -> dict[str, tuple[str, RemoteIdentity]]:
    """Return the runs to look at: run id → agent id and the remote that it is on."""
    if refresh is Refresh.NONE:
        return {}
    wanted: dict[str, tuple[str, RemoteIdentity]] = {}
    for record in records:
        last = record.generation.last
        if last is not None and last.run is not None and (refresh is Refresh.FULL or is_open(last)):
            wanted[last.run] = (record.agent, last.remote)
    return wanted


def _marks(records: Iterable[Record], refresh: Refresh, remote: RemoteIdentity) -> dict[str, tuple[str, str]]:
    """Return the intents of unknown outcome that a full refresh looks for on a remote: nonce → agent id and marker."""
    if refresh is not Refresh.FULL:
        return {}
    lasts = [(record.agent, record.generation.last) for record in records]
    return {
        last.nonce: (agent, last.marker)
        for agent, last in lasts
        if last is not None and last.sending is Sending.INTENDED and last.remote.same_remote(remote)
    }


def is_open(attempt: Attempt) -> bool:
    """Tell whether an attempt has a run that was not seen to its end and judged."""
    return attempt.sending is Sending.BOUND and attempt.verdict is None
