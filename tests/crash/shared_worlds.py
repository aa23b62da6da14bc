"""Two working copies of a project with nothing in common but a store and a remote; their applies die in many ways."""

import asyncio
import signal
import time
import uuid
from contextlib import asynccontextmanager, contextmanager

from fake_remote import FakeRemote
from ledger import require
from postgres_server import PostgresServer
from process_worlds import MOMENTS, PATIENCE, EmbeddedWorld, HostedWorld
from state_servers import open_at, server

from taskspec.errors import StateError

SHARED = ("postgres", "s3", "http", "crashing")
"""The kinds of worlds whose state is shared; `crashing` has a PostgreSQL of its own, which crashes."""
LEASE = "3s"
WAITING = ("--lock-timeout", "60s")
LOST, LOCKED, UNKNOWN = "was lost: ", 8, 9


class SharedWorld(HostedWorld):
    """A hosted world whose state is on a server."""

    def __init__(self, folder, random, root, remote, protocol, there):
        self._there = there
        self._other = folder.with_name(f"{folder.name}-other")
        self._other.mkdir()
        self._place = there.place(uuid.uuid4().hex)
        more = {"TASKSPEC_STATE": self._place, "TASKSPEC_LEASE_TTL": LEASE}
        super().__init__(folder, random, root, remote, protocol, more)

    def put(self, name, text):
        for copy in (self.folder, self._other):
            (copy / name).write_text(text)

    @contextmanager
    def reading(self):
        store = open_at(self._place, self.folder / ".taskspec", read_only=True)
        try:
            yield store
        finally:
            store.close()

    def records(self):
        """Return the records; a server that has just crashed is waited for."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return super().records()
            except StateError:
                require(time.monotonic() < deadline, "the server of the state never came back")
                time.sleep(0.05)

    async def die(self):
        ways = ("suspended", "killed", "killed")
        match self.random.choice(("crashed", "crashed", *ways) if isinstance(self._there, Own) else ways):
            case "suspended":
                await self._suspended()
            case "crashed":
                await self._crashed()
            case "killed":
                await super().die()

    async def apply(self, deadly=0, kill=None, words=()):
        words = words or ("apply", "-C", str(self.folder), "--yes")
        code, said = await super().apply(deadly, kill, (*words, *WAITING))
        _is_true(code, said)
        return code, said

    async def _suspended(self):
        """Suspend an apply for longer than its lease, while one of the other copy takes over."""
        first, second = self.random.sample((self.folder, self._other), 2)
        child = await self._started(0, "apply", "-C", str(first), "--yes", *WAITING)
        ending = asyncio.ensure_future(child.communicate())
        await asyncio.sleep(self.random.uniform(0.3, MOMENTS))
        if child.returncode is None:
            child.send_signal(signal.SIGSTOP)
        try:
            code, said = await self._command("apply", "-C", str(second), "--yes", *WAITING)
            require(code != LOCKED, f"the lock of a suspended holder is stuck: {said}")
            _is_true(code, said)
        finally:
            if child.returncode is None:
                child.send_signal(signal.SIGCONT)
        out, _ = await asyncio.wait_for(ending, PATIENCE)
        self.applies += 2
        _is_true(child.returncode, out.decode(errors="replace"))

    async def _crashed(self):
        """Let the server of the state crash during an apply, and come back."""
        applying = asyncio.ensure_future(self.apply())
        await asyncio.sleep(self.random.uniform(0.3, MOMENTS))
        await asyncio.to_thread(self._there.crash)
        await asyncio.sleep(self.random.uniform(0.0, 1.0))
        await asyncio.to_thread(self._there.start)
        await applying


class Own(PostgresServer):
    """A server that only one project has."""

    def crash(self):
        self.stop("immediate")


def _is_true(code, said):
    require("internal error" not in said, said)
    # 9 comes before 8, where the outcome of a run is unknown besides
    require(LOST not in said or code in {LOCKED, UNKNOWN} or code < 0, f"a lock that was lost ends with {code}: {said}")


@asynccontextmanager
async def world(kind, folder, random, protocol="real"):
    """Make a world: `hosted`, `keys` (it honours idempotency keys), `embedded`, or one of those that share a state."""
    folder.mkdir(parents=True)
    if kind == "embedded":
        yield EmbeddedWorld(folder, random, protocol)
        return
    remote = FakeRemote(random=random, honours_keys=kind == "keys")
    async with remote.listening() as root:
        if kind not in SHARED:
            yield HostedWorld(folder, random, root, remote, protocol)
        elif kind != "crashing":
            yield SharedWorld(folder, random, root, remote, protocol, server(kind))
        else:
            there = await asyncio.to_thread(Own)
            try:
                yield SharedWorld(folder, random, root, remote, protocol, there)
            finally:
                await asyncio.to_thread(there.close)
