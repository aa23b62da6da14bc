"""A project with agents, and engines around it, for the tests of the engine."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from patience import PATIENCE, until

from taskspec.engine.hosting import AgentCommand, EngineConfig, Mode, open_engine

ENDED = {"completed", "failed", "error", "stopped"}


class Caller:
    """A client of one engine."""

    def __init__(self, handle):
        self.handle = handle
        self.http = httpx.Client(
            base_url=handle.url, headers={"x-api-key": handle.api_key}, trust_env=False, timeout=PATIENCE
        )

    def create(self, agent="echo", text="hello", *, files=(), key=None, **fields):
        headers = {"Idempotency-Key": key} if key else {}
        body = {"input": {"text": text, "files": list(files)}, **fields}
        answer = self.http.post(f"/agent-execution/{agent}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def task(self, run):
        return self.http.get(f"/agent-execution/{run}/status").json()

    def until(self, run, *statuses):
        def reached():
            task = self.task(run)
            return task if task["status"] in (statuses or ENDED) else None

        return until(reached, tell=lambda: self.task(run))

    def run(self, agent="echo", text="hello", **fields):
        return self.until(self.create(agent, text, **fields)["id"])

    def stop(self, run):
        return self.http.delete(f"/agent-execution/{run}").json()

    def events(self, run):
        import json

        text = self.http.get(f"/agent-execution/{run}/events").text
        return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


class Project:
    """A project folder with agents, and the engines that are opened on it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / ".taskspec" / "engine"
        self.agents = {"echo": AgentCommand(command=("cat",))}
        self.environ = dict(os.environ)

    def shell(self, name, script, *, timeout=None, env_allow=()):
        self.agents[name] = AgentCommand(command=("sh", "-c", script), timeout=timeout, env_allow=env_allow)

    def python(self, name, script, **options):
        (self.folder / f"{name}.py").write_text(script)
        self.agents[name] = AgentCommand(command=("python", f"{name}.py"), **options)

    def config(self, **changes):
        return EngineConfig(
            **{
                "folder": self.data,
                "project_folder": self.folder,
                "agents": self.agents,
                "environ": self.environ,
                **changes,
            }
        )

    @contextmanager
    def engine(self, mode=Mode.DISPATCH, **changes):
        with open_engine(self.config(**changes), mode) as handle:
            caller = Caller(handle)
            with caller.http:
                yield caller

    def holder(self):
        """Return the program of another process that holds this project's engine until its standard input ends."""
        agents = {name: (a.command, a.timeout, a.env_allow) for name, a in self.agents.items()}
        return [
            sys.executable,
            "-c",
            (
                "import os, sys\n"
                "from pathlib import Path\n"
                "from taskspec.engine.hosting import AgentCommand, EngineConfig, Mode, open_engine\n"
                f"declared = {agents!r}\n"
                "agents = {n: AgentCommand(command=c, timeout=t, env_allow=e) for n, (c, t, e) in declared.items()}\n"
                f"config = EngineConfig(folder=Path({str(self.data)!r}), project_folder=Path({str(self.folder)!r}),"
                " agents=agents, environ=dict(os.environ))\n"
                "with open_engine(config, Mode(sys.argv[1])) as handle:\n"
                "    print(handle.owned, flush=True)\n"
                "    sys.stdin.read()\n"
            ),
        ]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def engine(project):
    with project.engine() as caller:
        yield caller


@pytest.fixture
def has_gone():
    """Wait until a process has ended that was killed, and return True; a zombie has ended."""
    import psutil

    def ended(pid):
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return lambda pid: until(lambda: ended(pid))


@pytest.fixture
def pid_in():
    """Wait until an agent has written a process id to a file, and return it."""

    def read(path):
        until(lambda: path.exists() and path.read_text().strip(), tell=lambda: f"{path} was not written")
        return int(path.read_text())

    return read
