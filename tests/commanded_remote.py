"""A scripted remote on a thread of its own, and the real command line, run against it in this process."""

import asyncio
import gc
import json
import signal
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from fault_server import http
from scripted_remote import ScriptedRemote

from taskspec.cli import running

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {{name: sales}}
spec:
  remote: {{type: xpander, baseUrl: "{root}", organization: o, apiKey: {{env: SALES_KEY}}}}
{more}"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class WallClock:
    """The clock of a remote that lives in real time."""

    @property
    def time(self):
        return time.time()


@dataclass
class Told:
    """What a command ended with, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


class CommandedRemote(ScriptedRemote):
    """A scripted remote that is there for every command; `agents` are those that it lists, `silent` hangs up."""

    def __init__(self, **script):
        super().__init__(clock=WallClock(), **script)
        self.agents = ["writer"]
        self.silent = False
        self.date = None
        """The time that it tells in its answers, as a header has it."""
        self.muddled = set()
        """The prompts whose creates are answered with something that is no task."""
        self.root = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _serve(self):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self.listening() as self.root:
            self._ready.set()
            await self._over.wait()

    async def _create(self, agent, request, writer):
        if json.loads(request.body)["input"]["text"] in self.muddled:
            self.sends.insert(0, "nonsense")
        await super()._create(agent, request, writer)

    async def _behave(self, request, writer):
        path = urlsplit(request.target).path
        if self.silent:
            writer.close()
        elif path == "/agents/list" and self.accepts_key:
            told = {} if self.date is None else {"date": self.date}
            writer.write(http(200, [{"id": agent, "name": agent} for agent in self.agents], **told))
        elif path.startswith("/activity/") and self.accepts_key:
            writer.write(http(200, {"messages": []}))
        else:
            await super()._behave(request, writer)


class Checkout:
    """A project folder whose tasks run on a remote, and the commands that are called in it."""

    def __init__(self, folder, remote, capture):
        self.folder = folder
        self.remote = remote
        self._capture = capture
        self.project()

    def project(self, more=""):
        (self.folder / "taskspec.yaml").write_text(PROJECT.format(root=self.remote.root, more=more))

    def task(self, name, *scripts, **spec):
        """Declare a task, and what the remote shows of each run of it, look after look."""
        said = {"agent": "writer", "prompt": f"Write {name}."} | spec
        document = {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": {"name": name}, "spec": said}
        (self.folder / f"{name}.yaml").write_text(json.dumps(document))
        if scripts:
            self.remote.scripts[said["prompt"]] = [list(script) for script in scripts]

    def taskspec(self, *arguments):
        """Run a command to its end, here and now."""
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        threshold = gc.get_threshold()
        self._capture.readouterr()
        try:
            code = running.run(arguments)
        finally:
            gc.set_threshold(*threshold)
            for number, handler in handlers.items():
                signal.signal(number, handler)
        written = self._capture.readouterr()
        assert "Traceback" not in written.out + written.err, written
        assert "internal error" not in written.err, written
        return Told(code, written.out, written.err)

    def apply(self, *arguments):
        return self.taskspec("apply", "--yes", *arguments)
