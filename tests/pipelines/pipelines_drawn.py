"""Pipelines as `init --ci` draws them, and their steps: as text, as values, and as scripts that run here."""

import http.server
import json
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import yaml
from patience import PATIENCE

from taskspec.runner.pipelines.drawing import draw
from taskspec.runner.pipelines.model import Ci, Surveyed

ROOT = Path(__file__).parents[2]
FROM = "taskspec[postgres] @ git+https://git.example.com/acme/taskspec@" + "a" * 40
PLAIN = Surveyed(project="sales", environments=("default",), secrets=("XPANDER_API_KEY", "TASKSPEC_STATE"))
RICH = Surveyed(
    project="sales-reports",
    folder="teams/sales.d",
    branch="release/2.x",
    environments=("staging", "prod_eu", "off"),
    secrets=("XPANDER_API_KEY", "EU_KEY", "TASKSPEC_STATE", "PGPASSWORD"),
    agent_secrets=("ANTHROPIC_API_KEY",),
)
DRAWN = {
    (project, place): (surveyed, requirement)
    for project, surveyed in (("plain", PLAIN), ("rich", RICH))
    for place, requirement in (("variable", None), ("written", FROM))
}


def text_of(ci, case):
    """Return the text of a pipeline."""
    return draw(Ci(ci), *DRAWN[case])


def value_of(ci, case=("plain", "written")):
    """Return a pipeline as a value. (YAML 1.1 takes the word `on` for a truth.)"""
    return yaml.safe_load(text_of(ci, case))


def steps_of(job):
    """Return the steps of a job by their names, or by what they use."""
    return {step.get("name") or step["uses"].partition("@")[0]: step for step in job["steps"]}


def program(folder, name, script):
    """Put a program into a folder of the path."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{textwrap.dedent(script)}")
    path.chmod(0o755)


def ran(script, where, environ, *, folder=None, shell=("bash", "--noprofile", "--norc", "-eo", "pipefail")):
    """Run a script in a folder as a runner does, with nothing in the environment that is not given.

    `folder` has the programs, and gets the script (default: where it runs).
    """
    folder = folder or where
    path = folder / "script"
    path.write_text(script)
    home = Path(sys.executable).parent
    return subprocess.run(
        [*shell, str(path)],
        cwd=where,
        env={"PATH": f"{folder / 'bin'}{os.pathsep}{home}{os.pathsep}{os.environ['PATH']}", **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def outputs_in(path):
    """Return the outputs that a step has written: `name=value`, or between two lines of a word."""
    lines = iter(path.read_text().splitlines())
    found = {}
    for line in lines:
        name, fence, word = line.partition("<<")
        if fence:
            found[name] = "\n".join(takewhile(word.__ne__, lines))
        else:
            name, _, value = line.partition("=")
            found[name] = value
    return found


def api_of(answers, asked):
    """Return a handler that answers from `answers` (end of a path → value), and keeps what it is asked."""

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers))
            found = next((answer for path, answer in answers.items() if self.path.endswith(path)), 404)
            if isinstance(found, Turns):
                found = found.next()
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Api


class Turns:
    """Answers that are given one after the other; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def api(answers):
    """Serve the API of a platform; yields its address and what was asked of it."""
    asked = []
    with http.server.HTTPServer(("127.0.0.1", 0), api_of(answers, asked)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()
