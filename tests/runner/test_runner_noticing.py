"""Whether what a project was read from is still what was read."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from runner_ports import ScriptedPorts

from taskspec.documents.remembering import Memory
from taskspec.runner import noticing
from taskspec.runner.noticing import Sight
from taskspec.runner.preparing import examine

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec: {remote: xpander}
"""
TASK = """\
apiVersion: taskspec/v1
kind: Task
metadata: {name: a}
spec:
  agent: writer
  prompt: "{{ file('notes.md') }}{% include 'more.md' %}"
  files: [data.csv]
"""


@pytest.fixture
def project(ports):
    for name, text in [("tasks.yaml", TASK), ("notes.md", "xyz"), ("more.md", "y"), ("data.csv", "1,2")]:
        ports.write(text, name)
    (ports.folder / "deep").mkdir()
    offline = ports.offline(None)
    ports.offline = lambda project: replace(offline, traits=replace(offline.traits, takes_local_files=True))
    return ports


def seen(ports: ScriptedPorts, *given):
    """Return what one sees who has read the project long after it was written."""
    sight = Sight(ports.folder, time.time_ns() + 60 * 10**9, given)
    memory = Memory()
    sight.see(memory, examine(ports.invocation(), ports, memory))
    return sight


def names(sight):
    return sorted(Path(path).name for path in sight.changes())


def test_nothing_has_changed_where_nothing_was_touched(project):
    sight = seen(project)
    assert [names(sight), names(sight)] == [[], []]


@pytest.mark.parametrize("name", ["taskspec.yaml", "tasks.yaml", "notes.md", "more.md", "data.csv"])
def test_whatever_was_read_is_looked_at(project, name):
    sight = seen(project)
    path = project.folder / name
    path.write_text(path.read_text() + " ")
    assert names(sight) == [name]


@pytest.mark.parametrize("name", ["tasks.yaml", "notes.md", "data.csv"])
def test_a_file_that_is_gone_has_changed(project, name):
    sight = seen(project)
    (project.folder / name).unlink()
    assert name in names(sight)


def test_the_same_content_written_again_is_no_change(project):
    sight = seen(project)
    for name in ("taskspec.yaml", "tasks.yaml", "notes.md", "data.csv"):
        path = project.folder / name
        path.write_bytes(path.read_bytes())
    assert names(sight) == []


def test_a_file_is_not_read_again_where_its_times_are_those_of_before(project, monkeypatch):
    sight = seen(project)
    for name in ("_digest", "_sha256"):
        monkeypatch.setattr(noticing, name, lambda path: pytest.fail(f"{path} was read"))
    assert names(sight) == []


def test_an_edit_between_the_reading_and_the_first_look_is_seen(project):
    memory = Memory()
    sight = Sight(project.folder, time.time_ns())
    prepared = examine(project.invocation(), project, memory)
    assert prepared.warnings == ()
    for name in ("tasks.yaml", "notes.md"):
        path = project.folder / name
        path.write_text(path.read_text()[::-1])
    sight.see(memory, prepared)
    assert names(sight) == ["notes.md", "tasks.yaml"]


@pytest.mark.parametrize("name", ["new.yaml", "deep/new.yaml", "deep/deeper/new.yml"])
def test_a_manifest_that_appears_is_a_change(project, name):
    sight = seen(project)
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a: 1\n")
    assert names(sight) == [path.name]


@pytest.mark.parametrize(
    "name", ["started.log", "results/a.md", ".taskspec/state.db", "node_modules/x.yaml", "notes.txt"]
)
def test_what_no_manifest_can_be_is_none(project, name):
    sight = seen(project)
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert [names(sight), names(sight)] == [[], []]


def test_only_the_patterns_of_the_project_let_manifests_appear(project):
    project.write(PROJECT.replace("remote: xpander", 'remote: xpander, manifests: ["*.yaml"]'), "taskspec.yaml")
    sight = seen(project)
    (project.folder / "deep" / "new.yaml").write_text("a: 1\n")
    assert names(sight) == []
    (project.folder / "new.yaml").write_text("a: 1\n")
    assert names(sight) == ["new.yaml"]


def test_a_file_that_is_missing_is_waited_for(project):
    (project.folder / "notes.md").unlink()
    sight = seen(project)
    assert names(sight) == []
    (project.folder / "notes.md").write_text("here")
    assert names(sight) == ["notes.md"]


def test_a_file_of_variables_is_looked_at(project, tmp_path):
    given = tmp_path / "vars.env"
    given.write_text("a=1\n")
    sight = seen(project, given)
    assert names(sight) == []
    given.write_text("a=2\n")
    assert names(sight) == ["vars.env"]


def test_a_project_that_is_gone_has_changed(project):
    sight = seen(project)
    for path in sorted(project.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    project.folder.rmdir()
    assert "tasks.yaml" in names(sight)
