"""A project folder of small agents, and the real command line that is called in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import forking
import yaml
from kept_state import records_in
from patience import PATIENCE, until

from taskspec.contracts import Contract, load_schema


@cache
def _contract_of_events():
    return Contract(load_schema("events.v1"))


class Done:
    """A command that has ended: its exit code, and what it wrote."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        """The lines of `--json`."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def events(self):
        """The lines of `--json`, each of which fits the published schema."""
        contract, rows = _contract_of_events(), self.rows
        assert [(row, found) for row in rows if (found := contract.violations(row))] == []
        return rows


class Running:
    """A command that is running."""

    def __init__(self, process):
        self.process = process

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        code = self.process.returncode
        return Done(code if code >= 0 else 128 - code, out, err)  # as a shell tells it


class Workspace:
    """A project folder, and the commands that are called in it."""

    def __init__(self, folder: Path, cache: Path):
        self.folder = folder
        self.agents = {}
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TASKSPEC", "XPANDER", "NO_COLOR"))},
            "XDG_CACHE_HOME": str(cache),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
        }

    def copy(self, example: Path):
        """Take over an example as it is in the repository."""
        ignored = shutil.ignore_patterns(".taskspec", "results", "__pycache__")
        shutil.copytree(example, self.folder, dirs_exist_ok=True, ignore=ignored)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def shell(self, name, script, **more):
        """Declare an agent that is a shell script."""
        self.agents[name] = {"command": ["sh", "-c", script], **more}

    def project(self, **spec):
        """Write the project file."""
        document = {
            "apiVersion": "taskspec/v1",
            "kind": "Project",
            "metadata": {"name": "stories"},
            "spec": {"agents": self.agents, **spec},
        }
        self.write("taskspec.yaml", yaml.safe_dump(document, sort_keys=False))

    def tasks(self, **tasks):
        """Write the task file: name → spec."""
        documents = [
            {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": {"name": name}, "spec": spec}
            for name, spec in tasks.items()
        ]
        self.write("tasks.yaml", yaml.safe_dump_all(documents, sort_keys=False))

    def start(self, *arguments, program=("-m", "taskspec"), **more):
        """Start a command in the project folder."""
        return Running(
            subprocess.Popen(
                [sys.executable, *program, *arguments],
                **{
                    "cwd": self.folder,
                    "env": self.environ,
                    "stdin": subprocess.DEVNULL,
                    "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE,
                    "text": True,
                    **more,
                },
            )
        )

    def taskspec(self, *arguments, **environ):
        """Run a command to its end in the project folder."""
        environ = {**self.environ, **environ}
        if forking.starts_alike(environ):
            done = Done(*forking.run(arguments, self.folder, environ))
        else:
            done = self.start(*arguments, env=environ).wait()
        assert "Traceback" not in done.out + done.err, done
        assert "internal error" not in done.err, done
        return done

    def apply(self, *arguments):
        return self.taskspec("apply", "--yes", *arguments)

    @contextmanager
    def serving(self, *arguments):
        """Keep `taskspec serve` running meanwhile."""
        served = self.start("serve", "--json", *arguments)
        try:
            self.until((self.folder / ".taskspec/engine/endpoint.json").exists)
            yield served
        finally:
            if served.process.poll() is None:
                served.signal(signal.SIGTERM)
            served.wait()

    def lines(self, name):
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def result(self, name):
        return (self.folder / "results" / name).read_text(encoding="utf-8")

    def standing(self, address):
        """Return what `status --json` says of an address."""
        return next(task for task in self.taskspec("status", "--json").json["tasks"] if task["address"] == address)

    def planned(self, *arguments):
        """Return what `plan --json` is going to do: address → action."""
        changes = self.taskspec("plan", "--json", *arguments).json["changes"]
        return {change["address"]: change["action"] for change in changes}

    def records(self):
        """Return what the state holds."""
        return records_in(self.folder, "stories")

    def until(self, holds):
        """Wait until something holds, and return it."""
        return until(holds)
