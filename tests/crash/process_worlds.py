"""A project folder, a remote, and real processes that are killed one after the other in it. Plays no virtual time."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from fake_remote import CREATE_TIMEOUT, QUIET_PERIOD
from kept_state import reading
from ledger import require

from taskspec.address import address_hash
from taskspec.state.model import Sending

HERE = Path(__file__).parent
NAMES = ("a", "b", "c")
PATIENCE = 120.0
"""Seconds that a command may take on a busy machine before it counts as stuck."""
MOST_APPLIES = 6
PROJECT = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec:\n"
HOSTED = "  remote: {type: xpander, baseUrl: ROOT, organization: o}\n"
LOCAL = """  agents:
    writer: {command: [sh, -c, 'echo "$TASKSPEC_RUN_ID" >> AGENTS; sleep SECONDS; echo done']}
"""
TASK = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: NAME}\nspec: {agent: writer, prompt: TEXT}\n"
POINTS, BYTES, MOMENTS = 50, 5000, 2.0
"""Up to which point, byte and second of its life a process is killed."""


class ProcessWorld:
    """One project; `apply` is a process of its own, and may die."""

    def __init__(self, folder, random, protocol="real", environ=None):
        self.folder = folder
        self.random = random
        self.kills = self.applies = 0
        self._protocol = protocol
        self._versions = dict.fromkeys(NAMES, 1)
        self._plan = folder / "plan.json"
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith(("TASKSPEC", "XPANDER"))}
        self._environ |= {"XDG_CACHE_HOME": str(folder / "cache"), **(environ or {})}
        for name in NAMES:
            self._write(name)

    def edit(self):
        name = self.random.choice(NAMES)
        self._versions[name] += 1
        self._write(name)

    async def die(self):
        """Do something that a person decides, and kill that somewhere."""
        words = await self._decided()
        match self.random.choice(("point", "point", "moment", "moment", "cancel")):
            case "point":
                await self.apply(self.random.randint(1, POINTS), words=words)
            case "moment":
                await self.apply(kill=self._after(self.random.uniform(0.2, MOMENTS)), words=words)
            case "cancel":
                await asyncio.gather(self.apply(words=words), self._cancel(self.random.uniform(0.2, MOMENTS)))

    async def _decided(self):
        """Return the words of an apply, with a plan that was saved or a result made anew perhaps, or of an accept."""
        name, where = self.random.choice(NAMES), ("-C", str(self.folder))
        match self.random.choice(("apply", "apply", "apply", "anew", "save", "carry out", "carry out", "accept")):
            case "anew":
                self.asked_anew(name)
                return ("apply", *where, "--yes", "--rerun", name)
            case "accept":
                return ("accept", f"{name}@g{self.random.randint(1, 2)}", *where, "--yes")
            case "carry out" if self._plan.exists():
                return ("apply", str(self._plan), *where, "--yes")
            case "save":
                code, said = await self._command("plan", *where, "--out", str(self._plan))
                require(code in {0, 3, 6, 9}, f"a plan ends with {code}: {said}")
                return ("apply", str(self._plan), *where, "--yes")
        return ("apply", *where, "--yes")

    def asked_anew(self, name):
        """Take down that a result was asked for once more."""

    def accepted_by_hand(self, name):
        """Take down that a result was accepted by hand."""

    async def _cancel(self, after):
        """End by `cancel` what holds the lock then; the very same process may have ended by itself before."""
        await asyncio.sleep(after)
        code, said = await self._command("cancel", "-C", str(self.folder))
        require(code in {0, 8}, f"`cancel` ends with {code}: {said}")

    async def settle_down(self):
        """Apply until all is well; raise BrokenError where it never is."""
        for _ in range(MOST_APPLIES):
            code, said = await self.apply()
            if code == 0:
                return
            require(code != 8, f"the lock is stuck: {said}")
        raise AssertionError(f"after {MOST_APPLIES} applies without a fault the exit code is {code}\n{said}")

    def records(self):
        with self.reading() as store:
            return store.read().records

    def bound(self):
        """Return every run that was ever bound, by the history."""
        with self.reading() as store:
            return {entry.note.data["run"] for entry in store.history() if entry.note.what == "bound"}

    def reading(self):
        """Open the state for reading only."""
        return reading(self.folder)

    async def _after(self, seconds):
        await asyncio.sleep(seconds)

    async def apply(self, deadly=0, kill=None, words=()):
        """Run one apply, or what `words` say; it dies in its point `deadly`, or after `kill`.

        Return the exit code and the output.
        """
        self.applies += 1
        words = words or ("apply", "-C", str(self.folder), "--yes")
        self.child = child = await self._started(deadly, *words)
        waiting = asyncio.ensure_future(kill) if kill is not None else None
        if waiting is not None:
            waiting.add_done_callback(lambda done: None if done.cancelled() else self.kill())
        try:
            out, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
        except TimeoutError:
            self.kill()
            raise AssertionError(f"an apply was still at work after {PATIENCE:g} s") from None
        finally:
            if waiting is not None:
                waiting.cancel()
        self.kills += child.returncode == -signal.SIGKILL
        if words[0] == "accept" and child.returncode == 0:
            self.accepted_by_hand(words[1].partition("@")[0])
        return child.returncode, out.decode(errors="replace")

    async def _command(self, *words):
        """Run a command that does not die; return its exit code and its output."""
        child = await self._started(0, *words)
        out, _ = await asyncio.wait_for(child.communicate(), PATIENCE)
        return child.returncode, out.decode(errors="replace")

    async def _started(self, deadly, *words):
        return await asyncio.create_subprocess_exec(
            *(sys.executable, str(HERE / "dying.py"), str(deadly), self._protocol, *words),
            env=self._environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()

    def _write(self, name):
        self.put(f"{name}.yaml", TASK.replace("NAME", name).replace("TEXT", self.prompt(name)))

    def put(self, name, text):
        """Write a manifest."""
        (self.folder / name).write_text(text)

    def prompt(self, name):
        return f"Write {name}{self._versions[name]}."


class HostedWorld(ProcessWorld):
    """With a remote that loses answers, applies late and lists late; no text of it may be paid for twice."""

    def __init__(self, folder, random, root, remote, protocol, more=None):
        times = {"QUIET_PERIOD": QUIET_PERIOD, "CREATE_TIMEOUT": CREATE_TIMEOUT, "POLL_INTERVAL": 0.05}
        environ = {f"TASKSPEC_{name}": f"{1000 * seconds:.0f}ms" for name, seconds in times.items()}
        environ |= {"XPANDER_API_KEY": "k" * 32, "NO_PROXY": "127.0.0.1", **(more or {})}
        super().__init__(folder, random, protocol, environ)
        self.remote = remote
        self._addresses = {address_hash(name): name for name in NAMES}
        self._most = {}
        """So many runs of a text may be paid for, where that is not one."""
        remote.kill, remote.created = self.kill, self._created
        self.put("taskspec.yaml", PROJECT + HOSTED.replace("ROOT", root))

    async def die(self):
        if self.random.random() < 0.4:
            self.remote.die_in = self.random.randint(1, BYTES)
            await self.apply()
            self.remote.die_in = None
        else:
            await super().die()

    async def settle_down(self):
        rate, self.remote.rate = self.remote.rate, 0.0
        await super().settle_down()
        self.remote.rate = rate
        self._check()

    def _created(self, run):
        """Hold a run that the remote has just taken against what is durable at this moment."""
        if self._protocol != "A":
            records = self.records().values()
            known = {attempt.nonce for record in records for attempt in record.generation.attempts}
            require(run.nonce in known, f"{run.id} was asked for before its intent was durable")
        twins = [other.id for other in self.remote.runs.runs.values() if other.prompt == run.prompt]
        most = self._most.get(run.prompt, 1)
        require(len(twins) <= most, f"`{run.prompt}` is paid for by each of {', '.join(twins)}, and {most} may be")

    def asked_anew(self, name):
        self._most[self.prompt(name)] = self._most.get(self.prompt(name), 1) + 1

    def accepted_by_hand(self, name):
        prompt = self.prompt(name)
        self._most[prompt] = sum(run.prompt == prompt for run in self.remote.runs.runs.values())

    def _check(self):
        require(not self.remote.broken, "; ".join(self.remote.broken))
        records, bound = self.records(), self.bound()
        for run in self.remote.runs.runs.values():
            require(run.id in bound, f"nobody knows of {run.id}")
            name = self._addresses[run.owner]
            current = run.prompt == self.prompt(name)
            require(current or run.status(time.time()) in {"completed", "stopped"}, f"{run.id} is still at work")
        for name in NAMES:
            record = records[name]
            run = self.remote.runs.runs[record.accepted.run]
            is_meant = run.prompt == self.prompt(name) or record.accepted.by_hand is not None
            require(is_meant, f"the accepted result of {name} is one of `{run.prompt}`")
            written = (self.folder / "results" / f"{name}.txt").read_text()
            require(written == run.answer, f"the file of {name} is not what {run.id} answered")
            unknown = [a.number for a in record.generation.attempts if a.sending is Sending.INTENDED]
            require(not unknown, f"attempts {unknown} of {name} were never settled")


class EmbeddedWorld(ProcessWorld):
    """With the engine that an apply starts and takes with it; no run of it may be carried out twice."""

    def __init__(self, folder, random, protocol="real"):
        super().__init__(folder, random, protocol)
        self._log = folder / "agents.log"
        self._log.touch()
        local = LOCAL.replace("AGENTS", str(self._log)).replace("SECONDS", "0.2")
        retry = "  defaults: [{spec: {retry: {maxAttempts: 50, statuses: [error], backoff: 0s}}}]\n"
        (folder / "taskspec.yaml").write_text(PROJECT + local + retry)

    async def settle_down(self):
        await super().settle_down()
        runs, bound = self._log.read_text().split(), self.bound()
        require(len(runs) == len(set(runs)), "a run was carried out twice")
        require(set(runs) <= bound, f"nobody knows of {set(runs) - bound}")
        for name, record in self.records().items():
            numbers = [attempt.number for attempt in record.generation.attempts]
            require(len(numbers) == len(set(numbers)), f"an attempt of {name} was made twice")
            require((self.folder / "results" / f"{name}.txt").read_text() == "done", f"the file of {name} is wrong")
