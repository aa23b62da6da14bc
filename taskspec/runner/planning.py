"""validate and plan: documents, desired, observed and recorded → the plan. Changes nothing anywhere."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from taskspec.address import Address
from taskspec.desired.assigning import GivenVariables
from taskspec.desired.model import Desired
from taskspec.desired.resolving import Surroundings, resolve
from taskspec.diagnostics import Diagnostic, ManifestError, Severity, nearest
from taskspec.documents.loading import load
from taskspec.errors import UsageError
from taskspec.observed.model import Observed
from taskspec.plan.deciding import decide
from taskspec.plan.model import Circumstances, Plan
from taskspec.runner.model import Invocation, Need, Ports, Refresh
from taskspec.runner.recalling import KeptResults
from taskspec.state.model import Attempt, Record, Sending, Snapshot
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What the documents ask for, checked; `selected` is None where everything is meant."""

    desired: Desired
    selected: frozenset[Address] | None
    warnings: tuple[Diagnostic, ...] = ()
    skipped: int = 0


Remark = Callable[[Prepared], None]
"""Says what is to be known of documents that are right: their warnings, and what was left out."""


def say_nothing(_: Prepared) -> None:
    """Keep the remarks to oneself."""


def prepare(invocation: Invocation, ports: Ports) -> Prepared:
    """Read, parse, check and render the documents; raise ManifestError with everything that is wrong."""
    loaded = load(invocation.target)
    project = loaded.manifests.project
    if not loaded.manifests.tasks and project.document is None:
        require_declared([word for word in invocation.addresses if folder_hint(word)], {})
    desired, found = resolve(
        loaded.manifests,
        GivenVariables(cli=invocation.variables, environ=invocation.settings.variables),
        Surroundings(
            takes_local_files=ports.offline(project).traits.takes_local_files,
            cache_folder=invocation.settings.cache_folder,
        ),
    )
    diagnostics = (*loaded.diagnostics, *found)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise ManifestError(diagnostics)
    selected = frozenset(invocation.addresses) or loaded.selection
    return Prepared(desired=desired, selected=selected, warnings=diagnostics, skipped=loaded.manifests.skipped)


def plan(invocation: Invocation, ports: Ports, remark: Remark = say_nothing) -> Plan:
    """Return what would be done, and why."""
    prepared = prepare(invocation, ports)
    remark(prepared)
    store = ports.open_state(prepared.desired.project, read_only=True)
    try:
        snapshot = store.read()
        kept = KeptResults(prepared.desired, snapshot, store)
        question = Question(prepared=prepared, snapshot=snapshot, refresh=invocation.refresh, kept=kept)
        decided = _decide_alone(question, invocation, ports)
        if decided is not None:
            return decided
        import asyncio

        return asyncio.run(decide_on(question, invocation, ports))
    finally:
        store.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be decided on: the declared, the recorded, and how much of the observed to ask for."""

    prepared: Prepared
    snapshot: Snapshot
    refresh: Refresh
    need: Need = Need.LOOK
    requested: frozenset[Address] = frozenset()
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As in the circumstances of a decision."""


async def decide_on(question: Question, invocation: Invocation, ports: Ports) -> Plan:
    """Decide; ask the remote where, and only where, the answer depends on it."""
    decided = _decide_alone(question, invocation, ports)
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
        decided = decide(question.prepared.desired, question.snapshot, observed, circumstances)
        if not decided.paid_runs or ports.offline(project).declares_agents:
            return decided
        agents = await connection.run(endpoints.list_agents())
    known = replace(observed, agents=frozenset(agent.id for agent in agents))
    return decide(question.prepared.desired, question.snapshot, known, circumstances)


def _decide_alone(question: Question, invocation: Invocation, ports: Ports) -> Plan | None:
    """Decide without the remote; None where it has to be asked: for a run, or for the agents of what is to start."""
    desired, snapshot = question.prepared.desired, question.snapshot
    require_known(invocation.addresses, desired.tasks, snapshot.records)
    offline = ports.offline(desired.project)
    records = snapshot.records.values()
    if _wanted(records, question.refresh) or _marks(records, question.refresh, offline.identity):
        return None
    decided = decide(desired, snapshot, Observed(), _circumstances(question, ports, offline.identity))
    return decided if offline.declares_agents or not decided.paid_runs else None


def _circumstances(question: Question, ports: Ports, remote: RemoteIdentity) -> Circumstances:
    return Circumstances(
        now=ports.chance.now(),
        plan=ports.chance.nonce(),
        remote=remote,
        requested=question.requested,
        kept=question.kept,
        selected=question.prepared.selected,
    )


def require_known(
    addresses: Iterable[Address], declared: Mapping[Address, object], recorded: Mapping[Address, object]
) -> None:
    """Raise UsageError for an address that is neither declared nor recorded."""
    _require(addresses, {**declared, **recorded}, "is neither declared nor recorded in this project")


def require_declared(addresses: Iterable[Address], declared: Mapping[Address, object]) -> None:
    """Raise UsageError for an address that is not declared."""
    _require(addresses, declared, "is not declared in this project")


def require_recorded(addresses: Iterable[Address], recorded: Mapping[Address, object]) -> None:
    """Raise UsageError for an address of which nothing is recorded, declared or not."""
    _require(addresses, recorded, "has never been applied in this project")


def folder_hint(word: str) -> str:
    """Return how a folder is named that an address was taken for; the empty text where there is none."""
    return f"There is a folder of that name: write `./{word}` for the project in it." if Path(word).is_dir() else ""


def _require(addresses: Iterable[Address], known: Mapping[Address, object], lacking: str) -> None:
    for address in addresses:
        if address not in known:
            raise UsageError(
                f"`{address}` {lacking}.",
                hint=folder_hint(address)
                or nearest(address, known)
                or "`taskspec plan` shows what is declared, `taskspec status` what was applied.",
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
