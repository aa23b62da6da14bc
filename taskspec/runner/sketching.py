"""Sketching: the documents of now and of a revision → the plan of what differs. Opens no state, and asks no remote."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from taskspec.address import Address
from taskspec.desired.model import Desired
from taskspec.documents.model import LOCAL, Project
from taskspec.documents.places import Place
from taskspec.errors import LockHeldError, StateError, UnreachableError, UsageError
from taskspec.observed.model import Observed
from taskspec.plan.contrasting import affected, contrasted
from taskspec.plan.estimating import likely_tokens
from taskspec.plan.model import Plan
from taskspec.plan.sketching import sketched
from taskspec.plan.spending import NOTHING_USED
from taskspec.runner.basing import desired_at
from taskspec.runner.choosing import choose
from taskspec.runner.guarding import Guards, guarded
from taskspec.runner.model import Invocation, Link, Need, Offline, Ports
from taskspec.runner.preparing import Remark, prepare, say_nothing
from taskspec.state.model import Holder, Snapshot
from taskspec.state.store import StateStore
from taskspec.taskapi.remotes import RemoteIdentity, Traits

_SAID = "the plan was made offline"


class Disconnected:
    """Ports with nothing behind them: whoever has them reaches no state and no remote, and needs no key."""

    def __init__(self, ports: Ports) -> None:
        self.chance = ports.chance
        self._ports = ports

    def offline(self, project: Project) -> Offline:
        """Return what is known of the project's remote without asking it, as far as it can be known here."""
        try:
            return self._ports.offline(project)
        except UsageError:  # what it lacks only the environment has
            is_local = project.remote.type == LOCAL
            identity = RemoteIdentity(type=project.remote.type, organization=project.remote.organization)
            return Offline(identity=identity, traits=Traits(takes_local_files=is_local), declares_agents=is_local)

    def connect(self, project: Project, need: Need) -> AbstractAsyncContextManager[Link]:  # noqa: ARG002  # the port's signature
        """Refuse."""
        raise UnreachableError(f"no remote is asked: {_SAID}")

    def open_state(self, project: Project, *, read_only: bool, at: Place | None = None) -> StateStore:  # noqa: ARG002  # the port's signature
        """Refuse."""
        raise StateError(f"no state is opened: {_SAID}")

    def holder(self) -> Holder:
        """Describe this process."""
        return self._ports.holder()

    def waiting(self, error: LockHeldError, seconds: float) -> None:
        """Tell that a lock is waited for."""
        self._ports.waiting(error, seconds)

    def begins(self, place: str) -> None:
        """Tell that nothing is kept yet at a place."""
        self._ports.begins(place)


def sketch(invocation: Invocation, ports: Ports, revision: str, name: str, remark: Remark = say_nothing) -> Plan:
    """Return the plan of what the documents ask for otherwise than at a revision, which people know by a name.

    Raises ManifestError for what is wrong with the documents, and TaskspecError where the revision cannot be read.
    """
    ports = Disconnected(ports)
    prepared = prepare(replace(invocation, since=None), ports)
    remark(prepared)
    after = prepared.desired
    found = contrasted(desired_at(invocation, revision, after.project, ports), after)
    selected = choose(invocation.selection, after, {}, prepared.scope)
    if invocation.since is not None:
        is_same = invocation.since == revision
        reached = affected(found) if is_same else _since(invocation, invocation.since, after, ports)
        selected = reached if selected is None else selected & reached
    made = sketched(found, after, name, selected=selected, plan=ports.chance.nonce(), now=ports.chance.now())
    guards = Guards(
        snapshot=Snapshot(lineage="", serial=0, records={}),
        used=NOTHING_USED,
        estimates=likely_tokens(made.changes),
        overridden=prepared.overridden,
        fail_on=prepared.fail_on,
    )
    return guarded(made, after, Observed(), ports.offline(after.project).identity, guards)


def _since(invocation: Invocation, revision: str, after: Desired, ports: Ports) -> frozenset[Address]:
    return affected(contrasted(desired_at(invocation, revision, after.project, ports), after))
