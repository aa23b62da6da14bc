"""Picking: the recorded tasks that a command which looks after runs is about. Changes nothing.

It needs no task to be right: only where a selector asks for what stands in the documents are they read and rendered.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from taskspec.address import Address
from taskspec.diagnostics import Severity
from taskspec.documents.loading import load
from taskspec.runner.choosing import choose, choose_among, require_recorded, within
from taskspec.runner.locating import scope_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import prepare, render
from taskspec.selecting.gathering import gather_recorded
from taskspec.state.model import Record, Snapshot

WRONG: Final = (
    "What is declared is wrong (`taskspec validate` tells): this shows what is recorded, not all that is declared."
)


def _say_nothing(_: str) -> None:
    """Leave it to `validate`."""


def declared_by(
    invocation: Invocation, ports: Ports, remark: Callable[[str], None] = _say_nothing
) -> Mapping[Address, str]:
    """Return the agent of each task that is declared soundly; `remark` hears of it where others may be missing."""
    loaded = load(invocation.target, invocation.environment)
    manifests, found = loaded.manifests, tuple(loaded.diagnostics)
    declared = {task.address: task.spec["agent"] for task in manifests.tasks}
    if any(task.spec.keys() & {"matrix", "forEach"} for task in manifests.tasks):
        desired, more = render(manifests, invocation, ports)
        declared, found = {address: task.agent for address, task in desired.tasks.items()}, (*found, *more)
    if any(one.severity is Severity.ERROR for one in found):
        remark(WRONG)
    return declared


def pick(
    invocation: Invocation, ports: Ports, snapshot: Snapshot, declared: Iterable[Address] = ()
) -> frozenset[Address]:
    """Return the addresses that are selected, of the recorded and of the declared ones, as far as these are known."""
    selection, scope = invocation.selection, scope_of(invocation)
    if selection.needs_documents:
        chosen = choose(selection, prepare(invocation, ports).desired, snapshot.records, scope)
        assert chosen is not None
        return chosen
    return within(scope, choose_among(selection, list(gather_recorded(snapshot.records, declared))))


def pick_recorded(invocation: Invocation, ports: Ports, snapshot: Snapshot) -> list[Record]:
    """Return the records that are selected; raise UsageError for an address of which nothing is recorded."""
    selection = invocation.selection
    require_recorded(selection.meant if selection.needs_documents else selection.addresses, snapshot.records)
    chosen = pick(invocation, ports, snapshot)
    return [record for address, record in snapshot.records.items() if address in chosen]
