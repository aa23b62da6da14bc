"""The formats of validate: what each says of right and of wrong manifests, and where."""

import json

import pytest

from taskspec.cli.running import run

PROJECT = "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: p}\nspec: {agents: {echo: {command: [cat]}}}\n"
TASK = "---\napiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: echo, prompt: hi}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "sub"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (folder / "taskspec.yaml").write_text(PROJECT + TASK)
    return folder


@pytest.fixture
def wrong(project):
    (project / "::error::,100%.yaml").write_text(
        TASK.replace("prompt: hi", "prompt: hi, retyr: 1, titel: x").replace("name: a", "name: b")
    )
    return project


def told(capsys, *arguments):
    code = run(["validate", *arguments])
    done = capsys.readouterr()
    return code, done.out, done.err


def test_annotations_are_all_that_is_said_and_the_exit_code_is_as_ever(wrong, capsys):
    code, out, err = told(capsys, "--format", "github")
    assert (code, err) == (1, "")
    place = "file=%3A%3Aerror%3A%3A%2C100%25.yaml,line=5"
    assert [line.split(",col=")[0] for line in out.splitlines()] == [f"::error {place}"] * 2


def test_files_are_named_from_the_folder_of_the_repository_on(wrong, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(wrong.parent))
    _, out, _ = told(capsys, "--format", "github")
    assert out.startswith("::error file=sub/%3A%3Aerror")


def test_right_manifests_are_said_to_be_right(project, capsys):
    assert told(capsys, "--format", "github") == (0, "1 task in p: valid.\n", "")
    assert told(capsys) == (0, "1 task in p: valid.\n", "")


def test_trouble_that_is_in_no_manifest_is_an_annotation_too(project, capsys):
    code, out, err = told(capsys, "--format", "github", "./nosuch")
    assert (code, err) == (64, "")
    assert out.startswith("::error::There is no file or folder `nosuch`.%0A→ ")


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format=json"]])
def test_json_has_one_form_whichever_way_it_is_asked_for(project, capsys, form):
    code, out, _ = told(capsys, *form)
    assert (code, json.loads(out)["valid"]) == (0, True)
    code, out, _ = told(capsys, *form, "nosuch")
    assert (code, json.loads(out)["error"]["exitCode"]) == (64, 64)
    code, out, _ = told(capsys, *form, "--nosuch")
    assert (code, json.loads(out)["error"]["exitCode"]) == (64, 64)


def test_wrong_manifests_are_one_document_of_json(wrong, capsys):
    code, out, _ = told(capsys, "--format", "json")
    assert code == 1
    assert {d["file"] for d in json.loads(out)["error"]["diagnostics"]} == {"::error::,100%.yaml"}


def test_two_formats_at_once_are_refused(project, capsys):
    code, _, err = told(capsys, "--json", "--format", "github")
    assert code == 64
    assert "two formats" in err


def test_a_job_of_github_gets_text_unless_it_asks(wrong, capsys, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _, out, err = told(capsys)
    assert out == ""
    assert "2 errors." in err
