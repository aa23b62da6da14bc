"""What is checked out when something is asked for, as git and the CI job tell it; and that no apply fails of it."""

import json
import os
import subprocess
from dataclasses import replace

import pytest

from taskspec.ci import Cause, ChangeRequest, CiJob, Platform, Revision
from taskspec.documents.model import Project
from taskspec.runner import originating
from taskspec.runner.originating import revision_of
from taskspec.settings import Settings

JOB = CiJob(
    platform=Platform.GITHUB,
    cause=Cause.REQUEST,
    commit="c0" * 20,
    branch="feature",
    author="grace",
    url="https://ci.example/jobs/1",
    request=ChangeRequest(number=7, base=None, target="main", is_foreign=False),
)


def git(folder, *words):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(["git", *identity, *words], cwd=folder, env=environ, capture_output=True, check=True)
    return done.stdout.decode().strip()


def settings(job=None):
    return Settings(environ={"PATH": os.environ["PATH"]}, ci=job)


def project(folder, **more):
    return Project(name="p", folder=str(folder), data_folder=str(folder / ".taskspec"), **more)


@pytest.fixture
def folder(tmp_path):
    """A project folder within a repository, committed."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.yaml").write_text("one\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return inner


def test_a_clean_checkout_is_told_by_commit_and_branch(folder):
    found = revision_of(project(folder), settings())
    assert found == Revision(commit=git(folder, "rev-parse", "HEAD"), branch="main")


@pytest.mark.parametrize("name", ["a.yaml", "new.yaml", "deep/new.yaml"])
def test_a_file_of_the_project_that_differs_or_is_not_tracked_makes_it_dirty(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("two\n")
    assert revision_of(project(folder), settings()).is_dirty


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("results/a.md", {}),
        ("results/a.md", {"results_path": "results/prod", "environment": "prod"}),
        ("out/answers/a.md", {"results_path": "out/answers"}),
        ("../beside.yaml", {}),
        ("report.html", {}),
        ("plan.json", {}),
    ],
)
def test_results_and_files_beside_the_project_do_not(folder, name, more):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("an answer\n")
    assert not revision_of(project(folder, **more), settings()).is_dirty


def test_what_the_job_tells_wins(folder):
    found = revision_of(project(folder), settings(JOB))
    assert found == Revision(
        commit="c0" * 20, branch="feature", author="grace", request=7, job="https://ci.example/jobs/1"
    )


def test_what_the_job_does_not_tell_git_does(folder):
    found = revision_of(project(folder), settings(replace(JOB, commit=None, branch=None, request=None)))
    assert (found.commit, found.branch) == (git(folder, "rev-parse", "HEAD"), "main")
    assert found.request is None


def test_outside_of_a_repository_only_the_job_tells(tmp_path):
    assert revision_of(project(tmp_path), settings()) is None
    assert revision_of(project(tmp_path), settings(CiJob(platform=Platform.OTHER, cause=Cause.OTHER))) is None
    assert revision_of(project(tmp_path), settings(JOB)).commit == "c0" * 20


def test_a_repository_without_a_commit_tells_nothing(tmp_path):
    git(tmp_path, "init", "-q")
    assert revision_of(project(tmp_path), settings()) is None


def test_without_git_nothing_is_told(folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert revision_of(project(folder), settings()) is None


def test_git_that_takes_too_long_is_no_error(folder, monkeypatch):
    monkeypatch.setattr(originating, "LONGEST", 0.0)
    assert revision_of(project(folder), settings()) is None


def test_a_checkout_of_which_nobody_can_tell_whether_it_differs_is_dirty(folder, monkeypatch):
    (folder.parent / ".git" / "index").write_bytes(b"broken")
    assert revision_of(project(folder), settings()).is_dirty


def test_each_attempt_and_its_result_have_the_revision_at_which_they_were_asked_for(ports, monkeypatch):
    found = Revision(commit="5a17" * 10, branch="main", author="ada", request=7, job="https://ci.example/1")
    asked = []
    monkeypatch.setattr("taskspec.runner.applying.revision_of", lambda *_: asked.append(1) or found)
    ports.task("a", "Write.")
    ports.task("b", "Write more.")
    ports.apply()
    assert [record.generation.last.revision for record in ports.records().values()] == [found, found]
    told = json.loads((ports.folder / "results" / "a.provenance.json").read_text())["revision"]
    assert told == {
        "commit": "5a17" * 10,
        "dirty": False,
        "branch": "main",
        "author": "ada",
        "request": 7,
        "job": "https://ci.example/1",
    }
    assert asked == [1]


def test_an_apply_that_asks_nothing_of_the_remote_does_not_ask_for_the_revision(ports, monkeypatch):
    ports.task("a", "Write.")
    ports.apply()
    asked = []
    monkeypatch.setattr("taskspec.runner.applying.revision_of", lambda *_: asked.append(1))
    ports.apply()
    assert not asked


def test_an_apply_outside_of_any_repository_records_that_nobody_could_tell(ports):
    ports.task("a", "Write.")
    ports.apply()
    assert ports.records()["a"].accepted.attempt.revision is None
    told = json.loads((ports.folder / "results" / "a.provenance.json").read_text())
    assert told["revision"] is None
