"""validate: the short way says what the long way says, whatever was changed in between."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import PATIENCE

from taskspec.desired.assigning import GivenVariables
from taskspec.desired.resolving import Surroundings
from taskspec.diagnostics import ManifestError
from taskspec.documents.model import LOCAL
from taskspec.runner import validating
from taskspec.runner.model import Invocation, Offline
from taskspec.runner.validating import Validated, validate
from taskspec.runner.vouching import basis
from taskspec.selecting.parsing import parse
from taskspec.settings import Settings
from taskspec.taskapi.remotes import RemoteIdentity, Traits

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec:
  agents: {writer: {command: [./write.sh]}}
  variables: {region: {default: emea}, limit: {type: integer, default: 3}SECRET}
  env: {allow: [TEAM]}
  environments: {prod: {variables: {limit: 4}}, test: {variables: {region: apac}}}
"""
TASK = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: NAME}
spec:
  agent: writer
  prompt: Write about {{ vars.region }}.
  toolCallLimit: "{{ vars.limit }}"
  files: [notes.md]
"""


class Ports:
    """What validating asks of the composition root."""

    takes_local_files = True

    def offline(self, _project):
        traits = Traits(takes_local_files=self.takes_local_files)
        return Offline(identity=RemoteIdentity(type=LOCAL), traits=traits, declares_agents=True)


class House:
    """A project folder, and its validation with a cache and without."""

    def __init__(self, folder):
        self.folder = folder
        self.cache = folder.parent / "cache"
        self.ports = Ports()
        self.prepared = 0

    def said(self, cache, *addresses, variables=None, target=None, environ=None, environment="default", files=()):
        invocation = Invocation(
            target=target or self.folder,
            selection=parse(addresses),
            variables=variables or {},
            variable_files=files,
            environment=environment,
            settings=Settings(environ=environ or {}, cache_folder=cache),
        )
        try:
            return validate(invocation, self.ports)
        except ManifestError as error:
            return error.diagnostics

    def works(self, *addresses, **given):
        """Validate with the cache, hold it against the outcome without, and tell whether the long way was taken."""
        before = self.prepared
        said = self.said(self.cache, *addresses, **given)
        took = self.prepared > before
        assert said == self.said(None, *addresses, **given)
        return took


@pytest.fixture
def house(tmp_path, monkeypatch):
    made = House(tmp_path / "sales")
    made.folder.mkdir()
    (made.folder / "taskspec.yaml").write_text(PROJECT.replace("SECRET", ""))
    (made.folder / "a.yaml").write_text(TASK.replace("NAME", "a"))
    (made.folder / "notes.md").write_text("Notes.")
    (made.folder / "write.sh").write_text("#!/bin/sh\n")
    (made.folder / "write.sh").chmod(0o755)
    really = validating.prepare

    def prepare(*arguments):
        made.prepared += 1
        return really(*arguments)

    monkeypatch.setattr(validating, "prepare", prepare)
    return made


def test_what_has_not_changed_is_not_rendered_again(house):
    assert [house.works(), house.works(), house.works()] == [True, False, False]


def test_a_time_stamp_is_no_change(house):
    house.works()
    os.utime(house.folder / "a.yaml", (0, 0))
    os.utime(house.folder / "notes.md", (0, 0))
    assert not house.works()


CHANGES = {
    "a task": lambda folder: (folder / "a.yaml").write_text(TASK.replace("NAME", "a").replace("vars.region", "vars.x")),
    "a new task": lambda folder: (folder / "b.yaml").write_text(TASK.replace("NAME", "b")),
    "a file that is not ours": lambda folder: (folder / "c.yaml").write_text("kind: Other\n"),
    "the project": lambda folder: (folder / "taskspec.yaml").write_text(
        PROJECT.replace("SECRET", "").replace("default: 3", "default: 0")
    ),
    "an attached file": lambda folder: (folder / "notes.md").write_text("Other notes."),
    "no attached file": lambda folder: (folder / "notes.md").unlink(),
    "an attached file outside": lambda folder: (
        (folder.parent / "notes.md").write_text("Notes."),
        (folder / "notes.md").unlink(),
        (folder / "notes.md").symlink_to("../notes.md"),
    ),
    "a task outside": lambda folder: (folder / "a.yaml").rename(folder.parent / "a.yaml"),
    "no command": lambda folder: (folder / "write.sh").unlink(),
    "a command that cannot run": lambda folder: (folder / "write.sh").chmod(0o644),
    "another project file": lambda folder: (folder / "taskspec.yaml").rename(folder / "taskspec.yml"),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe.yaml"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_takes_the_long_way(house, change):
    house.works()
    change(house.folder)
    assert house.works()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.yaml", "b.yaml", "notes.md"]),
            st.sampled_from([None, TASK, TASK.replace("region", "x"), TASK.replace("notes", "n"), "kind: Task\n", ""]),
        ),
        max_size=5,
    )
)
def test_after_any_edits_the_short_way_says_what_the_long_way_says(house, edits):
    for name, content in edits:
        if content is None:
            (house.folder / name).unlink(missing_ok=True)
        else:
            (house.folder / name).write_text(content.replace("NAME", name[0]))
        house.works()
        house.works()


def test_what_is_given_is_a_part_of_the_question(house):
    house.works()
    assert house.works(variables={"limit": "0"})
    assert house.works(variables={"limit": "4"})
    assert not house.works(variables={"limit": "4"})
    assert [house.works(environment="prod"), house.works(environment="prod")] == [True, False]
    assert house.works(environment="test")
    house.ports.takes_local_files = False
    assert house.works()


def test_of_the_process_environment_what_templates_may_see_counts(house):
    (house.folder / "a.yaml").write_text(TASK.replace("NAME", "a").replace("vars.region", "env.TEAM"))
    house.works(environ={"TEAM": "a", "OTHER": "b"})
    assert not house.works(environ={"TEAM": "a", "OTHER": "c"})
    assert house.works(environ={"TEAM": "b", "OTHER": "c"})
    assert house.works(environ={})


def test_with_a_file_of_variables_nothing_is_taken_from_before(house, tmp_path):
    (tmp_path / "values.yaml").write_text("limit: 5\n")
    assert house.works(files=(tmp_path / "values.yaml",))
    (tmp_path / "values.yaml").write_text("limit: 0\n")
    assert house.works(files=(tmp_path / "values.yaml",))


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("  prompt: \"{{ file('text.md') }}\"", "text.md"),
        ("  prompt: \"{% include 'text.md' %} x\"", "text.md"),
        ("  prompt: \"{% from 'm.md' import m %}{{ m() }}\"", "macros/m.md"),
        ('  prompt: "{{ each.value.name }}"\n  forEach: {file: rows.csv, key: name}', "rows.csv"),
        ("  prompt: x\n  files: [data.bin]", "data.bin"),
    ],
)
def test_every_file_that_is_read_counts(house, written, file):
    task = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec:\n  agent: writer\n"
    (house.folder / "a.yaml").write_text(task + written + "\n")
    path = house.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("{% macro m() %}x{% endmacro %}" if file.startswith("macros") else "name\nx\n")
    assert isinstance(house.said(None), Validated)
    assert [house.works(), house.works()] == [True, False]
    path.write_text(path.read_text() + "y\n")
    assert [house.works(), house.works()] == [True, False]
    path.unlink()
    assert house.works()


def test_what_is_wrong_is_found_each_time(house):
    (house.folder / "a.yaml").write_text(TASK.replace("region", "x"))
    assert [house.works(), house.works()] == [True, True]


def test_of_a_project_with_secrets_nothing_is_kept(house):
    (house.folder / "taskspec.yaml").write_text(PROJECT.replace("SECRET", ", key: {sensitive: true}"))
    assert [house.works(), house.works()] == [True, True]
    assert not (house.cache / "valid").exists() or not list((house.cache / "valid").iterdir())


def test_addresses_and_single_files_take_the_long_way(house):
    house.works()
    assert house.works("a")
    assert house.works(target=house.folder / "a.yaml")
    assert house.works(target=house.folder / "a.yaml")


def test_a_cache_that_was_tampered_with_is_not_believed(house):
    house.works()
    (file,) = (house.cache / "valid").iterdir()
    for content in (b"", b"{}", file.read_bytes().replace(b'"tasks": 1', b'"tasks": 7')):
        file.write_bytes(content)
        assert house.works()


def test_an_outcome_is_vouched_for_only_where_every_file_is_accounted_for(house, monkeypatch):
    really = validating.prepare

    def prepare(*arguments):
        prepared = really(*arguments)
        return dataclasses.replace(prepared, desired=dataclasses.replace(prepared.desired, files=None))

    monkeypatch.setattr(validating, "prepare", prepare)
    assert [house.works(), house.works()] == [True, True]


@pytest.mark.parametrize(
    "value", [GivenVariables(), Surroundings(takes_local_files=True)], ids=lambda v: type(v).__name__
)
def test_everything_that_is_given_to_resolving_is_in_the_basis(value):
    others = {bool: False, type(None): Path("other"), dict: {"other": "x"}, tuple: ("other",)}
    found = {basis({"it": value}, {})}
    for one in dataclasses.fields(value):
        found.add(basis({"it": dataclasses.replace(value, **{one.name: others[type(getattr(value, one.name))]})}, {}))
    assert len(found) == len(dataclasses.fields(value)) + 1
    assert None not in found


def test_what_cannot_be_written_down_exactly_vouches_for_nothing():
    assert basis({"it": object()}, {}) is None
    assert basis({"it": {1: "x"}}, {}) is None
    assert basis({}, {"a.yaml": None}) is None
    assert basis({"it": Path("a")}, {}) != basis({"it": "a"}, {})


WATCHED = """
import os, sys
from pathlib import Path
folder = os.path.realpath(sys.argv[1])
opened = set()

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        path = os.path.realpath(arguments[0])
        if path.startswith(folder + "/"):
            opened.add(path)

from taskspec.cli.wiring import Wiring
from taskspec.documents.remembering import Memory
from taskspec.runner.model import Invocation
from taskspec.runner.planning import prepare
from taskspec.settings import Settings

invocation = Invocation(target=Path(folder), settings=Settings(environ={}))
memory = Memory()
sys.addaudithook(hook)
prepared = prepare(invocation, Wiring(invocation.settings), memory)
known = {*memory.read_files, *(os.path.join(folder, path) for path in prepared.desired.files)}
print(len(opened), sorted(opened - known))
"""


def test_no_file_of_a_project_is_opened_that_is_not_accounted_for(house):
    folder = house.folder
    (folder / "macros").mkdir()
    (folder / "macros" / "m.md").write_text("{% macro m() %}x{% endmacro %}")
    (folder / "text.md").write_text("{% include 'inner.md' %}")
    (folder / "inner.md").write_text("{{ file('deep.md') }}")
    (folder / "deep.md").write_text("deep")
    for ending, rows in {"csv": "name\nx\n", "json": '[{"name": "x"}]', "yaml": "- {name: x}\n"}.items():
        (folder / f"rows.{ending}").write_text(rows)
        task = TASK.replace("NAME", ending).replace("vars.region", "each.value.name")
        (folder / f"{ending}.task.yaml").write_text(task + f"  forEach: {{file: rows.{ending}, key: name}}\n")
    (folder / "b.yaml").write_text(
        TASK.replace("NAME", "b").replace(
            "{{ vars.region }}", "{% from 'm.md' import m %}{% include 'text.md' %}{{ m() }}"
        )
    )
    command = [sys.executable, "-c", WATCHED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split(maxsplit=1) == ["14", "[]\n"], done.stderr
