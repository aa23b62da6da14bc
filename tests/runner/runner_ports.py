"""Ports onto a scripted remote: what the composition root gives, for tests. Knows no engine."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from kept_state import records_in
from scripted_remote import ScriptedRemote

from taskspec.apply.model import Options
from taskspec.chance import Chance
from taskspec.events import ChangeFinished
from taskspec.runner.applying import Job, apply
from taskspec.runner.model import Invocation, Link, Offline
from taskspec.runner.stopping import stop
from taskspec.selecting.parsing import parse
from taskspec.settings import Settings
from taskspec.state.model import Holder
from taskspec.state.sqlite import SqliteState
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits

HOLDER = Holder(user="alice", host="laptop", pid=1, command="taskspec apply", since=0.0)


class ScriptedPorts:
    """A project folder, a scripted remote, and the stories told with them."""

    def __init__(self, folder):
        self.folder = folder
        self.remote = ScriptedRemote()
        self.owned = False
        """The remote ends with the command, as an embedded engine that the command has started."""
        self.home = None
        """The place where the project keeps its state; None: in its own folder."""
        self.needs = []
        self.events = []
        self.waited = []
        nonces = (f"{number:016x}" for number in count(1))
        self.chance = Chance(now=self.remote.clock.now, nonce=lambda: next(nonces))

    def write(self, text, name="tasks.yaml"):
        (self.folder / name).write_text(text)

    def task(self, name="a", prompt="Write.", **policies):
        said = "".join(f"  {field}: {value}\n" for field, value in policies.items())
        head = f"apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\n"
        self.write(f"{head}spec:\n  agent: writer\n  prompt: {prompt}\n{said}", f"{name}.yaml")

    def apply(self, *addresses, approve=lambda plan: True, requested=False, **options):
        self.events = []
        job = Job(options=Options(**options), approve=approve, emit=self.events.append, requested=requested)
        return asyncio.run(apply(self.invocation(*addresses), self, job))

    def begin(self, count):
        """Start so many tasks, t0 and on, whose runs are executing."""
        for n in range(count):
            self.task(f"t{n}", f"Write {n}.")
            self.remote.scripts[f"Write {n}."] = [["executing"]]
        self.apply(wait=False)

    def restore_an_older_state(self):
        """Run a task in two generations, and put the state back to where it was between them."""
        self.task()
        self.apply()
        state = self.folder / ".taskspec/default/state.db"
        kept = state.read_bytes()
        self.task("a", "Two.")
        self.apply()
        state.write_bytes(kept)

    def stop(self, *addresses, approve=lambda addresses: True):
        self.events = []
        return asyncio.run(stop(self.invocation(*addresses), self, approve, self.events.append))

    def invocation(self, *addresses):
        settings = Settings(environ={}, cache_folder=self.folder.parent / "cache")
        return Invocation(target=self.folder, selection=parse(addresses), settings=settings)

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def finished(self):
        return {event.address: event for event in self.told(ChangeFinished)}

    def records(self):
        return records_in(self.folder)

    def offline(self, project):
        identity = RemoteIdentity(type="xpander", url="https://remote.test", organization="o")
        traits = Traits(honours_idempotency_keys=self.remote.honours_keys, poll_interval=0.01)
        return Offline(identity=identity, traits=traits, declares_agents=True)

    @asynccontextmanager
    async def connect(self, project, need):
        self.needs.append(need)
        offline = self.offline(project)
        async with self.remote.listening() as root:
            endpoint = Endpoint(rest_root=root, events_root=f"{root}/None", api_key="k" * 32)
            async with Connection(endpoint, offline.identity, offline.traits) as connection:
                connection._patience = Patience(jitter=lambda: 0.0)
                yield Link(connection=connection, end_runs=self._end_runs if self.owned else None)

    async def _end_runs(self):
        for run in self.remote.runs.values():
            if run.steps[0] in {"pending", "executing"}:
                run.steps = ["error"]

    def open_state(self, project, *, read_only, at=None):
        at = at or self.home
        folder = Path(project.data_folder) if at is None else self.elsewhere(at)
        return SqliteState(folder, project.name, project.environment, read_only=read_only)

    def elsewhere(self, place):
        """Return the folder that stands for another place: what its URL ends with, beside that of the project."""
        return self.folder.parent / place.url.rpartition("/")[2] / ".taskspec"

    def holder(self):
        return HOLDER

    def waiting(self, error, seconds):
        self.waited.append((error.message, seconds))

    def begins(self, place):
        raise AssertionError("a local state is nobody else's")
