"""apply: lock, plan, approve, carry out, record. Prints nothing; wherever it is cut, the state says how to go on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from taskspec.apply import sweeping
from taskspec.apply.adjusting import adjusted
from taskspec.apply.allowing import Allowance
from taskspec.apply.executing import Execution
from taskspec.apply.listening import Listener
from taskspec.apply.model import Emit, Options
from taskspec.apply.outcomes import as_planned, finished
from taskspec.apply.publishing import ResultsFolder
from taskspec.apply.recording import Recorder
from taskspec.apply.restoring import restore
from taskspec.apply.retaking import told as retold
from taskspec.apply.watching import Watcher
from taskspec.apply.world import World
from taskspec.documents.model import Project
from taskspec.errors import LimitError, TaskspecError, UsageError
from taskspec.events import AddressMoved, ApplyFinished, ApplyStarted, Event, Interrupted, WaitedTooLong
from taskspec.observed.refreshing import observe
from taskspec.plan.model import Plan
from taskspec.plan.moving import moves_of
from taskspec.runner.announcing import say_beginning
from taskspec.runner.answering import Question, decide_on, guarded_anew, used_results
from taskspec.runner.attending import require_attendable
from taskspec.runner.choosing import choose, choose_anew, require_recorded, require_some
from taskspec.runner.guarding import used_so_far
from taskspec.runner.heeding import first_signal
from taskspec.runner.locking import locked
from taskspec.runner.model import Invocation, Link, Need, Ports
from taskspec.runner.originating import revision_of
from taskspec.runner.preparing import Prepared, Remark, chosen_of, prepare, say_nothing
from taskspec.runner.recalling import Answers, BoundRuns, FormerResults, KeptResults, Measurements
from taskspec.runner.retaining import retain
from taskspec.runner.saved import SavedPlan, Use
from taskspec.state.model import Snapshot, StateChange
from taskspec.state.store import Lease, StateStore

Approve = Callable[[Plan], bool]
"""Shows a plan, and tells whether it is to be carried out."""


_LOOK = 0.5
"""Seconds between two looks at whether a remote in this process is still at work."""

Cutting = Callable[["asyncio.Future[None]", Emit], AbstractContextManager[None]]
"""Cancels the carrying out, as long as the context is open, where it is to end before its end."""


@contextmanager
def _ending_by_signal(work: "asyncio.Future[None]", emit: Emit) -> Iterator[None]:
    """Turn the first signal to end into an orderly end of `work`; a second one ends at once."""

    def end(signum: int) -> None:
        emit(Interrupted(signum=signum))
        work.cancel()

    with first_signal(end):
        yield


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """How an apply is to go: its options, who approves, who listens, and whether what is selected is tried again."""

    options: Options
    approve: Approve
    emit: Emit
    requested: bool = False
    remark: Remark = say_nothing
    prepared: Prepared | None = None
    """What the documents ask for, where they are read already."""
    saved: SavedPlan | None = None
    """The plan that is carried out, as far as it still holds; None for one that is made now."""
    cutting: Cutting = _ending_by_signal


async def apply(invocation: Invocation, ports: Ports, job: Job) -> Plan | None:
    """Make it so; return the plan that was carried out, or None where it was not approved."""
    prepared = job.prepared or prepare(invocation, ports)
    job.remark(prepared)
    project = prepared.desired.project
    if not job.options.wait:
        await _require_outliving(project, ports)
    results = results_folder(project)
    async with locked(project, ports, invocation.lock_timeout) as (store, lease):
        snapshot = store.read()
        say_beginning(snapshot, store, ports)
        listen = _listening(invocation, job, prepared, snapshot)
        use = Use.of(job.saved, store, snapshot) if job.saved is not None else None
        question = _question(invocation, job, prepared, store, snapshot, ports.chance.now())
        plan = await decide_on(question, ports)
        if use is not None:
            plan = guarded_anew(question, use.held(plan, snapshot))
        await require_attendable(plan, project, ports)
        if not job.approve(plan):
            return None
        store.renew(lease)  # whoever thought about it may have lost the lock meanwhile
        if plan.refusals:
            raise LimitError(f"the plan is refused by `{plan.refusals[0].limit}`, so nothing of it is carried out")
        results.check()
        began = ports.chance.now()
        job.emit(ApplyStarted(plan=plan.id, changes=len(plan.pending), paid=plan.paid_runs))
        if changed := _beginning(plan, use, began):
            store.commit(lease, snapshot.serial, changed)
            snapshot = store.read()
        for event in _begun(plan, snapshot):
            job.emit(event)
        restore(snapshot, store, results, job.emit)
        for found in sweeping.as_planned(plan):
            job.emit(found)
        is_whole = True
        if _needs_remote(plan, job.options):
            recorder = Recorder(store, lease, snapshot)
            revision = await asyncio.to_thread(revision_of, project, invocation.settings)
            async with ports.connect(project, Need.RUN) as link:
                world = _world(project, ports, job, plan, recorder, link)
                listener = listen(link) if listen is not None else None
                world = replace(world, revision=revision, listener=listener)
                is_whole = await _carry_out(world, link, job.cutting)
        else:
            for ended in as_planned(plan):
                job.emit(finished(ended))
        if is_whole:
            _end(plan, use, job, store, lease, ports.chance.now())
        job.emit(ApplyFinished(seconds=ports.chance.now() - began, head=store.head()))
    return plan


def _question(
    invocation: Invocation, job: Job, prepared: Prepared, store: StateStore, snapshot: Snapshot, now: float
) -> Question:
    """Return what is to be decided on; raise UsageError where what is selected is nothing."""
    contents = used_results(prepared.desired, snapshot, store)
    today = moves_of(prepared.desired, snapshot, contents).rekeyed(snapshot)
    selected = job.saved.selected if job.saved is not None else chosen_of(prepared, invocation, snapshot.records)
    if job.requested:
        recorded = {**snapshot.records, **today.records}
        require_recorded(invocation.selection.addresses, recorded)
        selected = frozenset(recorded) if selected is None else selected & recorded.keys()
    if prepared.since is None and job.saved is None:  # that nothing has changed is an answer
        require_some(invocation.selection, selected)
    if job.saved is not None:
        anew = job.saved.rerun
    else:
        anew = choose_anew(invocation.rerun, prepared.desired, snapshot.records, selected)
    return Question(
        prepared=prepared,
        snapshot=snapshot,
        selected=selected,
        contents=contents,
        refresh=invocation.refresh if job.saved is None else job.saved.refresh(invocation.refresh),
        need=Need.HOLD,
        requested=selected if job.requested and selected is not None else frozenset(),
        rerun=anew,
        kept=KeptResults(prepared.desired, today, store),
        past=(history := BoundRuns(store, snapshot)),
        spent=history.last_generation,
        used=used_so_far(prepared.desired.project, snapshot, store, now),
        measure=Measurements(store),
        answer=Answers(store),
        former=FormerResults(store),
        plan=job.saved.plan.id if job.saved is not None else None,
    )


def _listening(
    invocation: Invocation, job: Job, prepared: Prepared, snapshot: Snapshot
) -> Callable[[Link], Listener] | None:
    """Return what makes the listener of the runs that are to be heard; raise UsageError where none is meant."""
    if invocation.follow is None:
        return None
    heard = choose(invocation.follow, prepared.desired, snapshot.records)
    require_some(invocation.follow, heard)
    return lambda link: Listener(link.connection.events, job.emit, heard)


def results_folder(project: Project) -> ResultsFolder:
    """Return the project's results folder."""
    return ResultsFolder(Path(project.folder) / project.results_path, project.results_path)


def _beginning(plan: Plan, use: Use | None, at: float) -> tuple[StateChange, ...]:
    """Return what is recorded before anything is asked of a remote."""
    changed = tuple(adjusted(plan, at))
    return changed if use is None else (*use.beginning(plan, at, changes=bool(changed)), *changed)


def _begun(plan: Plan, snapshot: Snapshot) -> Iterator[Event]:
    """Yield what has become of records before anything is asked of a remote."""
    for change in plan.changes:
        if change.moved_from is not None:
            yield AddressMoved(address=change.address, before=change.moved_from)
        record = snapshot.records.get(change.address)
        if change.retakes and record is not None:
            yield retold(change, record)


def _end(plan: Plan, use: Use | None, job: Job, store: StateStore, lease: Lease, at: float) -> None:
    """Record that a plan has come to its end, and remove what its tasks keep no longer."""
    if use is not None and job.options.wait:
        use.end(plan, store, lease, at)
    retain(plan, store, lease, at, job.emit)


def _needs_remote(plan: Plan, options: Options) -> bool:
    """Tell whether anything of a plan is to be done on the remote: a kept result is judged again without it."""
    return any(change.needs_remote for change in plan.changes) or (options.stop_duplicates and bool(plan.duplicates))


async def _require_outliving(project: Project, ports: Ports) -> None:
    async with ports.connect(project, Need.LOOK) as link:
        if link.end_runs is not None:
            raise UsageError(
                "--no-wait needs an engine that outlives this command: its runs would be ended with it.",
                hint="Keep one running in another terminal with `taskspec serve`, or leave --no-wait out.",
            )


def _world(project: Project, ports: Ports, job: Job, plan: Plan, recorder: Recorder, link: Link) -> World:
    connection = link.connection
    return World(
        plan=plan,
        folder=Path(project.folder),
        connection=connection,
        recorder=recorder,
        watcher=Watcher(lambda runs: observe(connection, runs), connection.traits.poll_interval),
        results=results_folder(project),
        chance=ports.chance,
        options=job.options,
        places=asyncio.Semaphore(job.options.parallelism),
        emit=job.emit,
        allowance=Allowance(plan, None if job.saved is None else job.saved.paid),
    )


async def _carry_out(world: World, link: Link, cutting: Cutting) -> bool:
    """Execute the plan to its end, to the end of the time to wait, or until it is cut; record what is still open.

    Tell whether it came to its end.
    """
    execution = Execution(world)
    if world.options.stop_duplicates:
        world.search.suspected |= {run.agent_id for found in world.plan.duplicates for run in found.runs}
    work = asyncio.ensure_future(execution.run())
    failing = asyncio.ensure_future(_failure(link))
    try:
        with cutting(work, world.emit):
            await asyncio.wait([work, failing], timeout=world.options.wait_timeout, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                if not failing.done() and execution.open:
                    world.emit(WaitedTooLong(addresses=tuple(change.address for change in execution.open)))
                work.cancel()
                await asyncio.wait([work])
            is_whole = not execution.open
            if is_whole and world.listener is not None:
                await world.listener.linger()
            if not is_whole:  # who is asked to end meanwhile ends in order, after it
                await execution.wind_up(link.end_runs)
                await asyncio.sleep(0)  # a signal of the last moment is heard here
        if not work.cancelled():
            work.result()
        elif failing.done():
            raise failing.result()
        return is_whole
    finally:
        failing.cancel()
        if world.listener is not None:
            await world.listener.close()
        await world.watcher.close()
        world.recorder.close()


async def _failure(link: Link) -> TaskspecError:
    """Return why the remote will answer nothing any more, as soon as it is so: nobody need ask it again and again."""
    while (failure := link.failure()) is None:  # noqa: ASYNC110  # an engine fails in a thread of its own
        await asyncio.sleep(_LOOK)
    return failure
