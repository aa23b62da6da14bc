"""why: what is recorded of one task, what is declared, and what is behind the difference. Asks no remote."""

from collections.abc import Iterable
from dataclasses import replace

from taskspec.address import Address
from taskspec.desired.model import Desired
from taskspec.observed.model import Observed
from taskspec.plan.causes import CausingLine
from taskspec.plan.comparing import Compared, compared
from taskspec.plan.moving import moves_of
from taskspec.report.whys import Why
from taskspec.runner.answering import Question, decide_at, used_results
from taskspec.runner.blaming import blame, lines_of
from taskspec.runner.choosing import choose
from taskspec.runner.model import Invocation, Ports, Refresh
from taskspec.runner.preparing import prepare
from taskspec.runner.recalling import Answers, BoundRuns, FormerResults, KeptResults
from taskspec.state.migrating import require_here


def why(invocation: Invocation, ports: Ports) -> tuple[Why, ...]:
    """Return why each selected task is as it is; UsageError for an address that is neither declared nor recorded."""
    prepared = prepare(invocation, ports)
    desired = prepared.desired
    store = ports.open_state(desired.project, read_only=True)
    try:
        require_here(store)
        snapshot = store.read()
        chosen = choose(invocation.selection, desired, snapshot.records, prepared.scope)
        contents = used_results(desired, snapshot, store)
        moves = moves_of(desired, snapshot, contents)
        wanted = moves.followed(chosen if chosen is not None else frozenset({*desired.tasks, *snapshot.records}))
        question = Question(
            prepared=prepared,
            snapshot=snapshot,
            selected=_with_needed(wanted, desired),
            contents=contents,
            kept=KeptResults(desired, moves.rekeyed(snapshot), store),
            past=(history := BoundRuns(store)),
            spent=history.last_generation,
            answer=Answers(store),
            former=FormerResults(store),
            refresh=Refresh.NONE,
        )
        plan = decide_at(question, ports, Observed(), ports.chance.now())
    finally:
        store.close()
    asked = [(change, compared(change)) for change in plan.changes if change.address in wanted]
    lines = [line for change, _ in asked for line in lines_of(replace(plan, changes=(change,)))]
    lines += _lines(one for _, inputs in asked for one in inputs)
    target = invocation.target
    folder = target if target.is_dir() else target.parent
    plan = replace(plan, commits=blame(lines, folder, invocation.settings.environ))
    return tuple(Why(change=change, plan=plan, inputs=inputs) for change, inputs in asked)


def _lines(inputs: Iterable[Compared]) -> Iterable[CausingLine]:
    return (one.line for one in inputs if one.differs and one.line is not None)


def _with_needed(wanted: frozenset[Address], desired: Desired) -> frozenset[Address]:
    """Return some addresses, and all that they depend on, directly or not."""
    needed, waiting = set(wanted), list(wanted)
    while waiting:
        task = desired.tasks.get(waiting.pop())
        for address in task.upstream if task is not None else ():
            if address not in needed:
                needed.add(address)
                waiting.append(address)
    return frozenset(needed)
