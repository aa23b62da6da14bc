"""A stage for the tests of apply: a state, a results folder, a scripted remote, and one apply after the other."""

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from itertools import count

from kept_state import reading
from scripted_remote import Clock, ScriptedRemote

from taskspec.address import Address
from taskspec.apply.executing import Execution
from taskspec.apply.listening import Listener
from taskspec.apply.model import Options
from taskspec.apply.publishing import ResultsFolder
from taskspec.apply.recording import Recorder
from taskspec.apply.watching import Watcher
from taskspec.apply.world import World
from taskspec.chance import Chance
from taskspec.desired.model import DeferredTask, Desired, DesiredTask, LocalFile
from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.documents.model import (
    Document,
    Marks,
    OnChangeActive,
    OnRemove,
    Policies,
    Project,
    Rerun,
    Retry,
    Source,
    When,
)
from taskspec.errors import UnreachableError
from taskspec.events import ChangeFinished, RunCreated
from taskspec.observed.model import Observed
from taskspec.observed.refreshing import observe, observe_all
from taskspec.plan.deciding import decide
from taskspec.plan.model import Circumstances
from taskspec.report.counting import Tally
from taskspec.runner.answering import used_results
from taskspec.state.model import Holder
from taskspec.state.sqlite import SqliteState
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

REMOTE = RemoteIdentity(type="xpander", url="https://remote.test", organization="o")
HOLDER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=0.0)
A, B = Address("a"), Address("b")


def task(
    address="a", prompt="Write.", *, agent="writer", title="Title", files=(), policies=None, upstream=(), **request
):
    """Build a declared task; `request` holds further manifest fields, `policies` those of `Policies`."""
    said = dict(policies or {})
    if "retry" in said:
        said["retry"] = Retry(**{"backoff": 0.0, **said["retry"]})
    if "on_remove" in said:
        said["on_remove"] = OnRemove(said["on_remove"])
    if "on_change_active" in said:
        said["on_change_active"] = OnChangeActive(said["on_change_active"])
    if "rerun" in said:
        said["rerun"] = Rerun(**{**said["rerun"], "when": When(said["rerun"].get("when", "onChange"))})
    names = [file.path if isinstance(file, LocalFile) else file for file in files]
    spec = {"agent": agent, "prompt": prompt, **({"files": names} if names else {}), **request}
    spec.pop("userTokens", None)
    return DesiredTask(
        address=Address(address),
        agent=agent,
        title=title,
        spec=spec,
        fingerprint="1:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest(),
        request={"agent": agent, "prompt": prompt, **request},
        files=tuple(files),
        policies=Policies(**said),
        source=Source(document=Document(file="tasks.yaml", value={}, marks=Marks(1, 1))),
        upstream=tuple(Address(one) for one in upstream),
    )


def deferred(address="b", prompt="Sum up:", *, uses, upstream=(), wrong=None, part=str, **said):
    """Build a task that ends its prompt with `part` of each result that it uses; a result that is `wrong` fails it."""

    def finish(results):
        assert results.keys() == set(uses)
        if wrong is not None and any(wrong in result for result in results.values()):
            place = Position(file="tasks.yaml", line=7, column=11)
            raise ManifestError([Diagnostic(summary="No such field", detail="It has no `sum`.", position=place)])
        parts = (part(results[one]) for one in sorted(uses))
        return task(address, " ".join([prompt, *parts]), upstream=whole, **said)

    whole = tuple(dict.fromkeys((*upstream, *uses)))
    known = task(address, f"{prompt} (known after {', '.join(sorted(uses))})", upstream=whole, **said)
    return DeferredTask(
        address=known.address,
        agent=known.agent,
        title=known.title,
        spec=known.spec,
        policies=known.policies,
        source=known.source,
        upstream=known.upstream,
        uses=frozenset(Address(one) for one in uses),
        finish=finish,
    )


def local_file(folder, path, content):
    (folder / path).write_bytes(content)
    return LocalFile(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


class Stage:
    """Everything but the plan; each `apply` is a command of its own: it opens, locks, decides, carries out, closes."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = Clock()
        self.remote = ScriptedRemote(clock=self.clock)
        self.traits = {"poll_interval": 0.01, "keeps_titles": True}
        self.options = {}
        self.events = []
        self.unsent = 0
        self.ended_runs = 0
        self.selected = None
        self.listens = False
        self.identity = REMOTE
        self.results = ResultsFolder(folder / "results", "results")
        self._nonces = (f"{number:016x}" for number in count(1))
        self._plans = (f"p{number}" for number in count(1))

    def apply(self, *tasks, **options):
        """Plan and carry out; return each address's ChangeFinished. Raises what an apply raises."""
        return self.play(self.work, *tasks, **options)

    def play(self, work, *tasks, **options):
        """Do the same, but with `work` (a coroutine function of the execution) between plan and winding up."""
        self.events = []
        asyncio.run(self._play(work, tasks, options))
        finished = self.told(ChangeFinished)
        assert len({event.address for event in finished}) == len(finished), "an address was finished twice"
        return {event.address: event for event in finished}

    async def work(self, execution):
        await execution.run()

    async def work_and_lose_the_key(self, execution):
        """Carry out; as soon as a run is created, the remote refuses the key."""
        running = asyncio.ensure_future(execution.run())
        await happening(lambda: self.told(RunCreated))
        self.remote.accepts_key = False
        await running

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def exit_code(self):
        """Return the exit code of what was told."""
        tally = Tally()
        for event in self.events:
            tally.on(event)
        return tally.exit_code

    def snapshot(self):
        with reading(self.folder) as store:
            return store.read()

    def record(self, address=A):
        return self.snapshot().records.get(address)

    def attempts(self, address=A):
        return self.record(address).generation.attempts

    def history(self, address=A):
        with reading(self.folder) as store:
            return [entry.note.what for entry in store.history(address)][::-1]

    @asynccontextmanager
    async def connected(self):
        traits = Traits(honours_idempotency_keys=self.remote.honours_keys, **self.traits)
        async with self.remote.listening() as root:
            endpoint = Endpoint(rest_root=root, events_root=f"{root}/None", api_key="k" * 32)
            async with Connection(endpoint, self.identity, traits) as connection:
                connection._patience = Patience(jitter=lambda: 0.0)
                exchange = connection._exchange

                async def exchange_or_not(request):
                    if request.method == "POST" and self.unsent:
                        self.unsent -= 1
                        raise UnreachableError("no connection")
                    return await exchange(request)

                connection._exchange = exchange_or_not
                yield connection

    async def _play(self, work, tasks, options):
        store = SqliteState(self.folder / ".taskspec", "sales", "default", read_only=False)
        try:
            lease = store.acquire(HOLDER)
            snapshot = store.read()
            async with self.connected() as connection:
                plan = self.plan = await self._plan(connection, store, snapshot, tasks)
                recorder = Recorder(store, lease, snapshot)
                watcher = Watcher(lambda runs: observe(connection, runs), connection.traits.poll_interval)
                wanted = Options(**{**self.options, **options})
                world = World(
                    plan=plan,
                    folder=self.folder,
                    connection=connection,
                    recorder=recorder,
                    watcher=watcher,
                    results=self.results,
                    chance=Chance(now=self.clock.now, nonce=lambda: next(self._nonces)),
                    options=wanted,
                    places=asyncio.Semaphore(wanted.parallelism),
                    emit=self.events.append,
                    listener=Listener(connection.events, self.events.append, None) if self.listens else None,
                )
                self.results.check()
                try:
                    await self._carry_out(Execution(world), work)
                    if world.listener is not None:
                        await world.listener.linger()
                finally:
                    if world.listener is not None:
                        await world.listener.close()
                    await watcher.close()
                    recorder.close()
        finally:
            store.close()

    async def _carry_out(self, execution, work):
        trouble = None
        try:
            await work(execution)
        except Exception as error:  # noqa: BLE001  # raised again when what is open is wound up
            trouble = error
        if execution.open:
            await execution.wind_up(self._end_runs)
        if trouble is not None:
            raise trouble

    async def _end_runs(self):
        self.ended_runs += 1

    async def _plan(self, connection, store, snapshot, tasks):
        wanted = {}
        for record in snapshot.records.values():
            bound = [attempt.run for attempt in record.generation.attempts if attempt.run]
            wanted |= dict.fromkeys(bound[-1:], record.agent)
        circumstances = Circumstances(
            now=self.clock.now(), plan=next(self._plans), remote=connection.identity, selected=self.selected
        )
        project = Project(name="sales", folder=str(self.folder), data_folder=str(self.folder / ".taskspec"))
        declared = Desired(project=project, tasks={task.address: task for task in tasks})
        observed = Observed(runs=await observe_all(connection, wanted))
        return decide(declared, snapshot, observed, circumstances, used_results(declared, snapshot, store))


async def happening(condition):
    """Wait until a condition holds that nobody tells of."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


def cut_when(condition):
    """Return work that carries out and is cancelled, as by Ctrl-C, as soon as `condition()` holds."""

    async def work(execution):
        running = asyncio.ensure_future(execution.run())
        await happening(lambda: condition() or running.done())
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()

    return work
