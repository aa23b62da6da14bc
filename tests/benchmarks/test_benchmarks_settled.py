"""The state that the benchmarks of large projects rest on."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from patience import PATIENCE

from taskspec.cli.commands import taskspec

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def made(script: str, *arguments: object) -> None:
    command = [sys.executable, "-B", str(BENCHMARKS / script), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def told(*arguments):
    return CliRunner().invoke(taskspec, [*map(str, arguments)], standalone_mode=False, catch_exceptions=False).stdout


def test_a_settled_project_is_one_in_which_nothing_is_to_be_done(tmp_path):
    made("generate.py", tmp_path / "p", "--tasks", 12)
    made("settled.py", tmp_path / "p", 10)
    assert "12 up to date" in told("plan", tmp_path / "p")
    listed = json.loads(told("state", "list", tmp_path / "p", "--json"))["records"]
    assert [(one["attempts"], one["verdict"]) for one in listed] == [(10, "accepted")] * 12
