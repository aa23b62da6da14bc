"""One round of a watch: read the documents, keep an engine for them, apply what they ask for. Waits for no next one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from taskspec.apply.model import Emit, Options
from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.documents.model import Project, When
from taskspec.documents.remembering import Memory
from taskspec.errors import LockHeldError, TaskspecError
from taskspec.plan.model import Plan
from taskspec.runner.applying import Job, apply
from taskspec.runner.model import Invocation, Link, Need, Offline, Ports
from taskspec.runner.noticing import Changes, Sight
from taskspec.runner.preparing import Prepared, Remark, examine, require_right

if TYPE_CHECKING:
    from taskspec.documents.places import Place
    from taskspec.state.model import Holder
    from taskspec.state.store import StateStore


class Host(Protocol):
    """Who keeps the engine that the rounds of a watch join; where the remote is hosted elsewhere, it does nothing."""

    @property
    def owned(self) -> bool:
        """Tell whether the engine ends with the watch."""

    async def keep(self, project: Project) -> None:
        """See to it that an engine runs that serves a project; raises EngineError."""

    def failure(self) -> TaskspecError | None:
        """Return why the engine serves no longer; None while it does."""

    async def end_runs(self) -> None:
        """End the active runs, and record them as interrupted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How each round is to go; `require_within` raises LimitError for a plan that is not to be carried out."""

    options: Options
    require_within: Callable[[Plan], None]
    remark: Remark


class ApplyingRounds:
    """Rounds that apply."""

    def __init__(self, invocation: Invocation, ports: Ports, host: Host, manner: Manner) -> None:
        self._invocation = invocation
        self._ports = _HostedPorts(ports, host)
        self._host = host
        self._manner = manner
        self._sight: Sight | None = None
        self._made: asyncio.Task[None] | None = None
        self._work: asyncio.Future[None] | None = None
        self._carries_out = False
        self._cut = False
        self._warned: object = ()

    async def make(self, emit: Emit) -> bool:
        """Make one round; False where it was cut before anything was carried out."""
        self._made = asyncio.current_task()
        try:
            prepared = self._prepared()
            await self._host.keep(prepared.desired.project)
            job = Job(
                options=self._manner.options,
                approve=self._approve,
                emit=emit,
                remark=self._remark,
                prepared=prepared,
                cutting=self._cutting,
            )
            return await apply(self._invocation, self._ports, job) is not None
        finally:
            self._made, self._carries_out, self._cut = None, False, False

    def cut(self) -> None:
        """End the round that is being made: at once where it only plans, in order where it carries out."""
        self._cut = True
        if self._work is not None:
            self._work.cancel()
        elif self._made is not None and not self._carries_out:
            self._made.cancel()

    def stopping(self) -> None:
        """Hear that the engine is about to end: the runs are ended, and recorded, with the round that is being made."""
        self._ports.stopping = True

    async def changes(self) -> Changes:
        """Return the files that are no longer as the last round has read them."""
        return {} if self._sight is None else await asyncio.to_thread(self._sight.changes)

    def _prepared(self) -> Prepared:
        invocation, prepared = self._invocation, None
        memory = Memory(invocation.settings.cache_folder, invocation.target)
        self._sight = None
        sight = Sight(invocation.target, int(self._ports.chance.now() * 1e9), invocation.variable_files)
        try:
            prepared = examine(invocation, self._ports, memory)
        finally:
            sight.see(memory, prepared)
            self._sight = sight
        require_right(prepared)
        return prepared

    def _approve(self, plan: Plan) -> bool:
        _require_pauses(plan)
        self._manner.require_within(plan)
        return not self._cut

    def _remark(self, prepared: Prepared) -> None:
        """Say what is to be known of the documents, where it is something new."""
        said = (prepared.warnings, prepared.skipped)
        if said != self._warned:
            self._warned = said
            self._manner.remark(prepared)

    @contextmanager
    def _cutting(self, work: "asyncio.Future[None]", _: Emit) -> Iterator[None]:
        self._carries_out, self._work = True, work
        if self._cut:
            work.cancel()
        try:
            yield
        finally:
            self._work = None


def _require_pauses(plan: Plan) -> None:
    """Raise ManifestError for tasks that every round would run, and pay, again."""
    found: dict[Position, Diagnostic] = {}
    for change in plan.changes:
        task = change.task
        if task is None or task.policies.rerun.when is not When.ALWAYS or task.policies.rerun.after is not None:
            continue
        position = task.source.position(("rerun",))
        wrong = Diagnostic(
            summary="Runs without a pause",
            detail=f"`{change.address}` has `rerun: always`: every round of a watch would start a run of it.",
            hint="Say how old a result may become: `rerun: {when: always, after: 1d}`.",
            position=position,
        )
        found.setdefault(position, wrong)
    if found:
        raise ManifestError(list(found.values()))


class _HostedPorts:
    """The ports of a round: an engine that ends with the watch is one of the command's own, and outlives the round."""

    def __init__(self, ports: Ports, host: Host) -> None:
        self._ports = ports
        self._host = host
        self.chance = ports.chance
        self.stopping = False

    def offline(self, project: Project) -> Offline:
        """Return what is known of the project's remote without asking it."""
        return self._ports.offline(project)

    @asynccontextmanager
    async def connect(self, project: Project, need: Need) -> AsyncIterator[Link]:
        """Connect to the project's remote."""
        async with self._ports.connect(project, need) as link:
            yield replace(link, end_runs=self._end_runs, failure=self._host.failure) if self._host.owned else link

    def open_state(self, project: Project, *, read_only: bool, at: "Place | None" = None) -> "StateStore":
        """Open the project's state: where it is kept, or at another place."""
        return self._ports.open_state(project, read_only=read_only, at=at)

    def holder(self) -> "Holder":
        """Describe this process to those who wait for its lock."""
        return self._ports.holder()

    def waiting(self, error: LockHeldError, seconds: float) -> None:
        """Tell that a lock is waited for, so many seconds at most, and who has it."""
        self._ports.waiting(error, seconds)

    def begins(self, place: str) -> None:
        """Tell that nothing is kept yet at a place that others share."""
        self._ports.begins(place)

    async def _end_runs(self) -> None:
        if self.stopping:
            await self._host.end_runs()
