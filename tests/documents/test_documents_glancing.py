"""Glancing: which tasks stand in the files, found without a judgement and without a complaint."""

import pytest

from taskspec.documents.glancing import glance
from taskspec.errors import UsageError

PROJECT = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {{name: p}}\n{spec}"
TASK = "apiVersion: taskspec/v1\nkind: Task\nmetadata: {{name: {name}}}\nspec: {{agent: a, prompt: p}}\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.yaml").write_text(TASK.format(name="c") + "---\n" + TASK.format(name="d"))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r.yaml").write_text(TASK.format(name="r"))
    return tmp_path


def names(target, wanted=""):
    return [document.value["metadata"]["name"] for document in glance(target).tasks(wanted)]


def test_a_folder_has_the_tasks_of_all_its_files_but_those_of_the_results(folder):
    assert names(folder) == ["a", "b", "c", "d"]


def test_the_patterns_of_a_project_hold_and_its_own_file_counts(folder):
    spec = 'spec: {manifests: ["sub/*.yaml", "../*", "missing.yaml", 7]}\n---\n' + TASK.format(name="own")
    (folder / "taskspec.yaml").write_text(PROJECT.format(spec=spec))
    assert names(folder) == ["own", "c", "d"]


@pytest.mark.parametrize("spec", ["", "spec: [1]\n", "spec: {manifests: sub}\n", "spec: {"])
def test_a_project_that_is_wrong_has_the_tasks_of_all_files(folder, spec):
    (folder / "taskspec.yaml").write_text(PROJECT.format(spec=spec))
    assert names(folder) == ["a", "b", "c", "d"]


def test_a_single_file_has_its_own_tasks(folder):
    assert names(folder / "sub" / "c.yaml") == ["c", "d"]


def test_the_spec_of_the_project_is_what_is_written_or_nothing(folder):
    assert glance(folder).spec == {}
    (folder / "taskspec.yaml").write_text(PROJECT.format(spec="spec: {variables: {a: {}}}\n"))
    assert glance(folder).spec == {"variables": {"a": {}}}


def test_files_that_cannot_be_read_are_left_out(folder):
    (folder / "a.yaml").write_bytes(b"\xff\xfe\x00kind: Task")
    (folder / "b.yaml").write_text("kind: [")
    (folder / "e.yaml").symlink_to("/dev/zero")
    assert names(folder) == ["c", "d"]


def test_only_files_that_hold_the_text_are_looked_into(folder):
    assert names(folder, "name: d") == ["c", "d"]
    assert names(folder, "nosuch") == []


def test_a_target_that_is_not_there_is_an_error(folder):
    with pytest.raises(UsageError):
        names(folder / "nosuch")
