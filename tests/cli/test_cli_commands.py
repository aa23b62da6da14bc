"""The table of commands, their helps and their options: nothing promised that is not there, nothing heavy loaded."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest
from patience import PATIENCE

from taskspec import __version__
from taskspec.cli.commands import COMMANDS, taskspec

HEAVY = {
    "yaml",
    "jinja2",
    "httpx",
    "asyncio",
    "starlette",
    "uvicorn",
    "rich",
    "jsonschema",
    "jsonschema_rs",
    "sqlite3",
    "psutil",
}


def leaves():
    """Return every command that does something: name → command."""
    found = {}
    for name in COMMANDS:
        command = taskspec.get_command(click.Context(taskspec), name)
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": command.commands[inner] for inner in command.commands}
        else:
            found[name] = command
    return found


LEAVES = leaves()


def probe(*arguments, **environ):
    """Run the command line in a process of its own, and return what it wrote and the modules that it had loaded."""
    program = textwrap.dedent("""
        import sys
        from taskspec.cli import main
        try:
            main()
        finally:
            sys.stderr.write("MODULES " + " ".join(sys.modules))
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environ},
    )
    return done, set(done.stderr.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says_of_itself(name):
    command = taskspec.get_command(click.Context(taskspec), name)
    assert inspect.cleandoc(command.help).splitlines()[0] == COMMANDS[name].help


@pytest.mark.parametrize("name", LEAVES)
def test_a_command_takes_what_its_help_shows_and_uses_it(name):
    command = LEAVES[name]
    source = textwrap.dedent(inspect.getsource(command.callback))
    function = ast.parse(source).body[0]
    named = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    used = {node.id for node in ast.walk(ast.Module(body=function.body, type_ignores=[])) if isinstance(node, ast.Name)}
    offered = {parameter.name for parameter in command.params if parameter.expose_value}
    assert named <= offered
    assert named <= used
    assert offered == named or function.args.kwarg is not None


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_says_what_it_is_for(name):
    for parameter in LEAVES[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith((".", ").")), parameter.help


def test_what_apply_and_retry_share_reaches_the_apply():
    from taskspec.cli.executing import execution_of

    given = {
        "yes": True,
        "quiet": True,
        "parallelism": 3,
        "wait": False,
        "wait_timeout": 2.0,
        "on_unknown": "hold",
        "on_duplicate": "stop",
    }
    wanted = execution_of(given)
    assert (wanted.yes, wanted.quiet) == (True, True)
    assert (wanted.options.parallelism, wanted.options.wait) == (3, False)
    assert (wanted.options.wait_timeout, wanted.options.hold_unknown) == (2.0, True)
    assert wanted.options.stop_duplicates
    shared = {parameter.name for parameter in LEAVES["apply"].params} & {p.name for p in LEAVES["retry"].params}
    assert set(given) <= shared


def test_the_help_loads_nothing_heavy():
    done, loaded = probe("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert "click" in loaded
    assert loaded & HEAVY == set()
    assert {module for module in loaded if module.startswith("taskspec.")} == {
        "taskspec.cli",
        "taskspec.cli.running",
        "taskspec.cli.commands",
        "taskspec.errors",
    }


def test_the_version_loads_not_even_click():
    done, loaded = probe("--version")
    assert done.stdout == f"taskspec {__version__}\n"
    assert "click" not in loaded


@pytest.mark.parametrize("name", ["status", "results", "stop"])
def test_a_command_that_only_reads_loads_no_server_and_no_table(tmp_path, name):
    done, loaded = probe(name, str(tmp_path))
    assert done.returncode == 0, done
    assert loaded & {"starlette", "uvicorn", "rich", "jinja2"} == set()


def test_a_plan_with_nothing_recorded_connects_to_nothing(tmp_path):
    (tmp_path / "taskspec.yaml").write_text(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec: {agents: {echo: {command: [cat]}}}\n"
        "---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: echo, prompt: hi}\n"
    )
    done, loaded = probe("plan", str(tmp_path), "--json", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert json.loads(done.stdout)["summary"]["paidRuns"] == 1
    assert loaded & {"starlette", "uvicorn", "rich"} == set()


@pytest.mark.parametrize("name", [*COMMANDS, *(n for n in LEAVES if " " in n)])
def test_every_help_is_shown_and_runs_nothing(name):
    from click.testing import CliRunner

    shown = CliRunner().invoke(taskspec, [*name.split(), "--help"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Usage: taskspec {name} ")


def test_a_bug_looks_like_a_bug_and_hides_values(tmp_path):
    program = (
        "import sys, taskspec.cli.running as r, taskspec.cli.options as o\n"
        "def broken(*_, **__): raise ZeroDivisionError('canary')\n"
        "o.invocation = broken\n"
        "sys.exit(r.run(['plan']))\n"
    )
    environ = {k: v for k, v in os.environ.items() if k != "TASKSPEC_TRACEBACK"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=PATIENCE
    )
    assert done.returncode == 1
    assert done.stderr.startswith("internal error: ZeroDivisionError in ")
    assert "canary" not in done.stderr
    shown = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environ, "TASKSPEC_TRACEBACK": "1"},
        timeout=PATIENCE,
    )
    assert "Traceback" in shown.stderr


def test_a_closed_pipe_is_no_drama(tmp_path):
    command = f"{sys.executable} -m taskspec --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE)
    assert done.stderr == ""


def test_the_modules_of_commands_are_all_in_the_table():
    folder = Path(inspect.getfile(taskspec.callback)).parent
    command = re.compile(r"^@click\.(command|group)\((cls=\w+)?\)", re.MULTILINE)
    with_command = {path.stem for path in folder.glob("*.py") if command.search(path.read_text())}
    every = [taskspec.get_command(click.Context(taskspec), name) for name in COMMANDS]
    within = [inner for group in every if isinstance(group, click.Group) for inner in group.commands.values()]
    named = {inspect.getmodule(inner.callback).__name__.rpartition(".")[2] for inner in within}
    assert with_command - {"commands"} - named == {entry.module for entry in COMMANDS.values()} - named
