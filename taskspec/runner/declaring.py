"""What is declared of one address that a command names, finished where the results that it uses are there."""

from taskspec.address import Address
from taskspec.errors import UsageError
from taskspec.observed.model import Observed
from taskspec.plan.deciding import decide
from taskspec.plan.model import Circumstances, Declared
from taskspec.plan.moving import moves_of
from taskspec.runner.answering import used_results
from taskspec.runner.choosing import choose
from taskspec.runner.model import Invocation
from taskspec.runner.preparing import Prepared
from taskspec.state.model import Snapshot
from taskspec.state.store import StateReader
from taskspec.taskapi.remotes import RemoteIdentity


def only_one(invocation: Invocation, prepared: Prepared, snapshot: Snapshot) -> Address:
    """Return the one address that is selected; raise UsageError for none or several."""
    chosen = choose(invocation.selection, prepared.desired, snapshot.records, prepared.scope) or frozenset()
    if len(chosen) != 1:
        raise UsageError(
            f"One task has to be named: `{invocation.selection}` names {len(chosen)}.",
            hint="Give the whole address of a cell, such as 'report[q1]'.",
        )
    return next(iter(chosen))


def former_name(address: Address, prepared: Prepared, snapshot: Snapshot, store: StateReader) -> Address | None:
    """Return the name under which a task is recorded, where it has another one now."""
    return moves_of(prepared.desired, snapshot, used_results(prepared.desired, snapshot, store)).former.get(address)


def declared_now(
    address: Address,
    prepared: Prepared,
    snapshot: Snapshot,
    store: StateReader,
    observed: Observed,
    remote: RemoteIdentity,
) -> Declared | None:
    """Return what is declared under an address; None where nothing is."""
    circumstances = Circumstances(now=0.0, plan="", remote=remote, selected=frozenset({address}))
    contents = used_results(prepared.desired, snapshot, store)
    plan = decide(prepared.desired, snapshot, observed, circumstances, contents)
    return next((change.task for change in plan.changes), None)
