"""state rebuild: a state that was lost is made anew of what the remote's markers tell. Starts and stops nothing.

It fills an empty state alone, in one commit. That something cannot be listed is no reason to believe that it is not
there: what is declared is listed in full, or nothing is rebuilt.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taskspec.address import Address
from taskspec.apply.rebuilding import rebuilt, to_be_read
from taskspec.apply.tracking_down import lineages, tracked
from taskspec.apply.witnessing import Circumstances
from taskspec.desired.model import Desired
from taskspec.diagnostics import ManifestError
from taskspec.documents.model import Project
from taskspec.errors import RemoteError, StaleError, TaskspecError, UsageError
from taskspec.observed.finding import marked
from taskspec.observed.listing import Lists, Unlisted, survey
from taskspec.observed.model import Sighting
from taskspec.observed.refreshing import read_singly
from taskspec.plan.rebuilding import Lineage, Rebuilt, Tracked
from taskspec.report.rebuilding import Rebuild
from taskspec.report.text import plural
from taskspec.runner.locating import project_of
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Need, Ports
from taskspec.runner.preparing import prepare
from taskspec.settings import DEFAULT_ENVIRONMENT
from taskspec.state.chaining import linked, root
from taskspec.state.document import StateDocument
from taskspec.state.model import HistoryEntry, Note, Snapshot
from taskspec.state.parsing import is_lineage
from taskspec.state.replacing import is_empty
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection

Approve = Callable[[Rebuild], bool]
"""Shows what was found, and tells whether it is to become the state."""
_WHOLE = Address("")
_SHORT = 8
"""So many characters of a lineage stand in a marker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What the lists of the agents show."""

    marked: Sequence[Sighting]
    unmarked: int
    unlisted: Mapping[str, str]


async def rebuild(invocation: Invocation, ports: Ports, lineage: str | None, approve: Approve) -> tuple[Rebuild, bool]:
    """Make the state anew; return what was found, and whether it is the state now.

    It is not where several lineages may be meant, or where it was not approved. Raises StaleError for a state that is
    not empty, RemoteError where the runs of a declared task cannot be listed, and UsageError where there is nothing.
    """
    prepared = prepare(invocation, ports)
    desired, project = prepared.desired, prepared.desired.project
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        _require_empty(store.read(), project)
        async with ports.connect(project, Need.LOOK) as link:
            found = await _looked_for(link.connection, desired)
            used, unread = _used(invocation, ports, project)
            seen = lineages(found.marked, desired, used)
            short = _chosen(seen, lineage, unread)
            if short is None:
                return Rebuild(lineages=seen), False
            ours = tracked([one for one in found.marked if one.marker.lineage == short], desired)
            reads = [run for trace in ours.traces.values() for run in to_be_read(trace, desired.tasks[trace.address])]
            world = Circumstances(
                remote=link.connection.identity,
                at=ports.chance.now(),
                plan=f"rebuilt-{ports.chance.nonce()}",
                answers={},
                seen=await read_singly(link.connection, dict.fromkeys(reads)),
            )
        made = tuple(_made(ours, desired, world))
        whole = lineage if lineage is not None and len(lineage) > _SHORT else _completed(short, ports)
        document = _document(project, whole, made, world)
        told = Rebuild(
            lineages=seen,
            chosen=whole,
            serial=document.serial,
            records=made,
            without_run=tuple(address for address in desired.tasks if address not in ours.traces),
            others=ours.others,
            again=ours.again,
            unmarked=found.unmarked,
            unlisted=found.unlisted,
        )
        if not approve(told):
            return told, False
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        store.replace(lease, 0, document)
    return told, True


def _require_empty(snapshot: Snapshot, project: Project) -> None:
    if not is_empty(snapshot):
        raise StaleError(
            f"Nothing is rebuilt: the state of environment `{project.environment}` is not lost; it is at serial "
            f"{snapshot.serial}, with {plural(len(snapshot.records), 'record')}.",
            hint="`taskspec orphans` lists the runs that it lacks, and `taskspec adopt` takes one into it.",
        )


async def _looked_for(connection: Connection, desired: Desired) -> _Found:
    """List the runs of all agents of the remote; raise RemoteError where one cannot be that a task is declared for."""
    declared = {task.agent for task in desired.tasks.values()}
    unlisted: dict[str, str] = {}
    agents = {*declared, *desired.project.agents}
    try:
        agents |= {agent.id for agent in await connection.run(endpoints.list_agents())}
    except RemoteError as error:
        unlisted["(the agents of the remote)"] = error.message
    lists = await survey(connection, sorted(agents))
    for agent, why in _unlisted(lists):
        if agent in declared:
            raise RemoteError(
                f"Nothing is rebuilt: the runs of `{agent}` cannot be listed in full, so that nobody can tell what was "
                f"paid for: {why}",
                hint="Run it again when they can be.",
            )
        unlisted[agent] = why
    found = list(marked(lists))
    rows = {row.id for listed in lists.values() if not isinstance(listed, Unlisted) for row in listed if row.id}
    return _Found(marked=found, unmarked=len(rows - {one.run.id for one in found}), unlisted=unlisted)


def _unlisted(lists: Lists) -> Iterator[tuple[str, str]]:
    """Yield the agents whose runs could not be listed, or not each of them, and why."""
    for agent, rows in lists.items():
        if isinstance(rows, Unlisted):
            yield agent, rows.reason
        elif not all(row.id for row in rows):
            yield agent, "the remote lists a run without its id"


def _used(invocation: Invocation, ports: Ports, project: Project) -> tuple[dict[str, str], dict[str, str]]:
    """Return the lineages of the states of the project's other environments, as markers have them, with the names.

    And which of those states cannot be read, and why: the runs that are found may be theirs.
    """
    spec: Mapping[str, Any] = (project.document.value.get("spec") or {}) if project.document is not None else {}
    declared: Mapping[str, Any] = spec.get("environments") or {}
    used: dict[str, str] = {}
    unread: dict[str, str] = {}
    for name in sorted({DEFAULT_ENVIRONMENT, *declared} - {project.environment}):
        try:
            if lineage := _lineage_at(project_of(replace(invocation, environment=name)), ports):
                used[lineage[:_SHORT]] = name
        except ManifestError:
            unread[name] = "its documents are wrong"
        except TaskspecError as error:
            unread[name] = error.message
    return used, unread


def _lineage_at(project: Project, ports: Ports) -> str:
    store = ports.open_state(project, read_only=True)
    try:
        return store.read(only=()).lineage
    finally:
        store.close()


def _chosen(seen: Sequence[Lineage], given: str | None, unread: Mapping[str, str]) -> str | None:
    """Return the lineage that is meant, as markers have it; None where several may be.

    Raises UsageError where there is none, for that of another environment, and where that may be one which is `unread`.
    """
    if given is not None:
        if not is_lineage(given):
            raise UsageError(f"`{given}` is no lineage.", hint="It has letters, digits and `-` alone.")
        short = given[:_SHORT]
        meant = next((one for one in seen if one.name == short), None)
        if meant is not None and meant.used_by is not None:
            raise UsageError(
                f"The lineage `{given}` is that of environment `{meant.used_by}`, whose state is not lost.",
                hint=f"`--env {meant.used_by}` works with that state; `taskspec state migrate` carries it elsewhere.",
            )
        if meant is None:
            raise UsageError(
                f"No run on the remote bears a marker of the lineage `{given}`.",
                hint=f"There are: {', '.join(one.name for one in seen)}." if seen else "There is none of any.",
            )
        return short
    free = [one for one in seen if one.addresses and one.used_by is None]
    fitting = [one.name for one in free if not one.by_text] or [one.name for one in free]
    if not fitting:
        raise UsageError(
            "Nothing can be rebuilt: no run on the remote bears a marker of a declared task.",
            hint="A remote that changes titles shows none: `taskspec tasks list AGENT` shows what there is, and "
            "`taskspec adopt ADDRESS RUN --foreign` takes a run by hand.",
        )
    if len(fitting) > 1:
        return None
    for environment, why in unread.items():
        raise UsageError(
            f"The runs that were found may be those of environment `{environment}`, whose state cannot be read: {why}",
            hint=f"Let it be read; or, if its runs are others, say which are meant: `--lineage {fitting[0]}`.",
        )
    return fitting[0]


def _made(ours: Tracked, desired: Desired, world: Circumstances) -> Iterator[Rebuilt]:
    """Yield the records, each behind its upstream, whose answers may be needed to know what it was asked."""
    answers: dict[Address, Sequence[str]] = {}
    for address, task in desired.tasks.items():
        if address in ours.traces:
            one = rebuilt(ours.traces[address], task, replace(world, answers=answers))
            answers[address] = one.answers
            yield one


def _completed(short: str, ports: Ports) -> str:
    """Return a lineage whose markers are those of the lost one; nobody knows its other characters."""
    return f"{short}{ports.chance.nonce()}" if len(short) == _SHORT else short


def _document(project: Project, lineage: str, made: Sequence[Rebuilt], world: Circumstances) -> StateDocument:
    """Return the state that the records make, with the history as far as it can be told, oldest first and chained."""
    notes = sorted((note for one in made for note in one.notes), key=lambda note: note.at)
    data = {"records": len(made), "by": "hand", "plan": world.plan}
    head = root(lineage)
    entries: list[HistoryEntry] = []
    for note in (*notes, Note(address=_WHOLE, at=world.at, what="rebuilt", data=data)):
        head = linked(head, 1, note)
        entries.append(HistoryEntry(serial=1, note=note, hash=head))
    return StateDocument(
        lineage=lineage,
        serial=1,
        head=head,
        project=project.name,
        environment=project.environment,
        records={one.record.address: one.record for one in made},
        history=tuple(reversed(entries)),
        results={digest: content for one in made for digest, content in one.results.items()},
    )
