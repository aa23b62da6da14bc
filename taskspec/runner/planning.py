"""plan: the documents, the state and the remote → the plan. Changes nothing, but that it makes a missing state."""

from collections.abc import Mapping

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.documents.model import Project
from taskspec.documents.remembering import Memory
from taskspec.errors import StaleError
from taskspec.plan.model import Plan
from taskspec.plan.moving import moves_of
from taskspec.runner.announcing import say_beginning
from taskspec.runner.answering import Conclude, Keep, Question, decide_alone, decide_on, used_results
from taskspec.runner.choosing import choose_anew, require_declared
from taskspec.runner.guarding import used_so_far
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import Prepared, Remark, chosen_of, prepare, say_nothing
from taskspec.runner.recalling import Answers, BoundRuns, FormerResults, KeptResults, Measurements
from taskspec.state.migrating import require_here
from taskspec.state.model import Snapshot


def plan(
    invocation: Invocation,
    ports: Ports,
    remark: Remark = say_nothing,
    *,
    memory: Memory | None = None,
    conclude: Conclude | None = None,
    keep: Keep | None = None,
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
        require_here(store)
        snapshot = store.read()
        say_beginning(snapshot, store, ports)
        contents = used_results(prepared.desired, snapshot, store)
        today = moves_of(prepared.desired, snapshot, contents).rekeyed(snapshot)
        selected = chosen_of(prepared, invocation, snapshot.records)
        question = Question(
            prepared=prepared,
            snapshot=snapshot,
            selected=selected,
            rerun=choose_anew(invocation.rerun, prepared.desired, snapshot.records, selected),
            contents=contents,
            kept=KeptResults(prepared.desired, today, store),
            past=(history := BoundRuns(store, snapshot)),
            spent=history.last_generation,
            used=used_so_far(prepared.desired.project, snapshot, store, ports.chance.now()),
            measure=Measurements(store),
            answer=Answers(store),
            former=FormerResults(store),
            refresh=invocation.refresh,
        )
        decided = decide_alone(question, ports)
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
    chosen = chosen_of(prepared, invocation, records)
    return tasks if chosen is None else {address: task for address, task in tasks.items() if address in chosen}


def read_state(project: Project, ports: Ports) -> Snapshot:
    """Return what is recorded, without taking the lock."""
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        return store.read()
    finally:
        store.close()
