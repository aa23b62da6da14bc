"""A state file that was cut short or whose bytes were changed: it is refused in words, never read as an empty one."""

import os
import random
from pathlib import Path

import pytest

from taskspec.cli.running import run
from taskspec.errors import StateError
from taskspec.state.sqlite import SqliteState

PROJECT = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\nspec: {agents: {echo: {command: [cat]}}}\n"
TASK = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: greeting}\nspec: {agent: echo, prompt: hi}\n"
PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a state in which a task is accepted, as the command line has made it."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "taskspec.yaml").write_text(PROJECT)
    (folder / "greeting.yaml").write_text(TASK)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run(["apply", "--yes"]) == 0
    finally:
        os.chdir(before)
    return (folder / ".taskspec/default/state.db").read_bytes()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "taskspec.yaml").write_text(PROJECT)
    (tmp_path / "greeting.yaml").write_text(TASK)
    (tmp_path / ".taskspec/default").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder, content):
    """Return the snapshot that some bytes hold as a state, or None where they are refused in words."""
    path = folder / ".taskspec/default/state.db"
    path.write_bytes(content)
    store = SqliteState(folder / ".taskspec", "sales", "default", read_only=True)
    try:
        return store.read()
    except StateError as error:
        assert str(path) in error.message  # noqa: PT017  # it may be read as well
        assert error.hint  # noqa: PT017
        return None
    finally:
        store.close()


def test_a_file_that_was_cut_anywhere_is_refused(folder, sound):
    cuts = {
        *range(0, len(sound), PAGE),
        *range(1, len(sound), PAGE),
        *range(PAGE - 1, len(sound), PAGE),
        len(sound) - 1,
    }
    for length in sorted(cuts):
        assert read(folder, sound[:length]) is None, length
    assert read(folder, sound) is not None


def test_changed_bytes_are_never_taken_for_an_empty_state(folder, sound):
    whole = read(folder, sound)
    dice = random.Random(5)
    for _ in range(400):
        spoilt = bytearray(sound)
        for _ in range(dice.choice([1, 1, 8, 64])):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        try:
            found = read(folder, bytes(spoilt))
        except UnicodeDecodeError:  # a message of SQLite that quotes what is no text: see the test below
            continue
        assert found is None or (len(found.lineage) == 32 and len(found.records) == 1) or spoilt[:PAGE] != sound[:PAGE]
    assert read(folder, sound) == whole


@pytest.mark.parametrize(
    "command", ["plan", "status", "results", "logs greeting", "stop -y", "apply --yes", "retry greeting --yes"]
)
def test_every_command_says_that_a_state_is_damaged_and_leaves_it_as_it_is(folder, sound, command, capfd):
    path = folder / ".taskspec/default/state.db"
    path.write_bytes(sound[: len(sound) - PAGE])
    assert run(command.split()) == 1
    said = capfd.readouterr()
    assert "state.db is damaged" in said.err
    assert "Restore it from a backup" in said.err
    assert path.read_bytes() == sound[: len(sound) - PAGE]
    assert not (folder / "results").exists()


def test_a_journal_that_is_none_of_the_state_s_is_no_trouble(folder, sound):
    for left in (b"", b"\0" * 512, b"something else"):
        (folder / ".taskspec/default/state.db-journal").write_bytes(left)
        found = read(folder, sound)
        assert found is not None
        assert [*found.records] == ["greeting"]


def test_a_schema_that_is_no_text_is_refused(folder, sound):
    spoilt = sound.replace(b"tablerecordsrecords", b"table\x9decordsrecords").replace(
        b"CREATE TABLE rec", b"CREATE-TABLE rec"
    )
    assert read(folder, spoilt) is None
