"""A project folder as it was at a revision: byte for byte, within its folder; nothing of the repository's is run."""

import os
import shutil
import subprocess

import pytest

from taskspec.errors import TaskspecError
from taskspec.runner import asking_git, rewinding
from taskspec.runner.rewinding import rewound

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def git(folder, *words):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, env=ENVIRON, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


def held(folder, revision="HEAD"):
    """Return what a folder held at a revision."""
    with rewound(folder, revision, ENVIRON) as found:
        files = {str(path.relative_to(found)): path.read_bytes() for path in found.rglob("*") if path.is_file()}
    assert not found.exists()
    return files


def test_the_files_are_as_they_were_whatever_became_of_them(repository):
    (repository / "deep").mkdir()
    (repository / "deep" / "a b.yaml").write_bytes(b"one\r\n\xff\n")
    (repository / "empty").write_bytes(b"")
    first = commit(repository)
    (repository / "deep" / "a b.yaml").write_bytes(b"two")
    (repository / "new").write_bytes(b"new")
    commit(repository)
    assert held(repository, first) == {"deep/a b.yaml": b"one\r\n\xff\n", "empty": b""}
    assert held(repository, "main")["new"] == b"new"


def test_of_a_folder_within_a_repository_only_what_is_in_it_is_written(repository):
    (repository / "inner").mkdir()
    (repository / "inner" / "a").write_text("a")
    (repository / "beside").write_text("b")
    commit(repository)
    assert held(repository / "inner") == {"a": b"a"}


def test_a_folder_that_was_not_there_is_empty(repository):
    (repository / "a").write_text("a")
    first = commit(repository)
    (repository / "later").mkdir()
    (repository / "later" / "b").write_text("b")
    commit(repository)
    assert held(repository / "later", first) == {}


def test_links_within_the_folder_stay_and_those_out_of_it_are_left_out(repository, tmp_path):
    (tmp_path / "secret").write_text("canary")
    (repository / "a").write_text("a")
    for name, to in {
        "inside": "a",
        "absolute": str(tmp_path / "secret"),
        "above": "../secret",
        "here": ".",
        "around": "here/../../secret",
        "nowhere": "gone",
    }.items():
        (repository / name).symlink_to(to)
    commit(repository)
    with rewound(repository, "HEAD", ENVIRON) as found:
        names = {path.name for path in found.iterdir()}
        assert (found / "inside").read_text() == "a"
    assert names == {"a", "inside", "here", "nowhere"}


@pytest.mark.parametrize("revision", ["gone", "HEAD~5", "0" * 40, "HEAD:a", "--help", "@{upstream}"])
def test_a_revision_that_is_not_there_is_an_error_with_a_way_out(repository, revision):
    (repository / "a").write_text("a")
    commit(repository)
    with (
        pytest.raises(TaskspecError, match="cannot be read: this clone has no such revision") as caught,
        rewound(repository, revision, ENVIRON),
    ):
        pass
    assert "git fetch" in caught.value.hint


def test_what_a_shallow_clone_lacks_is_told_as_such(repository, tmp_path):
    (repository / "a").write_text("a")
    first = commit(repository)
    (repository / "a").write_text("b")
    commit(repository)
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "clone")
    with pytest.raises(TaskspecError, match="shallow") as caught, rewound(tmp_path / "clone", first, ENVIRON):
        pass
    assert "fetch-depth: 0" in caught.value.hint


def test_outside_of_a_repository_nothing_can_be_told(tmp_path):
    with pytest.raises(TaskspecError, match="no repository"), rewound(tmp_path, "HEAD", ENVIRON):
        pass


def test_a_folder_beyond_all_bounds_is_refused(repository, monkeypatch):
    (repository / "a").write_text("a" * 100)
    commit(repository)
    monkeypatch.setattr(rewinding, "MOST_BYTES", 99)
    with pytest.raises(TaskspecError, match="has more than"), rewound(repository, "HEAD", ENVIRON):
        pass


def test_git_that_takes_too_long_is_an_error(repository, monkeypatch):
    commit_ = (repository / "a").write_text("a") and commit(repository)
    monkeypatch.setattr(rewinding, "LONGEST", 0.0)
    with pytest.raises(TaskspecError, match="took longer"), rewound(repository, commit_, ENVIRON):
        pass


def test_no_filter_and_no_attribute_of_the_repository_has_a_say(repository, tmp_path):
    (repository / ".gitattributes").write_text("* filter=evil eol=crlf export-ignore export-subst ident\n")
    (repository / "a").write_text("$Id$ $Format:%H$\n")
    commit(repository)
    mark = tmp_path / "ran"
    for kind in ("clean", "smudge", "process"):
        git(repository, "config", f"filter.evil.{kind}", f"touch {mark}")
    git(repository, "config", "core.fsmonitor", f"touch {mark}")
    assert held(repository)["a"] == b"$Id$ $Format:%H$\n"
    assert not mark.exists()


def disguised(repository, tmp_path, worktree):
    """Make a folder of a repository look like a repository of its own, in which the base is another one."""
    inner = repository / "inner"
    inner.mkdir()
    (inner / "a").write_text("of the base")
    base = commit(repository)
    evil = tmp_path / "evil"
    evil.mkdir()
    git(evil, "init", "-q", "-b", "main")
    (evil / "a").write_text("of the proposal")
    commit(evil)
    git(evil, "fetch", "-q", str(repository), "main:theirs")
    git(evil, "replace", base, "main")
    for name in ("HEAD", "objects", "refs"):
        path = evil / ".git" / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, inner / name)
    (inner / "config").write_text(f"[core]\nrepositoryformatversion = 0\nbare = false\nworktree = {worktree}\n")
    return inner, base


@pytest.mark.parametrize("worktree", [".", ".."])
@pytest.mark.parametrize("knows", [True, False])
def test_files_that_look_like_a_repository_say_nothing(repository, tmp_path, monkeypatch, worktree, knows):
    inner, base = disguised(repository, tmp_path, worktree)
    if not knows:  # a git before 2.38 does not know that it must not look there
        monkeypatch.setattr(asking_git, "SAFE", [w.replace("bareRepository=explicit", "x=y") for w in asking_git.SAFE])
    with pytest.raises(TaskspecError, match="no repository that it may read"), rewound(inner, base, ENVIRON):
        pass


def test_no_other_commit_takes_the_place_of_the_one_that_is_named(repository):
    (repository / "a").write_text("of the base")
    base = commit(repository)
    (repository / "a").write_text("of the proposal")
    git(repository, "replace", base, commit(repository))
    assert held(repository, base) == {"a": b"of the base"}


@pytest.mark.parametrize("kind", ["tag", "branch"])
def test_a_name_that_another_ref_has_too_is_refused(repository, kind):
    (repository / "a").write_text("of the base")
    git(repository, "update-ref", "refs/remotes/origin/main", commit(repository))
    (repository / "a").write_text("of the proposal")
    commit(repository)
    git(repository, kind, "origin/main", "HEAD")
    with pytest.raises(TaskspecError, match="more than one"), rewound(repository, "origin/main", ENVIRON):
        pass
    assert held(repository, "refs/remotes/origin/main") == {"a": b"of the base"}


def test_a_worktree_of_a_repository_is_as_good(repository, tmp_path):
    (repository / "a").write_text("a")
    commit(repository)
    git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "beside"))
    assert held(tmp_path / "beside") == {"a": b"a"}
