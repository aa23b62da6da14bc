"""A whole world in virtual time: remote, disk, files, clock; and the processes that live and die in it, one apply each.

The apply is the real one, and so are the client above its sockets, planning, sending, settling, following, recording.
"""

import asyncio
import signal
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import commanding
from cancelled import require_ended
from commanding import INVOCATION, PROJECT, chosen, naming
from fates import Faults
from ledger import Ledger
from memory_results import MemoryResults
from memory_state import Durable, MemoryState
from remote_runs import Life, Runs
from saving import Saved, Using
from simulated_pool import SimulatedPool
from virtual_loop import VirtualLoop

from taskspec.address import address_hash
from taskspec.apply.model import Options
from taskspec.chance import Chance
from taskspec.desired.model import Desired
from taskspec.errors import RunInterruptedError
from taskspec.report.exiting import ExitCode
from taskspec.runner import applying, locking
from taskspec.runner.model import Link, Offline, Refresh
from taskspec.runner.preparing import Prepared
from taskspec.state.model import Holder
from taskspec.taskapi.drivers import dialling
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

BEGINNING = 1_700_000_000.0
QUIET_PERIOD = 120.0
IDENTITY = RemoteIdentity(type="xpander", url="https://remote.test", organization="o")
ENDPOINT = Endpoint(rest_root="http://remote.test", events_root="http://remote.test/o", api_key="k" * 32)
HOLDER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=0.0)


@dataclass(slots=True)
class World:
    """What outlives every process."""

    faults: Faults = field(default_factory=Faults)
    traits: dict = field(default_factory=lambda: {"keeps_titles": True})
    lives: dict = field(default_factory=dict)
    """The lives of the runs of a prompt, in their order; the last is that of all further ones."""
    stopping: float = 0.5
    """Seconds from a stop that the remote has taken to the end of the run."""
    intent_first: bool = True
    now: float = BEGINNING
    durable: Durable = field(default_factory=Durable)
    files: dict = field(default_factory=dict)
    accepted: dict = field(default_factory=dict)
    trace: list | None = None
    """Is given every step, where somebody asks for it."""
    steps: int = 0
    nonces: int = 0
    commands: int = 0
    declared: dict = field(default_factory=dict)
    """What the documents say now, by address."""
    requested: frozenset = frozenset()
    """The addresses of which another attempt is asked for by hand."""
    anew: frozenset = frozenset()
    """The addresses whose accepted results are to be made anew."""
    duplicates: set = field(default_factory=set)
    """The runs that were told to be one create which the remote has more than once."""
    remote: Runs = field(default_factory=lambda: Runs(honours_keys=False, lag=0.0))
    ledger: Ledger = None

    def __post_init__(self):
        self.ledger = Ledger(self, intent_first=self.intent_first)

    @property
    def quiet_period(self):
        return self.traits.get("quiet_period", QUIET_PERIOD)

    def take(self, agent, content, key, at, *, again=False):
        """Let the remote have a create, now or later; `again`: a proxy repeats one."""
        run, is_new = self.remote.apply(agent, content, key, at, Life())
        if is_new:
            if again:
                self.ledger.twins.add(key)
            lives = self.lives.get(run.prompt)
            if lives:
                run.life = lives.pop(0) if len(lives) > 1 else lives[0]
            self.ledger.created(run)
        return run

    def apply(
        self,
        tasks,
        *,
        dies_at=None,
        rival_at=None,
        rival=None,
        refresh=Refresh.ACTIVE,
        requested=None,
        anew=(),
        saved=None,
        cancelled_at=None,
        former=None,
        **options,
    ):
        """Carry out one apply; return its exit code, or None where it was killed in its step number `dies_at`.

        `rival_at`: another apply (or `rival`) starts so many seconds after it, on the same machine. `requested`: one
        attempt more of this address is asked for, and nothing else (all of them: no address is named). `anew`: the
        results of these addresses are made anew. `saved`: this plan is carried out, whatever `tasks` are. It is asked
        to end in its step number `cancelled_at`.
        """
        self.requested = frozenset() if requested is None else frozenset(requested or (task.address for task in tasks))
        self.anew = frozenset(anew if saved is None else saved.anew)
        invocation = naming(*requested, refresh=refresh) if requested else replace(INVOCATION, refresh=refresh)
        if anew:
            invocation = replace(invocation, rerun=chosen(anew))
        story = commanding.apply(invocation, saved, options=Options(**options), requested=requested is not None)
        using = None
        if saved is not None:
            tasks, former, using = saved.tasks, saved.former, Using(self, saved)
        said = {"dies_at": dies_at, "cancelled_at": cancelled_at, "former": former}
        code = self.command(story, tasks, rival_at=rival_at, rival=rival, **said)
        if using is not None:
            using.ended(code, waits=options.get("wait", True) and "wait_timeout" not in options)
        self.requested = self.anew = frozenset()
        return code

    def save(self, tasks, *, anew=(), former=None, refresh=Refresh.ACTIVE, dies_at=None, **said):
        """Plan and save that; return the saved plan, or None where that came to nothing."""
        made = Saved(tasks=tasks, former=former or {}, anew=tuple(anew), **said)
        invocation = replace(INVOCATION, refresh=refresh, rerun=chosen(anew) if anew else None)
        code = self.command(made.story(invocation), tasks, dies_at=dies_at, former=former, alone=True)
        return made if code == ExitCode.OK else None

    def command(
        self,
        story,
        tasks,
        *,
        dies_at=None,
        cancelled_at=None,
        rival_at=None,
        rival=None,
        former=None,
        alone=False,
    ):
        """Carry out one command, whichever it is, as a process of its own; `alone`: it runs its own loop."""
        self.commands += 1
        self.declared = {task.address: task for task in tasks}
        self.ledger.owners |= {address_hash(address): address for address in self.declared}
        desired = Desired(project=PROJECT, tasks=self.declared, former=former or {})
        process = Process(self, Prepared(desired=desired), story, dies_at, cancelled_at)
        code = process.live_alone() if alone else process.live(rival_at, rival)
        if process.is_asked and code is not None:
            require_ended(self, code, heard=process.is_heard)
        return code

    def tell(self, *words):
        if self.trace is not None:
            self.trace.append(f"{self.now - BEGINNING:9.2f}  " + "  ".join(map(str, words)))


class Process:
    """One command from its start to its end, or its death; the ports of its story."""

    def __init__(self, world, prepared, story, dies_at=None, cancelled_at=None):
        self.world = world
        self.prepared = prepared
        self._story = story
        self._dies_at = dies_at
        self._cancelled_at = cancelled_at
        self.is_asked = False
        """It was asked to end."""
        self.is_heard = False
        """It was asked to end, and that became a call in its loop."""
        self._loop = VirtualLoop(world.now)
        self._steps = 0
        self.chance = Chance(now=self._loop.time, nonce=self._nonce)

    def live(self, rival_at, rival):
        return self._live(lambda: self._loop.run(self._all(rival_at, rival)))

    def live_alone(self):
        """Live as a command that is no coroutine, and runs the loop itself where it needs it."""

        def whole():
            try:
                return self._story(self)
            finally:
                self._loop.end()

        return self._live(whole)

    def run(self, coroutine):
        """Do what `asyncio.run` does, for a command that lives alone."""
        return self._loop.run_once(coroutine)

    def _live(self, whole):
        self.world.tell("command", f"dies at {self._dies_at}" if self._dies_at else "")
        try:
            with _in_place_of_the_world(self), commanding.documents(self.prepared):
                code = whole()
        except SystemExit:
            code = None
        finally:
            self.world.now = self._loop.time()
            if self.world.durable.holder is not None:  # the system takes the lock from whoever is gone
                if self._dies_at is None or self._steps < self._dies_at:
                    raise AssertionError("the lock is still held by a command that has ended")
                self.world.durable.holder = None
        self.world.tell("exit", code)
        return code

    def step(self, what, detail=""):
        """Note a step, and die in it where that is wanted."""
        self.alive()
        self._steps += 1
        self.world.steps += 1
        self.world.now = self._loop.time()
        self.world.tell(f"{self._steps:3}", what, detail)
        if self._steps == self._dies_at:
            self.world.tell("killed")
            self._loop.kill()
        if self._steps == self._cancelled_at:
            self.world.tell("asked to end")
            self.is_asked = True
            self.is_heard = self._loop.signal(signal.SIGTERM)
            if not self.is_heard:  # as the process itself hears it, wherever it is
                raise RunInterruptedError(signal.SIGTERM)

    def alive(self):
        if self._loop.dead:
            self._loop.kill()

    def commit_fate(self):
        return self.world.faults.commit()

    def committed(self, changes):
        self.world.ledger.committed(changes)

    def results(self, project):
        return MemoryResults(self.world.files, self)

    def offline(self, project):
        honours = self.world.remote.honours_keys
        traits = Traits(honours_idempotency_keys=honours, **{"quiet_period": QUIET_PERIOD, **self.world.traits})
        return Offline(identity=IDENTITY, traits=traits, declares_agents=True)

    @asynccontextmanager
    async def connect(self, project, need):
        connection = Connection(ENDPOINT, IDENTITY, self.offline(project).traits)
        connection._pool = SimulatedPool(connection._dial, self)
        connection._patience = Patience(jitter=lambda: 0.5)
        yield Link(connection=connection)

    def open_state(self, project, *, read_only, at=None):
        return MemoryState(self.world.durable, self, "5a1e5" + "0" * 27)

    def holder(self):
        return HOLDER

    def clock(self):
        return SimpleNamespace(monotonic=self._loop.time, time=self._loop.time)

    async def _all(self, rival_at, rival):
        if rival_at is None:
            return await self._story(self)
        code, _ = await asyncio.gather(self._story(self), self._rival(rival_at, rival))
        return code

    async def _rival(self, after, rival):
        await asyncio.sleep(after)
        if rival is not None:
            await rival(self)
            return
        held = self.world.durable.holder is not None
        if not held:
            self.world.commands += 1  # the first has ended: this is an apply of its own
        code = await self._story(self)
        assert (code == ExitCode.LOCKED) == held, f"a second apply ended with {code} while the lock was held: {held}"

    def _nonce(self):
        self.world.nonces += 1
        return f"{self.world.nonces:016x}"


@contextmanager
def _in_place_of_the_world(process):
    """Give the story the files and the time of a process, and no heart that beats in a thread."""
    saved = locking.beating, applying.results_folder, dialling.time, dialling.proxy_of
    locking.beating, applying.results_folder = lambda *_: nullcontext(), process.results
    dialling.time, dialling.proxy_of = process.clock(), lambda _: None
    try:
        yield
    finally:
        locking.beating, applying.results_folder, dialling.time, dialling.proxy_of = saved
