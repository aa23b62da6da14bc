"""Broken projects, one a folder: what is said of each, word by word, so that words are reviewed like code.

A folder holds the files of a project, the command line in `command.txt` (default: `validate`; names and values before
it go into the environment), and what is said in `expected.txt`, after the exit code. Where it has no `taskspec.yaml`,
that beside the folders is its project. `pytest tests/broken --snapshot-update` writes what is said now.
"""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from taskspec.cli import running

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if (folder / "expected.txt").exists())
OURS = ("command.txt", "expected.txt")
PLACE = re.compile(r"^(\S+:\d+:\d+|\S+): (?:error|warning): (.*)$", re.MULTILINE)


@pytest.fixture
def taskspec(tmp_path, monkeypatch, capfd):
    """Return what calls the command line in a copy of a case, and gives the exit code and all that is said."""
    monkeypatch.setattr(running, "_listen", lambda: None)
    monkeypatch.setattr(running.gc, "set_threshold", lambda *_: None)
    for name in [name for name in os.environ if name.startswith(("TASKSPEC_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(case, *more):
        folder = tmp_path / "project"
        shutil.copytree(HERE / case, folder, ignore=shutil.ignore_patterns(*OURS))
        if not (folder / "taskspec.yaml").exists():
            shutil.copy(HERE / "taskspec.yaml", folder)
        monkeypatch.chdir(folder)
        words = command(case)
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        code = running.run([*words, *more])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def command(case):
    file = HERE / case / "command.txt"
    return shlex.split(file.read_text("utf-8")) if file.exists() else ["validate"]


@pytest.mark.parametrize("case", CASES)
def test_a_broken_project_is_told_in_these_words(case, taskspec, request):
    code, out, err = taskspec(case)
    said = f"exit {code}\n{out}{err}"
    expected = HERE / case / "expected.txt"
    if request.config.getoption("update_snapshots"):
        expected.write_text(said, "utf-8")
    assert said == expected.read_text("utf-8")
    assert code in {1, 64}
    assert "Traceback" not in said


@pytest.mark.parametrize("case", [case for case in CASES if command(case) == ["validate"]])
def test_as_json_the_same_is_told_at_the_same_places(case, taskspec):
    code, out, err = taskspec(case, "--json")
    told = json.loads(out)["error"]["diagnostics"]
    assert code == 1
    assert [(f"{one['file']}:{one['line']}:{one['column']}", one["summary"]) for one in told] == PLACE.findall(err)
    assert [one["detail"] for one in told if not one["hint"]] == []
    assert len({(one["file"], one["line"], one["column"], one["detail"]) for one in told}) == len(told)
