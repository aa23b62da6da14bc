"""`taskspec serve` with a project of its own, and programs that the vendor's SDK runs against it."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).resolve().parent / "programs"
VERSIONS = tuple(os.environ.get("TASKSPEC_SDKS", "2.0.350 2.0.537").split())
KEY = "conformance-key-5a3f"
ORGANIZATION = "org1"
GATEWAY = "8085"
"""Older versions of the SDK look for the events elsewhere where a base URL has these digits anywhere."""
TALKER = """\
import json, os, sys, time

text = sys.stdin.read()
with open(os.environ["TASKSPEC_EVENTS"], "a") as events:
    def tell(kind, data):
        print(json.dumps({"type": kind, "data": data}), file=events, flush=True)
    tell("think", {"title": "step", "thought": "half way", "confidence": 1.0})
    call = {"request_id": "r1", "operation_id": "o1", "tool_name": "search", "payload": {"q": text}}
    tell("tool_call_request", call)
    time.sleep(1)
    tell("tool_call_result", {**call, "result": "found", "is_error": False})
    tell("usage", {"prompt_tokens": 8, "completion_tokens": 5})
    print("answer to", flush=True)
    time.sleep(1)
    print(text)
"""
COMMANDS = {
    "echo": {"command": ["cat"]},
    "slow": {"command": ["sh", "-c", 'echo $$ > "pid-$TASKSPEC_RUN_ID"; cat; sleep 600']},
    "talker": {"command": ["python", "talker.py"]},
}


class Sdk:
    """One version of the vendor's SDK."""

    def __init__(self, version):
        self.version = version
        folder = Path(os.environ.get("TASKSPEC_CONFORMANCE") or ROOT / ".conformance")
        self.environment = folder / version
        self.python = self.environment / "bin" / "python"

    def __repr__(self):
        return self.version

    def need(self):
        """Skip the test where this version is not there."""
        if not list(self.environment.glob("lib/python*/site-packages/xpander_sdk")):
            pytest.skip(f"xpander-sdk {self.version} is not there: `make conformance` provides it")

    def start(self, program, *arguments, home, stderr=subprocess.PIPE, **environ):
        """Start a program; its environment is empty but for what is given."""
        return subprocess.Popen(
            [self.python, PROGRAMS / f"{program}.py", *arguments],
            env={
                "PATH": os.defpath,
                "HOME": str(home),
                "PYTHONPYCACHEPREFIX": str(home / "pycache"),
                "NO_PROXY": "127.0.0.1,localhost",
                "XPANDER_API_KEY": KEY,
                "XPANDER_ORGANIZATION_ID": ORGANIZATION,
                **environ,
            },
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def run(self, program, *arguments, home, **environ):
        """Run a program to its end and return what it told."""
        process = self.start(program, *arguments, home=home, **environ)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{program} of {self} does not end\n{out[-3000:]}\n{err[-3000:]}") from None
        told = Told(json.loads(line) for line in out.splitlines() if line.startswith('{"step": '))
        assert process.returncode == 0, f"{program} of {self}: {process.returncode}\n{out[-1500:]}\n{err[-4000:]}"
        assert told[-1]["step"] == "end", out
        return told


class Told(list):
    """What a program told, in order."""

    def __call__(self, step):
        """Return the one line of a step."""
        found = self.all(step)
        assert len(found) == 1, found
        return found[0]

    def all(self, step):
        """Return every line of a step."""
        found = [line for line in self if line["step"] == step]
        assert found, "\n".join([f"nothing was told of: {step}", *(broken["trace"] for broken in self.broken)])
        return found

    @property
    def broken(self):
        """Return what broke."""
        return [line for line in self if line["step"] == "broken"]


class Engine:
    """A `taskspec serve` in a process of its own."""

    def __init__(self, folder: Path, url: str, process):
        self.folder, self.url, self.process = folder, url, process
        self.http = httpx.Client(base_url=url, headers={"x-api-key": KEY}, trust_env=False, timeout=PATIENCE)

    def task(self, run):
        """Return a task as the engine has it."""
        answer = self.http.get(f"/agent-execution/{run}/status")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, agent, text, **fields):
        """Create a task."""
        answer = self.http.post(f"/agent-execution/{agent}", json={"input": {"text": text}, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def stop(self, run):
        """Stop a task."""
        answer = self.http.delete(f"/agent-execution/{run}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, run, *statuses):
        """Wait until a task has one of the statuses."""
        return until(lambda: (task := self.task(run))["status"] in statuses and task, lambda: self.task(run))

    def events(self, run):
        """Return the types of a finished task's stream."""
        text = self.http.get(f"/agent-execution/{run}/events").text
        lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return [json.loads(line)["type"] for line in lines]

    def written(self):
        """Return everything that the engine keeps, but for the file that other commands find it by."""
        kept = (self.folder / ".taskspec").rglob("*")
        return {path: path.read_bytes() for path in kept if path.is_file() and path.name != "endpoint.json"}


@contextmanager
def served(folder: Path, agents, port=None):
    """Serve a project with these agents until the end of the block."""
    folder.mkdir(parents=True)
    document = {"apiVersion": "taskspec/v1", "kind": "Project", "metadata": {"name": "conformance"}}
    (folder / "taskspec.yaml").write_text(yaml.safe_dump({**document, "spec": {"agents": agents}}), "utf-8")
    (folder / "talker.py").write_text(TALKER, "utf-8")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TASKSPEC", "XPANDER"))}
    options = ["--json", "--port", str(port or free_port()), "--api-key-env", "CONFORMANCE_KEY"]
    process = subprocess.Popen(
        [sys.executable, "-m", "taskspec", "serve", *options],
        cwd=folder,
        env={**environ, "CONFORMANCE_KEY": KEY, "XDG_CACHE_HOME": str(folder / "cache")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        engine = Engine(folder, _greeting(process)["url"], process)
        with engine.http:
            yield engine
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err


def _greeting(process):
    text = ""
    while line := process.stdout.readline():
        text += line
        if line == "}\n":
            return json.loads(text)
    raise AssertionError(text + process.stderr.read())


def free_port():
    """Return a port that is free and that no version of the SDK takes for a gateway's."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if GATEWAY not in str(port):
            return port


def is_free(port):
    """Tell whether nobody listens on a port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def part(whole, names):
    """Return these fields of a task."""
    return {name: whole[name] for name in names}
