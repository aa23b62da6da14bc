"""explain and schema: what they print, what they write, and what they refuse."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_cli_commands import HEAVY, probe

from taskspec.cli.commands import taskspec
from taskspec.cli.running import run
from taskspec.cli.schema import PUBLISHED
from taskspec.contracts import load_schema

PROJECT = Path(__file__).parents[2]


def told(*arguments):
    done = CliRunner().invoke(taskspec, [*arguments], standalone_mode=False, catch_exceptions=False)
    return done.stdout


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_field_is_explained():
    assert told("explain", "task.spec.agent").startswith("task.spec.agent  text\n")


def test_a_name_that_means_the_same_everywhere_is_explained_once():
    text = told("explain", "retry")
    assert text.startswith("task.spec.retry  map\n")
    assert "The same stands in project.spec." in text


def test_a_name_of_several_meanings_lists_them():
    text = told("explain", "timeout")
    assert text.startswith("`timeout` means 2 things:\n  task.spec.timeout ")
    assert "\n  project.spec.agents.NAME.timeout " in text
    assert text.endswith("Name one of them: taskspec explain task.spec.timeout\n")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("retyr", "`retry`"),
        ("task.spec.promt", "`prompt`"),
        ("project.spec.agents.comand", "`command`"),
        ("zzz", "explain task --recursive"),
    ],
)
def test_an_unknown_field_is_a_usage_error_with_the_nearest_known(word, hint, capsys):
    assert run(["explain", word]) == 64
    error = capsys.readouterr().err
    assert f"There is no field `{word}`" in error
    assert hint in error


def test_explaining_loads_nothing_heavy():
    done, loaded = probe("explain", "task.spec.retry")
    assert done.returncode == 0
    assert loaded & HEAVY == set()


def test_as_json_every_fact_has_a_key():
    (field,) = json.loads(told("explain", "task.spec.retry", "--json"))["fields"]
    assert field["path"] == "task.spec.retry"
    assert field["fields"][0] == "task.spec.retry.maxAttempts"
    (whole,) = json.loads(told("explain", "task.spec.retry", "--json", "--recursive"))["fields"]
    assert whole["fields"][0]["default"] == 1
    assert "default" not in field


def test_every_published_schema_can_be_printed():
    folder = {path.stem for path in (PROJECT / "schemas").glob("*.json")}
    assert set(PUBLISHED.values()) == folder
    for name, file in PUBLISHED.items():
        assert json.loads(told("schema", name)) == load_schema(file)
    assert told("schema") == told("schema", "manifest")


def test_a_schema_is_written_to_where_it_is_wanted(here):
    assert run(["schema", "--write"]) == 0
    assert run(["schema", "plan", "--write", "out/plan.json"]) == 0
    assert json.loads((here / "schemas/manifest.v1.json").read_text()) == load_schema("manifest.v1")
    assert json.loads((here / "out/plan.json").read_text()) == load_schema("plan.v1")


def test_an_older_schema_is_written_over_and_another_file_is_not(here, capsys):
    (here / "old.json").write_text('{"$id": "urn:taskspec:manifest:v1"}')
    (here / "mine.json").write_text("{}")
    assert run(["schema", "--write", "old.json"]) == 0
    assert run(["schema", "--write", "mine.json"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (here / "mine.json").read_text() == "{}"
    assert "taskSpec" in (here / "old.json").read_text()


@pytest.mark.parametrize(("file", "code"), [("plan", 64), ("blocked/x.json", 1)])
def test_what_cannot_be_written_is_told(here, file, code, capsys):
    (here / "blocked").write_text("")
    assert run(["schema", "--write", file]) == code
    assert capsys.readouterr().err.startswith("error: `")
