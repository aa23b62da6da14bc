"""The commands in the pages are run, in order, in a folder of their own, and say and answer what the page shows."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, Block, blocks
from patience import PATIENCE

from taskspec.runner.starter import PROGRAMS

_STAND_IN = """#!/bin/sh
test "$*" = "{given}" || {{ echo "not called as its maker documents it: $*" >&2; exit 2; }}
cat > /dev/null
printf -- '- %s, says {name}\\n' slow dear lovely
"""
_EXIT = re.compile(r"\s+# exit (\d+)$")
_SESSIONS = [page for page in PAGES if any(block.language == "console" for block in blocks(page.read_text("utf-8")))]


@dataclass
class Step:
    """One command, the exit code that the page promises, and the lines that it shows."""

    command: str
    exit_code: int = 0
    shown: list[str] = field(default_factory=list)


def _steps(block: Block) -> Iterator[Step]:
    step: Step | None = None
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if step is not None:
                yield step
            found = _EXIT.search(line)
            step = Step(_EXIT.sub("", line[2:]), int(found[1]) if found else 0)
        elif step is not None and line.strip():
            step.shown.append(line)
    if step is not None:
        yield step


def _environ(scratch: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TASKSPEC_", "XPANDER_"))}
    path = os.pathsep.join([str(_stand_ins(scratch / "bin")), str(Path(sys.executable).parent), kept["PATH"]])
    return {**kept, "PATH": path, "XDG_CACHE_HOME": str(scratch / "cache"), "NO_COLOR": "1"}


def _stand_ins(folder: Path) -> Path:
    """Write programs with the names of LLMs' command lines, which read a prompt as these do, and answer at once."""
    folder.mkdir(exist_ok=True)
    for program in PROGRAMS:
        (folder / program.name).write_text(_STAND_IN.format(given=shlex.join(program.command[1:]), name=program.name))
        (folder / program.name).chmod(0o755)
    return folder


def _is_shown(line: str, output: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    return any(re.fullmatch(pattern, told.rstrip()) for told in output.splitlines())


def test_some_pages_have_sessions():
    assert {"README.md", "exit-codes.md", "state.md", "manifests.md"} <= {page.name for page in _SESSIONS}


@pytest.mark.slow
@pytest.mark.parametrize("page", _SESSIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_do_what_it_says(page, tmp_path):
    folder = tmp_path / "project"
    if page.parent.parent == ROOT / "examples":
        shutil.copytree(page.parent, folder, ignore=shutil.ignore_patterns(".taskspec", "results", "__pycache__"))
    folder.mkdir(exist_ok=True)
    for block in blocks(page.read_text("utf-8")):
        if block.file:
            target = folder / block.file
            target.parent.mkdir(exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
            target.chmod(0o755 if block.text.startswith("#!") else 0o644)
        for step in _steps(block) if block.language == "console" else ():
            done = subprocess.run(
                ["sh", "-c", step.command],
                cwd=folder,
                env=_environ(tmp_path),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            output = done.stdout + done.stderr
            assert done.returncode == step.exit_code, f"$ {step.command}\n{output}"
            missing = [line for line in step.shown if not _is_shown(line, output)]
            assert not missing, f"$ {step.command}\ndoes not say {missing}\n{output}"


def test_a_shown_line_is_matched_as_a_whole():
    assert _is_shown("Apply finished in …: 0 runs started.", "x\nApply finished in 0.1s: 0 runs started.\n")
    assert not _is_shown("1 up to date.", "hello: 1 up to date.")


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"\bmake ([a-z]+)\b[ `]", _code(page))}
    assert {"run", "test"} <= named <= targets


def _code(page: Path) -> str:
    text = page.read_text("utf-8")
    fenced = "\n".join(block.text.replace("\n", " ") for block in blocks(text) if block.language in {"sh", "console"})
    return fenced + "\n".join(f"{code}`" for code in re.findall(r"`(make [a-z]+)`", text))


def test_every_taskspec_line_of_the_examples_is_a_known_command():
    from taskspec.cli.commands import COMMANDS

    used = set()
    for page in PAGES:
        for block in blocks(page.read_text("utf-8")):
            for line in block.text.splitlines() if block.language in {"sh", "console"} else ():
                if block.language == "console" and not line.startswith("$ "):
                    continue  # what a command prints is no command line
                words = shlex.split(line.removeprefix("$ "), comments=True)
                used |= {words[1]} if len(words) > 1 and words[0] == "taskspec" else set()
    assert used - {"plna", "--version"} <= set(COMMANDS)
    assert {"plan", "apply", "results", "status", "validate"} <= used


def test_the_script_of_the_recipe_makes_calls_that_the_library_has():
    """It is on the vendor's SDK, whose names the library has: what would not work there is found here."""
    import ast
    import inspect

    import taskspec

    text = (ROOT / "docs" / "recipes" / "from-the-sdk.md").read_text("utf-8")
    tree = ast.parse(next(block.text for block in blocks(text) if block.language == "python"))
    imported = [name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names]
    created = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and "tasks.create" in ast.unparse(node.func)
    )
    assert imported == ["Configuration", "Tasks"]
    assert all(hasattr(taskspec, name) for name in imported)
    assert {word.arg for word in created.keywords} <= set(inspect.signature(taskspec.Tasks.create).parameters)
