"""The shapes that docs/json.md promises are those that the commands print."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from docs_pages import blocks, page, rows, section
from patience import PATIENCE


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Return what a command prints as JSON, in the folder of the README's smallest project, applied once."""
    folder = tmp_path_factory.mktemp("hello")
    manifest = next(block for block in blocks(page("README.md")) if block.file)
    (folder / "taskspec.yaml").write_text(manifest.text, encoding="utf-8")
    environ = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}

    def run(*arguments: str):
        command = [sys.executable, "-m", "taskspec", *arguments]
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE).stdout

    run("apply", "--yes")
    return run


def _told(command: str) -> list[str]:
    row = next(row for row in rows(section(page("docs/json.md"), "For machines")) if row[0] == f"`{command}`")
    return re.findall(r'"(\w+)"', row[1])


def _keys(document) -> list[str]:
    """Return the keys of a document, then those of the first row of the list that is its only value."""
    inner = next(iter(document.values()))
    return [*document, *(inner[0] if isinstance(inner, list) and inner else ())]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["validate", "status", "results show", "agents list"])
def test_the_documents_have_the_keys_that_are_told(printed, command):
    assert _keys(json.loads(printed(*command.split(), "--json"))) == _told(command)


@pytest.mark.slow
def test_trouble_has_the_keys_that_are_told(printed):
    found = json.loads(printed("plan", "--json", "--var", "colour=red"))["error"]
    assert set(found) == {"message", "hint", "exitCode", "diagnostics"}
    assert set(json.loads(printed("plan", "--json", "nosuch"))["error"]) == {"message", "hint", "exitCode"}
    assert set(json.loads(printed("plan", "--json", "--bogus"))["error"]) == {"message", "hint", "exitCode"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_every_recipe_works_on_a_plan(tmp_path):
    for block in blocks(page("docs/guards.md")):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "taskspec", "plan", "--json", "extract", "letter"]
    planned = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PATIENCE)
    assert planned.returncode == 6, planned.stderr
    (tmp_path / "plan.json").write_text(planned.stdout, encoding="utf-8")
    told = next(block.text for block in blocks(page("docs/json.md")) if block.text.count("jq ") > 2)
    recipes = [line for line in told.splitlines() if line.startswith("jq ")]
    assert len(recipes) > 8
    for recipe in recipes:
        done = subprocess.run(["sh", "-c", recipe], cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == "", recipe
        assert done.returncode == (1 if "jq -e" in recipe else 0), recipe
        assert done.stdout or "new_host" in recipe or ".health" in recipe, recipe
