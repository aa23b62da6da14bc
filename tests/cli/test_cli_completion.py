"""Completion: what is offered, by click's protocol, and what real shells make of it on a real command line."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from patience import PATIENCE
from test_cli_commands import HEAVY, probe

from taskspec.cli import completing
from taskspec.cli.commands import COMMANDS
from taskspec.cli.completion import SCRIPTS

TASK = (
    "apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}, labels: {labels}}}\nspec: {{agent: a, prompt: p}}\n"
)

UNHURRIED = f"from taskspec.cli import completing, main\ncompleting.PATIENCE = {PATIENCE}\n"
"""The command line, which completes however slow the machine is."""


@pytest.fixture
def project(tmp_path):
    """A project of three tasks, one of them in a file that is no YAML any more."""
    folder = tmp_path / "project"
    (folder / "tasks").mkdir(parents=True)
    (folder / "taskspec.yaml").write_text(
        'apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec: {manifests: ["tasks/*.yaml", "../x"]}\n'
    )
    for name, labels in {"report": "{team: growth}", "regions": "{team: sales}", "totals": "{team: growth}"}.items():
        (folder / "tasks" / f"{name}.yaml").write_text(TASK.format(name=name, labels=labels))
    (folder / "tasks" / "broken.yaml").write_text("kind: Task\nmetadata: {name: rest\n")
    (folder / "other.yaml").write_text(TASK.format(name="reserve", labels="{}"))
    return folder


def offered(project, *line, cwd=None):
    """Return what is offered for the last word of a command line."""
    environ = {
        "_TASKSPEC_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(["taskspec", *line]),
        "COMP_CWORD": str(len(line)),
    }
    program = f"import os, sys\nos.chdir(sys.argv.pop(1))\n{UNHURRIED}main()"
    done = subprocess.run(
        [sys.executable, "-c", program, str(cwd or project)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stderr == ""
    return [entry.partition(",")[2] for entry in done.stdout.splitlines() if entry.startswith("plain,")]


def test_commands_are_offered_from_the_table(project):
    assert offered(project, "") == [*COMMANDS]
    assert offered(project, "va") == ["validate"]
    assert "--version" in offered(project, "--")


def test_a_group_with_a_usual_command_offers_what_can_follow_that_too(project):
    assert offered(project, "results", "e") == ["export"]
    assert "report" in offered(project, "results", "re")
    assert {"export", "prune", "show", "report", "totals"} <= {*offered(project, "results", "")}
    assert "--diff" in offered(project, "results", "show", "--")
    assert {"show", "verify"} <= {*offered(project, "history", "")}


def test_options_and_their_choices_are_offered(project):
    assert "--format" in offered(project, "validate", "--f")
    assert offered(project, "validate", "--format", "g") == ["github"]
    assert offered(project, "completion", "") == ["bash", "zsh", "fish"]


def test_the_addresses_of_the_project_are_offered(project):
    assert offered(project, "plan", "") == ["regions", "report", "totals"]
    assert offered(project, "plan", "re") == ["regions", "report", "result:"]
    assert offered(project, "status", "report", "rep") == []
    assert offered(project, "plan", "+re") == ["+regions", "+report", "+result:"]


def test_the_cells_of_a_task_are_offered_where_their_values_can_be_foreseen(project):
    (project / "taskspec.yaml").write_text(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\n"
        "spec: {variables: {quarters: {type: list, default: [q1, q2]}, given: {type: list}}}\n"
    )
    for name, cells in {
        "matrix": '{matrix: {quarter: "{{ vars.quarters }}", tone: [formal, very plain], exclude: [{quarter: q2}]}}',
        "items": "{forEach: [acme, globex]}",
        "given": '{matrix: {quarter: "{{ vars.given }}"}}',
        "file": "{forEach: {file: a.csv, key: id}}",
        "odd": "{matrix: [1], forEach: 7}",
    }.items():
        (project / "tasks" / f"{name}.yaml").write_text(
            f"apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\nspec: {cells}\n"
        )
    assert offered(project, "plan", "mat") == ["matrix", "matrix[*]", 'matrix[q1,"very plain"]', "matrix[q1,formal]"]
    assert offered(project, "plan", "matrix[q1,f") == ["matrix[q1,formal]"]
    assert offered(project, "plan", "items[") == ["items[*]", "items[acme]", "items[globex]"]
    assert offered(project, "plan", "given") == ["given", "given[*]"]
    assert offered(project, "plan", "fil") == ["file", "file[*]", "file:"]
    assert offered(project, "plan", "odd") == ["odd", "odd[*]"]


def test_every_part_of_a_selector_is_completed(project):
    assert offered(project, "plan", "2+rep") == ["2+report"]
    assert offered(project, "plan", "label:team=growth,to") == ["label:team=growth,totals"]
    assert offered(project, "plan", "state:ch") == ["state:changed"]
    assert offered(project, "plan", "result:n") == ["result:none"]
    assert offered(project, "plan", "--exclude", "reg") == ["regions"]
    assert offered(project, "plan", "nosuch:x") == []


def test_the_project_may_stand_elsewhere(project, tmp_path):
    assert offered(project, "plan", "-C", str(project), "to", cwd=tmp_path) == ["totals"]
    assert offered(project, "plan", "project", "to", cwd=tmp_path) == ["totals"]
    assert offered(project, "plan", "-C", str(project / "other.yaml"), "", cwd=tmp_path) == ["reserve"]


def test_labels_are_offered_with_their_values(project):
    assert offered(project, "plan", "label:") == ["label:team=growth", "label:team=sales"]
    assert offered(project, "plan", "label:team=g") == ["label:team=growth"]
    assert offered(project, "plan", "la") == ["label:"]


def test_fields_are_offered(project):
    assert offered(project, "explain", "retr") == ["retry"]
    assert "task.spec.retry.backoff" in offered(project, "explain", "task.spec.retry")


@pytest.mark.parametrize(
    "line", [["nosuch", ""], ["plan", "-C", "nosuch", ""], ["plan", "--nosuch", ""], ["tasks", ""]]
)
def test_a_line_that_is_wrong_is_met_with_silence(project, line):
    offered(project, *line)


def test_what_can_be_gone_beyond_and_the_risks_are_offered(project):
    policies = "policies: [{name: no-stops, deny: 'true'}]"
    own = "environments: {prod: {policies: [{name: max-prod, deny: 'true'}, {deny: 'true'}, x]}}"
    (project / "taskspec.yaml").write_text(
        f"apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: p}}\nspec:\n  {policies}\n  {own}\n"
    )
    assert offered(project, "apply", "--override", "max") == [
        *("maxCreate", "maxStop", "maxStopPercent", "maxRuns", "maxTokens", "max-prod")
    ]
    assert offered(project, "plan", "--override", "no") == ["no-stops"]
    assert offered(project, "plan", "--fail-on-risk", "s") == ["secret_exposed", "side_effects"]
    assert offered(project, "plan", "--target", "tot") == ["totals"]


def test_a_folder_without_a_project_offers_nothing(tmp_path):
    assert offered(tmp_path, "plan", "") == []


def test_completing_loads_nothing_heavy(project):
    line = {"COMP_WORDS": f"taskspec plan -C {project} re", "COMP_CWORD": "4", "_TASKSPEC_COMPLETE": "bash_complete"}
    done, loaded = probe(**line)
    assert "plain,report" in done.stdout
    assert loaded & (HEAVY - {"yaml", "sqlite3"}) == set()
    _, loaded = probe(COMP_WORDS="taskspec p", COMP_CWORD="1", _TASKSPEC_COMPLETE="bash_complete")
    assert {name for name in loaded if name.startswith("taskspec.cli.")} == {
        "taskspec.cli.commands",
        "taskspec.cli.running",
    }


def test_only_files_that_hold_what_is_looked_for_are_parsed(project, monkeypatch):
    from taskspec.documents import glancing

    parsed = []
    monkeypatch.setattr(glancing, "parse", lambda content, file: parsed.append(Path(file).name) or _nothing())
    list(glancing.glance(project).tasks("totals"))
    assert parsed == ["taskspec.yaml", "totals.yaml"]


def _nothing():
    from taskspec.documents.parsing import Parsed

    return Parsed()


def test_reading_ends_when_its_time_is_over(project, monkeypatch):
    monkeypatch.setattr(completing, "PATIENCE", -1)
    assert completing._candidates(project, "") == ["regions"]


ODD = ["report[q1,formal]", 'report["a b",formal]', "report[$HOME]"]
STUB = """#!{python}
import json, os, sys
kind = os.environ.get("_TASKSPEC_COMPLETE", "").partition("_")[0]
if not kind:
    print("GIVEN " + json.dumps(sys.argv[1:]), flush=True)
    sys.exit()
if {odd!r} is None:
    from taskspec.cli import completing, main
    completing.PATIENCE = {patience}
    sys.argv[0] = "taskspec"
    main()
for value in {odd!r}:
    if value.startswith({begun!r}):
        print("plain", value, "_", sep="\\n") if kind == "zsh" else print("plain," + value)
"""
SHELLS = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}
PREPARE = {
    "bash": "bind 'set bell-style none'; source {script}",
    "zsh": "autoload -U compinit && compinit -u -D; unsetopt beep; source {script}",
    "fish": "source {script}",
}


AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Typed:
    """A shell on a pseudo-terminal, with the completion of taskspec loaded."""

    def __init__(self, shell, folder, odd=None, begun=""):
        program = folder.parent / "bin" / "taskspec"
        program.parent.mkdir(exist_ok=True)
        program.write_text(STUB.format(python=sys.executable, odd=odd, begun=begun, patience=PATIENCE))
        program.chmod(0o755)
        script = folder.parent / f"completion.{shell}"
        script.write_text(SCRIPTS[shell])
        self.leader, follower = pty.openpty()
        self.seen = b""
        root = str(Path(__file__).parents[2])
        environ = {
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "HOME": str(folder.parent),
            "TERM": "dumb",
            "PYTHONPATH": root,
            "PS1": "> ",
            "LC_ALL": "C.UTF-8",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, shutil.which(shell), *SHELLS[shell]],
            cwd=folder,
            env=environ,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        try:
            os.write(self.leader, f"{PREPARE[shell].format(script=script)}; echo REA''DY\n".encode())
            self.until(b"READY\r")
        except BaseException:
            self.close()
            raise

    def complete(self, line):
        """Type a line and a tab, then enter; return the words that the program was given."""
        self.seen = b""
        os.write(self.leader, line.encode() + b"\t\n")  # a shell reads on when it has completed
        self.until(b"GIVEN [")
        self.until(b"]\r")
        return json.loads(self.seen.rpartition(b"GIVEN ")[2].split(b"\r")[0])

    def until(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            ready, _, _ = select.select([self.leader], [], [], PATIENCE)
            assert ready, self.seen
            self.seen += os.read(self.leader, 65536)

    def close(self):
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            os.close(self.leader)


@pytest.fixture(params=SHELLS)
def shell(request, project):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    opened = []

    def open_shell(**more):
        opened.append(Typed(request.param, project, **more))
        return opened[-1]

    yield open_shell
    for one in opened:
        one.close()


@pytest.mark.slow
def test_a_shell_completes_commands_addresses_and_labels(shell):
    typed = shell()
    assert typed.complete("taskspec valid") == ["validate"]
    assert typed.complete("taskspec plan tot") == ["plan", "totals"]
    assert typed.complete("taskspec plan label:team=s") == ["plan", "label:team=sales"]


@pytest.mark.slow
@pytest.mark.parametrize("value", ODD)
def test_an_address_that_a_shell_could_misread_reaches_the_program_as_it_is(shell, value):
    typed = shell(odd=[value])
    assert typed.complete("taskspec plan rep") == ["plan", value]
