"""A project folder, its state, its remote and the environment, in virtual time; and the commands that are called there.

The commands are the real ones, from the documents down to the client; only sockets and the clock are played. A world
can be copied, so that what follows from one moment can be tried in many ways.
"""

import asyncio
import copy
import shutil
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from saved_remote import PlayedPool, PlayedRemote
from virtual_loop import VirtualLoop

from taskspec.apply.model import Options
from taskspec.chance import Chance
from taskspec.cli.failing import exit_code
from taskspec.errors import TaskspecError
from taskspec.report.counting import Tally
from taskspec.report.exiting import foremost
from taskspec.runner import accepting, adopting, forgetting, locking, planning, pulling, pushing, relocating, saved
from taskspec.runner import stopping as stopping_runs
from taskspec.runner.applying import Job, apply
from taskspec.runner.model import Invocation, Link, Offline
from taskspec.selecting.parsing import parse
from taskspec.settings import from_environ
from taskspec.state.model import Holder
from taskspec.state.sqlite import SqliteState
from taskspec.taskapi.drivers import dialling
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

BEGINNING = 1_700_000_000.0
PLAN = "plan.json"
ENDPOINT = Endpoint(rest_root="http://remote.test", events_root="http://remote.test/o", api_key="k" * 32)
HOSTED = RemoteIdentity(type="xpander", url="https://remote.test", organization="o")
EMBEDDED = RemoteIdentity(type="local", instance="one")
HOLDER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=0.0)
SECRETS = {"TASKSPEC_VAR_token": "canary-one", "CRM": "canary-two", "COMMIT": "abc", "HOOK": "canary-three"}
ENOUGH = 900.0
"""Seconds for which an apply waits for runs, so that one that never ends does not keep it."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a command ended: its exit code (None: it was killed), the error, and the plan that was carried out."""

    code: int | None
    error: TaskspecError | None = None
    plan: object = None


@dataclass
class World:
    """What outlives every command."""

    folder: Path
    remote: PlayedRemote
    environ: dict = field(default_factory=lambda: dict(SECRETS))
    identity: RemoteIdentity = HOSTED
    now: float = BEGINNING
    nonces: int = 0
    takes_files: bool = True

    def copy(self, folder):
        """Return a world that goes its own way from here on."""
        shutil.copytree(self.folder, folder)
        made = replace(self, folder=folder, remote=copy.deepcopy(self.remote), environ=dict(self.environ))
        made.remote.sent = []
        return made

    @property
    def plan(self):
        return self.folder / PLAN

    def invocation(self, *words, targets=(), rerun=(), **said):
        settings = from_environ(self.environ)
        chosen = parse(words, (), targets)
        anew = parse(rerun) if rerun else None
        return Invocation(target=self.folder, selection=chosen, settings=settings, rerun=anew, **said)

    def save(self, invocation, lasts=saved.EXPIRES):
        """Make a plan and save it; return it. Raises what that raises."""
        kept = []

        def keep(question, plan, state):
            saved.save(question, plan, self.plan, command, state, lasts)
            kept.append(plan)

        command = Command(self)
        command.told(lambda: planning.plan(invocation, command, keep=keep))
        return kept[0]

    def carry_out(self, *, dies_at=None, expected=None, **options):
        """Apply the saved plan."""

        def story(command, approve, emit):
            kept = saved.load(self.plan)
            invocation = self.invocation()
            prepared = saved.opened(kept, invocation, command, expected)
            return apply(invocation, command, _job(options, approve, emit, prepared=prepared, saved=kept))

        return self._apply(story, dies_at)

    def apply(self, invocation=None, *, dies_at=None, requested=False, **options):
        """Apply what the manifests say."""

        def story(command, approve, emit):
            asked = invocation or self.invocation()
            return apply(asked, command, _job(options, approve, emit, requested=requested))

        return self._apply(story, dies_at)

    def _apply(self, story, dies_at):
        tally, command = Tally(), Command(self, dies_at)

        def approve(plan):
            tally.expect(change.address for change in plan.changes)
            return True

        def emit(event):
            tally.on(event)

        try:
            plan = command.told(lambda: command.run(story(command, approve, emit)))
        except SystemExit:
            return Told(code=None)
        except TaskspecError as error:
            return Told(code=foremost((exit_code(error), tally.exit_code if tally.began else 0)), error=error)
        return Told(code=tally.exit_code, plan=plan)

    def forget(self, address):
        return self._by_hand(lambda c: forgetting.forget(self.invocation(address), c, lambda _: True, _silent))

    def stop(self, address):
        return self._by_hand(lambda c: stopping_runs.stop(self.invocation(address), c, lambda _: True, _silent))

    def accept(self, address):
        wish = accepting.Wish(generation=None, approve=lambda _: True, emit=_silent)
        return self._by_hand(lambda c: accepting.accept(self.invocation(address), c, wish))

    def adopt(self, address, run):
        wish = adopting.Wish(run=run, foreign=True, approve=lambda _: True, emit=_silent)
        return self._by_hand(lambda c: adopting.adopt(self.invocation(address), c, wish))

    def move(self, before, now):
        names = (before, now)
        return self._by_hand(lambda c: relocating.relocate(self.invocation(), c, names, lambda _: True, _silent))

    def pull(self, file):
        command = Command(self)
        with command.in_place_of_the_world(), pulling.pulled(self.invocation(), command, results=True) as text:
            pulling.pull_to(file, text)

    def push(self, file, *, force):
        return self._by_hand(lambda c: pushing.push(self.invocation(), c, file, lambda _: True, force=force))

    def _by_hand(self, story):
        """Carry out a command, and tell whether it was not refused."""
        command = Command(self)
        try:
            command.told(lambda: command.run(story(command)))
        except TaskspecError:
            return False
        return True

    @contextmanager
    def state(self):
        """Open the state for whoever looks into it, or damages it."""
        store = SqliteState(self.folder / ".taskspec", "sales", "default", read_only=False)
        try:
            yield store
        finally:
            store.close()

    def overdue(self, run):
        """Tell whether a run may be stopped because of its own time-out."""
        found = self.remote.runs.get(run)
        return found is not None and self.now - found.applies_at >= 1800.0

    @property
    def records(self):
        with self.state() as store:
            return store.read().records


def _silent(_):
    """Hear nothing."""


def _job(options, approve, emit, **more):
    return Job(options=Options(**{"wait_timeout": ENOUGH, **options}), approve=approve, emit=emit, **more)


class Command:
    """One command from its start to its end, or its death: the ports of its story."""

    def __init__(self, world, dies_at=None):
        self.world = world
        self._dies_at = dies_at
        self._steps = 0
        self._loop = None
        self._stores = []
        self.chance = Chance(now=self.now, nonce=self._nonce)

    def now(self):
        if self._loop is not None:
            self.world.now = max(self.world.now, self._loop.time())
        return self.world.now

    def run(self, coroutine):
        """Run a coroutine in virtual time."""
        self._loop = VirtualLoop(self.world.now)
        try:
            return self._loop.run(coroutine)
        finally:
            self.now()
            self._loop = None

    def told(self, story):
        """Carry out a story in the place of the world; what a killed one has open is closed, as the system does."""
        try:
            with self.in_place_of_the_world():
                return story()
        finally:
            for store in self._stores:
                store.close()

    def step(self):
        """Note a step, and die in it where that is wanted."""
        self.alive()
        self._steps += 1
        if self._steps == self._dies_at:
            self._loop.kill()

    def alive(self):
        if self._loop is not None and self._loop.dead:
            self._loop.kill()

    def offline(self, project):
        traits = Traits(takes_local_files=self.world.takes_files, keeps_titles=True)
        traits = replace(traits, honours_idempotency_keys=self.world.remote.honours_keys)
        return Offline(identity=replace(self.world.identity, instance=None), traits=traits)

    @asynccontextmanager
    async def connect(self, project, need):
        connection = Connection(ENDPOINT, self.world.identity, self.offline(project).traits)
        connection._pool = PlayedPool(connection._dial, self)
        connection._patience = Patience(jitter=lambda: 0.5)
        yield Link(connection=connection)

    def open_state(self, project, *, read_only, at=None):
        folder = Path(project.data_folder)
        store = MortalState(self, folder, project.name, project.environment, read_only=read_only)
        self._stores.append(store)
        return store

    def holder(self):
        return HOLDER

    def waiting(self, error, seconds):
        """Wait for nobody."""

    def begins(self, place):
        """Begin nowhere that others share."""

    def _nonce(self):
        self.world.nonces += 1
        return f"{self.world.nonces:016x}"

    @contextmanager
    def in_place_of_the_world(self):
        """Give a story the time of its command, and no heart that beats in a thread."""
        kept = locking.beating, dialling.time, dialling.proxy_of, asyncio.run
        locking.beating = lambda *_: nullcontext()
        dialling.time, dialling.proxy_of = SimpleNamespace(monotonic=self.now, time=self.now), lambda _: None
        asyncio.run = self.run
        try:
            yield
        finally:
            locking.beating, dialling.time, dialling.proxy_of, asyncio.run = kept


class MortalState(SqliteState):
    """The state of a command that may die before a commit, and after it."""

    def __init__(self, command, *where, read_only):
        super().__init__(*where, read_only=read_only)
        self._command = command

    def commit(self, lease, serial, changes):
        self._command.step()
        serial = super().commit(lease, serial, changes)
        self._command.step()
        return serial
