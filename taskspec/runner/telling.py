"""status, results, logs, agents: how things stand. Changes nothing, and takes no lock."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from shlex import quote
from typing import Final

from taskspec.address import Address
from taskspec.documents.model import Project
from taskspec.errors import RemoteError, UsageError
from taskspec.health import Health
from taskspec.observed.model import Absent, Observation, Present, Unreadable
from taskspec.observed.refreshing import observe
from taskspec.report.standing import Standing, not_applied
from taskspec.runner.hushing import until_quiet
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Link, Need, Ports
from taskspec.runner.observing import is_open
from taskspec.runner.picking import declared_by, pick, pick_recorded
from taskspec.runner.placing import elsewhere
from taskspec.runner.planning import read_state
from taskspec.state.migrating import require_here
from taskspec.state.model import Accepted, Attempt, Record, Sending, Verdict
from taskspec.taskapi import endpoints
from taskspec.taskapi.records import ENDED, AgentRecord, TaskEvent
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.remotes import RemoteIdentity

__all__ = ["agents", "events", "log", "results", "status"]

SOME = 5
"""How many addresses are named where there are too many."""
_GOING_ON: Final = frozenset({Status.Pending, Status.Executing})


async def status(invocation: Invocation, ports: Ports, remark: Callable[[str], None]) -> list[Standing]:
    """Return how each selected address stands, with what its run shows at this moment where it is active.

    `remark` hears of it where what is declared is wrong.
    """
    project = project_of(invocation)
    snapshot = read_state(project, ports)
    remarks: list[str] = []
    declared = declared_by(invocation, ports, remarks.append)
    chosen = pick(invocation, ports, snapshot, declared)  # which says itself what is wrong, where it has to know it
    for text in remarks:
        remark(text)
    records = [record for record in snapshot.records.values() if record.address in chosen]
    observations = await _observations(project, ports, records)
    standings = [_standing(record, observations) for record in records]
    waiting = (address for address in declared if address not in snapshot.records)
    standings += [not_applied(address, declared[address]) for address in waiting if address in chosen]
    return sorted(standings, key=lambda standing: standing.address)


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Accepted results, and the open state that holds their texts."""

    selected: tuple[Address, ...]
    """What was selected, with an accepted result or without."""
    found: Sequence[tuple[Record, Accepted]]
    content: Callable[[Accepted], str]


@contextmanager
def results(invocation: Invocation, ports: Ports) -> Iterator[Results]:
    """Open the accepted results that are selected."""
    store = ports.open_state(project_of(invocation), read_only=True)
    try:
        require_here(store)
        chosen = pick_recorded(invocation, ports, store.read())
        found = [(record, record.accepted) for record in chosen if record.accepted is not None]
        selected = tuple(record.address for record in chosen)
        yield Results(selected=selected, found=found, content=lambda accepted: store.result(accepted.result))
    finally:
        store.close()


async def agents(invocation: Invocation, ports: Ports) -> list[AgentRecord]:
    """Return the agents of the project's remote."""
    async with ports.connect(project_of(invocation), Need.LOOK) as link:
        return await link.connection.run(endpoints.list_agents())


async def log(invocation: Invocation, ports: Ports) -> Sequence[object]:
    """Return the messages of the newest run of the one address that is selected, as the remote keeps them."""
    project = project_of(invocation)
    record, attempt, run = _newest_run(invocation, project, ports)
    _require_here(record.address, attempt, ports.offline(project).identity)
    async with ports.connect(project, Need.LOOK) as link:
        _require_here(record.address, attempt, link.connection.identity)
        return await link.connection.run(endpoints.activity_log(record.agent, run))


async def events(
    invocation: Invocation, ports: Ports, when_idle: Callable[[str], None]
) -> AsyncGenerator[TaskEvent, None]:
    """Yield the events of the newest run of the one address that is selected as they come, until it has ended.

    Where no engine carries it on, they end with those there are, and `when_idle` is called with its status.
    """
    project = project_of(invocation)
    record, attempt, run = _newest_run(invocation, project, ports)
    _require_here(record.address, attempt, ports.offline(project).identity)
    async with ports.connect(project, Need.LOOK) as link:
        _require_here(record.address, attempt, link.connection.identity)
        idle = await _idle_status(link, run)
        stream = link.connection.events(run)
        async with aclosing(stream if idle is None else until_quiet(stream)) as found:
            async for event in found:
                yield event
        if idle is not None:
            when_idle(idle)


async def _idle_status(link: Link, run: str) -> str | None:
    """Return the status of a run that has not ended and that nobody carries on: an engine that is only read from."""
    if link.end_runs is None:
        return None
    status = (await link.connection.run(endpoints.get_task(run))).status
    return None if status in ENDED else status


def _require_here(address: Address, attempt: Attempt, here: RemoteIdentity) -> None:
    why = elsewhere(address, attempt, here)
    if why and not is_open(attempt) and attempt.remote.same_remote(here):
        raise UsageError(
            f"`{address}`: run {attempt.run} was made by an engine whose data folder is not here, and what it said and "
            "did is there alone.",
            hint=f"`taskspec results {quote(address)}` prints an accepted result, wherever it was made.",
        )
    if why:
        raise UsageError(f"`{address}`: {why}.")


def _newest_run(invocation: Invocation, project: Project, ports: Ports) -> tuple[Record, Attempt, str]:
    records = pick_recorded(invocation, ports, read_state(project, ports))
    if len(records) != 1:
        some = ", ".join(record.address for record in records[:SOME]) + (", …" if len(records) > SOME else "")
        raise UsageError(
            f"One task has to be selected: `{invocation.selection}` selects {some or 'none'}.",
            hint="Give one address; `taskspec status` lists them.",
        )
    (record,) = records
    for attempt in reversed(record.generation.attempts):
        if attempt.run is not None:
            return record, attempt, attempt.run
    raise UsageError(f"No run of `{record.address}` is recorded yet.", hint="`taskspec apply` starts one.")


async def _observations(project: Project, ports: Ports, records: Sequence[Record]) -> Mapping[str, Observation]:
    """Look at the active runs that are here; where the remote cannot be reached, say so of each instead of failing."""
    active, found = _active(records, ports.offline(project).identity)
    if not active:
        return found
    try:
        async with ports.connect(project, Need.LOOK) as link:
            here, away = _active(active.values(), link.connection.identity)
            seen = await observe(link.connection, {run: record.agent for run, record in here.items()})
            if link.end_runs is not None:
                seen = {run: _left_alone(observation) for run, observation in seen.items()}
            return {**found, **away, **seen}
    except RemoteError as error:
        return {**found, **{run: Unreadable(reason=error.message) for run in active}}


def _left_alone(observation: Observation) -> Observation:
    """Return what is known of a run on an engine that is only read from: what it last was, but not that it goes on."""
    match observation:
        case Present(record=run) if run.status in _GOING_ON:
            reason = f"it was {run.status}, and no engine carries it on: `taskspec apply` records what became of it"
            return Unreadable(reason=reason)
        case _:
            return observation


def _active(records: Iterable[Record], identity: RemoteIdentity) -> tuple[dict[str, Record], Mapping[str, Observation]]:
    """Return the records of active runs that are here, by run, and what is to be said of those elsewhere."""
    here: dict[str, Record] = {}
    away: dict[str, Observation] = {}
    for record in records:
        last = record.generation.last
        if last is None or last.run is None or not is_open(last):
            continue
        if why := elsewhere(record.address, last, identity):
            away[last.run] = Unreadable(reason=why)
        else:
            here[last.run] = record
    return here, away


def _standing(record: Record, observations: Mapping[str, Observation]) -> Standing:
    attempt = record.generation.last
    observation = observations.get(attempt.run or "") if attempt else None
    verdict, health, shown, detail = _judged(attempt, observation)
    found = observation.record if isinstance(observation, Present) else None
    return Standing(
        address=record.address,
        agent=record.agent,
        health=health,
        verdict=verdict,
        generation=record.generation.number,
        attempt=attempt.number if attempt else 0,
        run=attempt.run if attempt else None,
        status=shown,
        began=(found.started_at if found else None) or (attempt.started_at if attempt else None),
        ended=(found.finished_at if found else None) or (attempt.finished_at if attempt else None),
        detail=detail,
        accepted=record.accepted,
    )


def _judged(attempt: Attempt | None, observation: Observation | None) -> tuple[str, Health, str | None, str]:
    """Return verdict, health, status and detail of a record as it stands now."""
    if attempt is None:
        return "unknown", Health.UNKNOWN, None, "no attempt is recorded"
    if attempt.sending is Sending.INTENDED:
        return "unknown", Health.UNKNOWN, None, "it was asked for, and whether the remote has it is not known yet"
    if attempt.verdict is not None or not attempt.counts:
        verdict = attempt.verdict or Verdict.ERROR
        return verdict, _health(verdict), attempt.status, attempt.detail
    match observation:
        case Present(record=found):
            if found.status == Status.Paused:
                return "waiting", Health.NEEDS_INPUT, found.status, found.waits_for or ""
            if found.status in _GOING_ON:
                return found.status, Health.HEALTHY, found.status, ""
            if found.status in ENDED:
                return found.status, Health.UNKNOWN, found.status, "not judged yet: `taskspec apply` records it"
            return "unknown", Health.UNKNOWN, found.status, f"this version does not know the status `{found.status}`"
        case Absent():
            return "lost", Health.UNKNOWN, None, "the remote does not know the run any more"
        case Unreadable(reason=reason):
            return "unknown", Health.UNKNOWN, attempt.status, reason
        case None:
            return "unknown", Health.UNKNOWN, attempt.status, "it was not looked at"


def recorded_health(record: Record) -> Health:
    """Return how a task stands as far as it is recorded: of a run that nobody has looked at now, that is unknown."""
    return _judged(record.generation.last, None)[1]


def _health(verdict: Verdict) -> Health:
    match verdict:
        case Verdict.ACCEPTED | Verdict.ACTIVE:
            return Health.HEALTHY
        case Verdict.WAITING:
            return Health.NEEDS_INPUT
        case Verdict.UNKNOWN | Verdict.LOST:
            return Health.UNKNOWN
        case Verdict.REJECTED | Verdict.FAILED | Verdict.ERROR | Verdict.STOPPED:
            return Health.UNHEALTHY
