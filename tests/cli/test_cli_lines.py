"""Command lines as they are meant: what is a target and what an address, what is said where, what a stream can say."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE

from taskspec.cli.entering import entered
from taskspec.cli.options import invocation
from taskspec.errors import UsageError

PROJECT = (
    "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec: {agents: {echo: {command: [cat]}}}\n"
    '---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: echo, prompt: "h\u00ef"}\n'
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "taskspec.yaml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "taskspec", *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
    )


def test_a_folder_that_is_no_project_does_not_hide_the_task_of_its_name(folder):
    (folder / "a").mkdir()
    found = invocation(["a"], None)
    assert (str(found.target), found.selection.addresses) == (".", ("a",))
    assert str(invocation(["./a"], None).target) == "a"


def test_a_folder_with_a_project_is_a_target(folder):
    (folder / "b").mkdir()
    (folder / "b" / "taskspec.yml").write_text(PROJECT)
    assert str(invocation(["b"], None).target) == "b"
    assert invocation(["b"], folder).selection.addresses == ("b",)


@pytest.mark.parametrize("word", ["file:tasks/a.yaml", 'r["a/b.yaml"]', "+a", "label:x=a/b", "report*", "2+a"])
def test_what_reads_as_a_selector_and_is_not_there_is_one(folder, word):
    found = invocation([word], None)
    assert (str(found.target), str(found.selection)) == (".", word)


@pytest.mark.parametrize("word", ["nosuch/", "nosuch.yaml", "a/b", "./a", "My Tasks", "Tasks"])
def test_what_is_there_or_looks_like_a_path_is_a_target(folder, word):
    (folder / "My Tasks").mkdir()
    (folder / "Tasks").mkdir()
    found = invocation([word], None)
    assert found.target == Path(word)
    assert found.selection.everything


@pytest.mark.parametrize("word", ["", "Nosuch", "x" * 5000, "a\0b", "lable:a", "state:old"])
def test_what_is_neither_is_told(folder, word):
    with pytest.raises(UsageError):
        invocation([word], None)


def test_an_unknown_address_with_a_folder_of_its_name_tells_how_to_name_the_folder(folder):
    (folder / "b").mkdir()
    done = run(folder, "plan", "b")
    assert done.returncode == 64
    assert b"`./b`" in done.stderr


def test_json_without_yes_is_refused(folder):
    done = run(folder, "apply", "--json")
    assert done.returncode == 64
    assert "--json needs --yes" in json.loads(done.stdout)["error"]["message"]


def test_what_a_stream_cannot_say_is_no_bug(folder):
    for arguments in (["plan"], ["plan", "--json"], ["apply", "--yes"], ["results", "--json"]):
        done = run(folder, *arguments, PYTHONIOENCODING="ascii")
        assert done.returncode == 0, done
    assert run(folder, "results", "a", PYTHONIOENCODING="ascii").stdout == "h\u00ef".encode()


def test_files_that_are_left_out_are_told_before_a_plan(folder):
    (folder / "other.yaml").write_text("x: 1\n")
    told = b"1 YAML file left out: not taskspec's."
    assert told in run(folder, "plan").stderr
    assert told not in run(folder, "plan", "--json").stderr
    assert told in run(folder, "apply", "--yes").stderr


def test_a_reader_that_goes_away_leaves_no_run_unrecorded(folder):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "taskspec", "apply", "--yes", "--json"]
    environ = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=environ, stdout=writer, stderr=subprocess.PIPE, timeout=PATIENCE)
    os.close(writer)
    assert done.returncode == 0, done
    assert (folder / "results" / "a.txt").read_text(encoding="utf-8") == "h\u00ef"


def test_an_entrance_that_blocks_can_be_cut_short_and_is_undone():
    going_on, left = threading.Event(), threading.Event()

    @contextmanager
    def slow():
        going_on.wait(PATIENCE)
        yield
        left.set()

    async def enter():
        async with entered(slow()):
            raise AssertionError("nobody waits for it any more")

    async def cut():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(enter(), 0.05)

    asyncio.run(cut())
    going_on.set()
    assert left.wait(PATIENCE)


def test_a_duration_has_one_form_everywhere(folder):
    done = run(folder, "apply", "--yes", "--wait-timeout", "1.5h")
    assert done.returncode == 64


def test_only_one_word_is_a_target(folder):
    with pytest.raises(UsageError):
        invocation(["a", "./b"], None)
