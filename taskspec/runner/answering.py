"""A question, of what is declared, recorded and to be asked of the remote → the plan. Changes nothing anywhere."""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.documents.locating import shown_in
from taskspec.errors import StateError
from taskspec.observed.model import Observed
from taskspec.plan.accounting import Past
from taskspec.plan.causing import caused
from taskspec.plan.deciding import decide
from taskspec.plan.estimating import Measure, estimated, likely_tokens, unmeasured
from taskspec.plan.foreseeing import foreseen
from taskspec.plan.keeping import Answer, Former, nothing_kept, unanswered
from taskspec.plan.model import Circumstances, Plan, Spent, nothing_spent
from taskspec.plan.moving import moves_of
from taskspec.plan.obstructing import obstructed
from taskspec.plan.reminding import reminded
from taskspec.plan.renewing import passing
from taskspec.plan.retrying import with_retries
from taskspec.plan.spending import NOTHING_USED, Usage
from taskspec.runner.guarding import Guards, guarded
from taskspec.runner.model import Need, Ports, Refresh
from taskspec.runner.observing import asks, see
from taskspec.runner.preparing import Prepared
from taskspec.state.model import Record, Snapshot
from taskspec.state.store import StateReader
from taskspec.taskapi.remotes import RemoteIdentity


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
    answer: Answer = unanswered
    """Reads kept results: those that tasks have so far, for what waits for others, and those of texts of before."""
    former: Former = nothing_kept
    """Tells which results are kept of texts that are declared again."""
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
    decided = decide_alone(question, ports)
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
    desired, snapshot = question.prepared.desired, question.snapshot
    plan = decide(desired, snapshot, observed, circumstances, question.contents)
    plan = foreseen(estimated(with_retries(plan), question.measure), snapshot.records, question.answer)
    plan = reminded(plan, question.former)
    told = caused(plan, desired.tasks, snapshot.records, partial(shown_in, desired.project.folder))
    return _guarded(question, obstructed(told), observed, circumstances.remote)


def guarded_anew(question: Question, plan: Plan) -> Plan:
    """Return a plan, some of whose changes are weaker than they were decided, as it is guarded without these."""
    if plan.basis is None:
        raise LookupError("the plan does not say what it was decided on")
    bare = replace(plan, refusals=(), spending=None)
    return _guarded(question, bare, plan.basis.observed, plan.basis.circumstances.remote)


def _guarded(question: Question, plan: Plan, observed: Observed, remote: RemoteIdentity) -> Plan:
    guards = Guards(
        snapshot=question.snapshot,
        used=question.used,
        estimates=likely_tokens(plan.changes),
        overridden=question.prepared.overridden,
        fail_on=question.prepared.fail_on,
    )
    return guarded(plan, question.prepared.desired, observed, remote, guards)


def decide_alone(question: Question, ports: Ports) -> Plan | None:
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
        former=question.former,
        answer=question.answer,
        selected=question.selected,
    )
