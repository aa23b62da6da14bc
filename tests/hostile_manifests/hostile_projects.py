"""A hostile project, and the command line run on it under a bound of time and memory."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MAX_SECONDS = 20.0
"""Of CPU time: many times what a command takes, since one takes more of it on a busy machine."""
MAX_MEGABYTES = 400
HEAD = "apiVersion: taskspec/v1\n"
AGENTS = "agents: {a: {command: [cat]}}"
_MEASURED = """
import json, os, resource, sys
measured, *command = sys.argv[1:]
if (pid := os.fork()) == 0:
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(command[0], command)
_, status, usage = os.wait4(pid, 0)
with open(measured, "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file)
"""
"""Runs a command within limits. A child counts the memory of what began it: so that has to be a small process."""
_MEASURING = (sys.executable, "-I", "-S", "-c", _MEASURED)


class Done:
    """A command that has ended: its exit code, what it wrote, and what it took."""

    def __init__(self, code, out, err, seconds, megabytes):
        self.code, self.out, self.err = code, out, err
        self.seconds, self.megabytes = seconds, megabytes

    @property
    def said(self):
        return self.out + self.err

    def __repr__(self):
        head = f"exit {self.code}, {self.seconds:.1f} s, {self.megabytes} MB"
        return f"{head}\n--- stdout\n{self.out[:2000]}\n--- stderr\n{self.err[:2000]}"


class HostileProject:
    """A folder with manifests that somebody else wrote."""

    def __init__(self, folder: Path, cache: Path):
        self.folder = folder
        self.cache = cache
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TASKSPEC", "XPANDER", "NO_COLOR", "GITHUB"))},
            "XDG_CACHE_HOME": str(cache),
        }
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return path

    def project(self, *lines, name="p"):
        body = "".join(f"  {line}\n" for line in (AGENTS, *lines))
        return self.write("taskspec.yaml", f"{HEAD}kind: Project\nmetadata: {{name: {name}}}\nspec:\n{body}")

    def task(self, name="t", file="t.yaml", **spec):
        """Write a task; the values of its spec are JSON, which is YAML too."""
        spec = {"agent": "a", "prompt": "x", **spec}
        document = {"apiVersion": "taskspec/v1", "kind": "Task", "metadata": {"name": name}, "spec": spec}
        return self.write(file, json.dumps(document))

    def run(self, *arguments, megabytes=MAX_MEGABYTES, **environ):
        """Run a command; fail where it takes too much, or shows a traceback."""
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            tempfile.NamedTemporaryFile() as measured,
        ):
            subprocess.run(
                [*_MEASURING, measured.name, sys.executable, "-m", "taskspec", *arguments],
                cwd=self.folder,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                check=True,
            )
            code, seconds_used, kilobytes = json.load(measured)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "backslashreplace"))
        kilobytes = kilobytes if sys.platform == "linux" else kilobytes // 1024
        done = Done(code, *texts, seconds_used, kilobytes // 1024)
        assert done.code >= 0, done
        assert "Traceback" not in done.said, done
        assert "internal error" not in done.said, done
        assert done.seconds <= MAX_SECONDS, done
        assert done.megabytes <= megabytes, done
        return done

    def refused(self, *arguments, **more):
        """Run a command that must refuse the project with a diagnostic that a person can use."""
        done = self.run(*(arguments or ("validate",)), **more)
        assert done.code in {1, 2}, done
        assert len(done.err.strip()) > 20, done
        return done
